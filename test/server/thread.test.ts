import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { ScorerError } from "../../src/errors.ts";
import { bundledModel } from "../../src/scorer/open.ts";
import { openEngine } from "../../src/server/engine.ts";
import { openThreadedEngine } from "../../src/server/thread.ts";
import { mnist } from "../train/mnist.ts";

// Bundled before the tests, as the command has it.
const SCRIPT = new URL("../../dist/score-worker.cjs", import.meta.url);
const OPTIONS = { path: bundledModel, classes: null, layout: "auto", output: null } as const;

test("openThreadedEngine(script, options) is the same model, and scores the same", async () => {
  const rows = Float32Array.from(mnist("test", 50).pixels, (x) => x / 255);
  const [here, there] = await Promise.all([openEngine(OPTIONS), openThreadedEngine(SCRIPT, OPTIONS)]);
  try {
    expect(there.facts).toEqual(here.facts);
    expect(await there.score(rows, 50)).toEqual(await here.score(rows, 50));
    // The rows are still here: other requests may need what lies beside them.
    expect(rows.length).toBe(50 * 784);
    await expect(there.score(new Float32Array(3), 1)).rejects.toThrow(
      new Error("Tensor's size(784) does not match data length(3)."),
    );
    expect((await there.score(rows, 50)).labels).toHaveLength(50);
  } finally {
    await Promise.all([here.close(), there.close()]);
  }
});

test("openThreadedEngine(script, options) gives the error of a model that cannot be opened", async () => {
  const path = fileURLToPath(new URL("nothing.onnx", import.meta.url));
  await expect(openThreadedEngine(SCRIPT, { ...OPTIONS, path })).rejects.toThrow(
    new ScorerError(`${path}: cannot read the model: there is no such file: check --model`),
  );
});
