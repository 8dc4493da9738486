import { describe, expect, test } from "vitest";

import { evaluate } from "../src/evaluate.ts";
import type { Batch, Dataset, ScoreMeaning, Scorer, Scores } from "../src/types.ts";

const CLASSES = ["cat", "dog"];

/** Images of one pixel whose classes alternate. */
function alternating(size: number): Dataset {
  return {
    name: "pets",
    split: "test",
    classes: CLASSES,
    shape: [1, 1],
    size,
    source: "",
    async *batches(count) {
      for (let start = 0; start < size; start += count) {
        const indices = Uint32Array.from({ length: Math.min(count, size - start) }, (_, i) => start + i);
        yield await Promise.resolve({
          indices,
          pixels: new Uint8Array(indices.length),
          labels: Uint8Array.from(indices, (index) => index % 2),
        });
      }
    },
    files: () => [],
  };
}

const right = (_: number, label: number): [number, number] => (label === 0 ? [0.8, 0.2] : [0.2, 0.8]);

/** @param scoresOf each image's scores, by its position and its class */
function scorerOf(scoresOf: typeof right, meaning: ScoreMeaning, labelled: boolean): Scorer {
  return {
    describe: () => ({
      kind: "onnx",
      name: "pets.onnx",
      preprocessing: { scale: "unit", layout: "flat", invert: false, transpose: false },
      model: {
        bytes: 1,
        parameters: 1,
        opset: null,
        irVersion: null,
        producer: null,
        fixedBatch: null,
        input: "pixels float32 [N, 1]",
        output: "scores float32 [N, 2]",
        meaning,
      },
    }),
    async score({ indices, labels }: Batch): Promise<Scores> {
      const rows = [...indices].map((index, i) => scoresOf(index, labels[i]!));
      return await Promise.resolve({ labels, labelled, probabilities: Float32Array.from(rows.flat()) });
    },
    close: async () => {},
  };
}

interface Changes {
  readonly meaning?: ScoreMeaning;
  readonly batchSize?: number;
  /** Whether the labels come from an output of their own. */
  readonly labelled?: boolean;
}

async function evaluated(
  size: number,
  scoresOf = right,
  { meaning = "probabilities", batchSize = 512, labelled = false }: Changes = {},
) {
  return await evaluate({
    dataset: alternating(size),
    scorer: scorerOf(scoresOf, meaning, labelled),
    preflight: null,
    reference: null,
    batchSize,
    seed: 42,
    signal: new AbortController().signal,
    onScored: () => {},
    onProgress: () => {},
  });
}

describe("evaluate() where scores are no numbers", () => {
  test("warns of them once", async () => {
    const { failures, warnings, dataset } = await evaluated(10_000, (index, label) =>
      index < 9_000 && label === 0 ? [NaN, NaN] : right(index, label),
    );
    expect({ failures: failures.count, scored: dataset.scored }).toEqual({ failures: 4_500, scored: 5_500 });
    expect(warnings).toEqual([
      "4,500 of 10,000 images have scores that are not finite, not in 0 to 1, or all 0: they have no prediction and are in " +
        "no number of this report but the range of the accuracy. The model's arithmetic probably overflows on pixels of " +
        "this size (see --scale), or its weights are damaged.",
    ]);
  });

  test.each([999, 1_000, 1_001, 4_321])(
    "counts all and lists at most the first 1,000 of %d",
    async (count) => {
      const { failures, dataset } = await evaluated(
        5_000,
        (index, label) => (index >= 100 && index < 100 + count ? [0, 0] : right(index, label)),
        { batchSize: 64 },
      );
      const reason = "the model's scores are no probabilities: not finite, not in 0 to 1, or all 0";
      const ofCat = Math.ceil(count / 2);
      expect(failures).toEqual({
        count,
        perClass: [ofCat, count - ofCat],
        accuracyRange: { low: (5_000 - count) / 5_000, high: 1 },
        images: Array.from({ length: Math.min(count, 1_000) }, (_, i) => ({ index: 100 + i, reason })),
      });
      expect(dataset).toMatchObject({ images: 5_000, scored: 5_000 - count });
    },
  );
});

const oneAgainstTheRest = (_: number, label: number): [number, number] =>
  label === 0 ? [0.9, 0.3] : [0.3, 0.9];

describe("evaluate() where scores are no probabilities but the label is plain", () => {
  const LEFT_OUT =
    "50 of 100 images have a label and no probabilities, as they have scores that are not finite, not in 0 to 1, or all 0: " +
    "they count in the accuracy, and are left out of all that needs probabilities.";

  test("takes the largest score", async () => {
    const { failures, dataset, withoutProbabilities, metrics, warnings } = await evaluated(
      100,
      (index, label) => (label === 0 ? [0.5, -0.25] : right(index, label)),
    );
    expect([failures.count, dataset.scored, withoutProbabilities]).toEqual([0, 100, 50]);
    expect(metrics["accuracy"]!.value).toBe(1);
    // Of the dogs alone.
    expect(metrics["log_loss"]!.value).toBeCloseTo(-Math.log(0.8), 7);
    expect(warnings[0]).toContain(LEFT_OUT);
  });

  test("takes the model's own label, whatever the scores are", async () => {
    const { failures, withoutProbabilities, metrics, warnings } = await evaluated(
      100,
      (index, label) => (label === 0 ? [0, 0] : right(index, label)),
      { labelled: true },
    );
    expect([failures.count, withoutProbabilities, metrics["accuracy"]!.value]).toEqual([0, 50, 1]);
    expect(warnings[0]).toBe(
      `${LEFT_OUT} All of their scores are 0: they are probably too small for float32. Export the model with its logits, ` +
        "or their log-softmax, as its output.",
    );
  });

  test.each([
    ["NaN", [NaN, 0.5]],
    ["overflowed", [Infinity, 0.5]],
    ["equal", [-0.5, -0.5]],
  ] as const)("takes none of scores that are %s", async (_, row) => {
    const { failures } = await evaluated(100, (index, label) =>
      label === 0 ? [...row] : right(index, label),
    );
    expect(failures.count).toBe(50);
  });
});

describe("evaluate() where scores do not sum to one", () => {
  test("warns of it where they claim to be probabilities", async () => {
    const { warnings, metrics } = await evaluated(1_000, oneAgainstTheRest);
    expect(metrics["log_loss"]?.value).toBeCloseTo(-Math.log(0.75), 6);
    expect(warnings).toEqual([
      "1,000 of 1,000 rows of scores do not sum to one: each was divided by its sum for the log loss. The scores are " +
        "probably not the model's probabilities: log loss, calibration and curves mean little, the predicted classes are " +
        "not affected. Export the model with softmax as its last step, or name the right --output.",
    ]);
  });

  test("takes it as it is where each is of one class against the rest", async () => {
    const { warnings, metrics } = await evaluated(1_000, oneAgainstTheRest, { meaning: "one-vs-rest" });
    expect(metrics["log_loss"]?.value).toBeCloseTo(-Math.log(0.75), 6);
    expect(warnings).toEqual([]);
  });
});
