import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { resizer } from "../../src/scorer/resize.ts";
import { metricsOf, scene } from "../endpoint/scene.ts";
import { bundled, linearGraph, pixels, reshape, type Linear } from "./models/linear.ts";

describe("resizer(method, from, to)", () => {
  test("bilinear gives Pillow's bytes, larger and smaller", () => {
    // Image.resize(…, Image.BILINEAR) of Pillow 9.4.0.
    const small = Uint8Array.of(0, 50, 255, 100, 200, 20);
    expect([...resizer("bilinear", [2, 3], [3, 5])(small)]).toEqual([
      0, 20, 50, 173, 255, 50, 80, 125, 133, 138, 100, 140, 200, 92, 20,
    ]);
    const ramp = Uint8Array.from({ length: 16 }, (_, i) => i * 16);
    expect([...resizer("bilinear", [4, 4], [3, 2])(ramp)]).toEqual([30, 56, 107, 133, 184, 210]);
  });

  test("pad centres the image on black, and cuts off what is too much", () => {
    const image = Uint8Array.of(1, 2, 3, 4, 5, 6);
    expect([...resizer("pad", [2, 3], [4, 4])(image)]).toEqual([
      0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0, 0,
    ]);
    expect([...resizer("pad", [2, 3], [2, 1])(image)]).toEqual([2, 5]);
  });

  test("each image by itself", () => {
    const both = Uint8Array.of(7, 9);
    expect([...resizer("pad", [1, 1], [1, 3])(both)]).toEqual([0, 7, 0, 0, 9, 0]);
  });
});

/** The bundled model's weights in the middle of 32×32, so that it answers for padded images as the bundled one does. */
function padded(): Linear {
  const weights = new Float64Array(10 * 32 * 32);
  for (let k = 0; k < 10; k++)
    for (let y = 0; y < 28; y++)
      for (let x = 0; x < 28; x++)
        weights[(k * 32 + y + 2) * 32 + x + 2] = bundled.weights[(k * 28 + y) * 28 + x]!;
  return { ...bundled, weights };
}

describe("evaluate --model of 32×32 pixels", () => {
  const { bare, path } = scene();
  const model = (): string => {
    const file = path("large.onnx");
    const input = pixels(["N", 1, 32, 32]);
    writeFileSync(file, linearGraph({ linear: padded(), input, before: reshape(1024) }));
    return file;
  };

  test("--resize pad gives what the model of 28×28 gives, and says so", async () => {
    const { code, stderr, out } = await bare([
      "--model",
      model(),
      "--resize",
      "pad",
      "--reports",
      "json,csv,html",
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { scorer, confusionMatrix } = metricsOf(out);
    expect(scorer.preprocessing).toMatchObject({ layout: "nchw", resize: { method: "pad", to: [32, 32] } });
    expect(confusionMatrix.reduce((sum, row, i) => sum + row[i]!, 0)).toBe(9202);
    expect(readFileSync(join(out, "report.html"), "utf8")).toContain(
      "The images were padded with black, or cut, to 32×32.",
    );
  });

  test("--resize bilinear is another picture of the same digits", async () => {
    const { code, out } = await bare(["--model", model(), "--resize", "bilinear"]);
    expect(code).toBe(0);
    expect(metricsOf(out).scorer.preprocessing).toMatchObject({
      resize: { method: "bilinear", to: [32, 32] },
    });
  });

  test("without --resize the message offers it", async () => {
    const file = model();
    expect(await bare(["--model", file])).toMatchObject({
      code: 4,
      stderr:
        `mnist-evaluate: ${file} takes images of 32×32 pixels (pixels float32 [N, 1, 32, 32]), but the data set's images are 28×28: ` +
        "nothing is resized unless you say how: add --resize bilinear or --resize pad, whichever the model was trained with\n",
    });
  });

  test("--resize does nothing to what a service gets, and is refused", async () => {
    const { code, stderr } = await bare(["--endpoint", "http://127.0.0.1:9/score", "--resize", "pad"]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        "mnist-evaluate: --resize is for a local model: a service gets the images as they are, and resizes them itself\n",
    });
  });
});
