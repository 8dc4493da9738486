import { Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";

import { ScorerError } from "../../src/errors.ts";
import { bundledModel, loadModel, openModel } from "../../src/scorer/open.ts";
import { outputPlan } from "../../src/scorer/outputs.ts";

const IMAGES = 2;
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

/** One row of scores, the same for both images. */
function table(...row: number[]): Tensor {
  return new Tensor("float32", Float32Array.from([...row, ...row]), [IMAGES, row.length]);
}

const label = new Tensor("int64", BigInt64Array.of(1n, 0n), [IMAGES]);

/** What is made of a model that answers so for every scale. */
function plan(outputs: Readonly<Record<string, Tensor>>, classes: number) {
  const tensors = Object.entries(outputs).map(([name, { type, dims }]) => {
    return { name, isTensor: true, type, shape: ["N", ...dims.slice(1)] } as const;
  });
  return outputPlan("m.onnx", tensors, [outputs, outputs], IMAGES, names(classes));
}

describe("outputPlan(file, tensors, answers, images, classes)", () => {
  const logits = table(-3, 7, 2);

  test("takes labels beside tables that are no class scores", () => {
    const expected = { scores: null, label: "label", meaning: "labels", description: "label int64 [N]" };
    expect(plan({ label, hidden: logits, other: logits }, 2)).toEqual(expected);
    expect(plan({ label, margin: table(0.5) }, 2)).toEqual(expected);
    expect(plan({ label, logits: new Tensor("int64", new BigInt64Array(6), [IMAGES, 3]) }, 2)).toEqual(
      expected,
    );
  });

  test.each([
    ["the only other output", { first: logits }, "first"],
    ["called so", { hidden: logits, class_scores: logits }, "class_scores"],
    ["probabilities by their values", { hidden: logits, y: table(0.5, 0.25, 0.25) }, "y"],
    ["one-vs-rest by their values", { hidden: logits, y: table(0.5, 0.75, 0.25) }, "y"],
    ["log-probabilities by their values", { hidden: logits, y: table(0, -90, -90) }, "y"],
  ])("refuses labels beside another number of scores: %s", (_, others, name) => {
    expect(() => plan({ label, ...others }, 2)).toThrow(
      new ScorerError(
        `m.onnx gives 3 scores an image (${name} float32 [N, 3]), but the data set has 2 classes: use a model made for ` +
          "this data set, name all 3 classes with --classes, or take the labels alone with --output label",
      ),
    );
  });

  test("advises to name all classes where there are more scores than classes, without labels too", () => {
    expect(() => plan({ y: logits }, 2)).toThrow(
      new ScorerError(
        "m.onnx gives 3 scores an image (y float32 [N, 3]), but the data set has 2 classes: use a model made for this " +
          "data set, name all 3 classes with --classes, or name another output with --output",
      ),
    );
  });
});

/** What is told of the bundled model for a data set of 8 classes. */
async function factsOf(output: string | null) {
  const loaded = await loadModel(bundledModel);
  const images = { shape: [28, 28], classes: names(8) } as const;
  const probe = {
    indices: Uint32Array.of(0),
    pixels: new Uint8Array(784).fill(100),
    labels: Uint8Array.of(0),
  };
  const { choices, scorer } = await openModel(
    loaded,
    images,
    { layout: "auto", resize: "none", output },
    probe,
  );
  return scorer(choices[0]!).describe().model;
}

describe("openModel(loaded, images, options, probe) with the bundled model and a data set of 8 classes", () => {
  test("is refused instead of losing its scores without a word", async () => {
    await expect(factsOf(null)).rejects.toThrow(
      new ScorerError(
        `${bundledModel} gives 10 scores an image (probabilities float32 [n, 10]), but the data set has 8 classes: use a ` +
          "model made for this data set, name all 10 classes with --classes, or take the labels alone with --output label",
      ),
    );
  });

  test("gives labels where its label output is named", async () => {
    expect(await factsOf("label")).toMatchObject({ meaning: "labels" });
  });
});
