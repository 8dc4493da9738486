import { expect, test } from "vitest";

import { bundledModel, loadModel, openModel } from "../../src/scorer/open.ts";

test("a layout that the model's input rules out is refused by the one that it has", async () => {
  const loaded = await loadModel(bundledModel);
  const images = { shape: [28, 28], classes: "0123456789".split("") } as const;
  const probe = { indices: new Uint32Array(1), labels: new Uint8Array(1), pixels: new Uint8Array(784) };
  await expect(
    openModel(loaded, images, { layout: "nchw", resize: "none", output: null }, probe),
  ).rejects.toThrow(
    `${bundledModel} takes pixels float32 [n, 784], which is --layout flat, not nchw: leave --layout out`,
  );
  await loaded.session.release();
});
