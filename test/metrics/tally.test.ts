import { describe, expect, test } from "vitest";
import { METRIC_NAMES } from "../../src/metrics/table.ts";
import { createTally } from "../../src/metrics/tally.ts";
import { batchOf, labels, measure, names, simulated, type Table } from "./builders.ts";

const UNDEFINED = { value: null, interval: null };
const table = simulated(30, 3);
const withoutProbabilities: Table = { ...table, probabilities: null };

test("METRICS are the report's, in its order", () => {
  expect(METRIC_NAMES).toEqual([
    "accuracy",
    "balanced_accuracy",
    "precision_macro",
    "recall_macro",
    "f1_macro",
    "precision_weighted",
    "recall_weighted",
    "f1_weighted",
    "cohen_kappa",
    "matthews_corrcoef",
    "top_2_accuracy",
    "top_3_accuracy",
    "top_5_accuracy",
    "log_loss",
    "brier_score",
    "roc_auc_macro",
    "roc_auc_weighted",
    "average_precision_macro",
    "expected_calibration_error",
  ]);
});

describe("measurements() without images", () => {
  const measurements = createTally(names(3)).measurements();

  test.each(METRIC_NAMES)("%s is undefined", (name) => {
    expect(measurements.metrics[name]).toEqual(UNDEFINED);
  });

  test("has empty classes and an empty matrix", () => {
    expect(measurements).toMatchObject({
      confusionMatrix: [
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
      ],
      topConfusions: [],
      calibration: null,
      confidence: null,
      curves: null,
    });
    expect(measurements.perClass[2]).toEqual({
      class: "c2",
      support: 0,
      predicted: 0,
      precision: UNDEFINED,
      recall: UNDEFINED,
      f1: UNDEFINED,
      roc_auc: UNDEFINED,
      average_precision: UNDEFINED,
    });
  });

  test("is the same after an empty batch", () => {
    const tally = createTally(names(3));
    tally.add(batchOf(labels([], [])));
    tally.add(batchOf({ ...labels([], []), probabilities: [] }));
    expect(tally.measurements()).toEqual(measurements);
    tally.add(batchOf(table));
    expect(tally.measurements()).toEqual(measure(table));
  });
});

describe("images without probabilities among others", () => {
  const all: Table = {
    ...withoutProbabilities,
    truth: [...table.truth, ...table.truth],
    predicted: [...table.predicted, ...table.predicted],
  };

  test.each([
    { first: table, second: withoutProbabilities },
    { first: withoutProbabilities, second: table },
  ])("leave out all that needs probabilities, in either order", ({ first, second }) => {
    const tally = createTally(table.classes);
    tally.add(batchOf(first));
    tally.add(batchOf(second));
    expect(tally.measurements()).toEqual(measure(all));

    const shard = createTally(table.classes);
    shard.add(batchOf(second));
    const merged = createTally(table.classes);
    merged.add(batchOf(first));
    merged.merge(shard);
    expect(merged.measurements()).toEqual(measure(all));
  });
});

describe("merge(other)", () => {
  test("takes tallies without images as nothing", () => {
    const tally = createTally(table.classes);
    tally.merge(createTally(table.classes));
    tally.add(batchOf(table));
    tally.merge(createTally(table.classes));
    expect(tally.measurements()).toEqual(measure(table));
  });

  test("refuses a tally of other classes", () => {
    expect(() => createTally(["a", "b"]).merge(createTally(["a", "c"]))).toThrow(
      new RangeError("a tally of the classes a, b cannot take in one of a, c"),
    );
  });
});

describe("add(batch)", () => {
  test("refuses a label that is no class", () => {
    expect(add({ truth: [2] })).toThrow(
      new RangeError("label 2 of image 0 of the batch: there are 2 classes"),
    );
    expect(add({ predicted: [9] })).toThrow(
      new RangeError("label 9 of image 0 of the batch: there are 2 classes"),
    );
  });

  test.each([NaN, -1e-9, 1.5])("refuses a probability of %f", (p) => {
    expect(add({ probabilities: [[0, p]] })).toThrow(
      new RangeError(`probability ${p} of image 0 of the batch is not in 0 … 1`),
    );
  });

  test("refuses probabilities of another number of classes", () => {
    expect(add({ probabilities: [[0.5, 0.25, 0.25]] })).toThrow(
      new RangeError("3 probabilities for 1 images of 2 classes"),
    );
  });

  test("counts nothing of a batch that it refuses", () => {
    const tally = createTally(["a", "b"]);
    const refused = batchOf({ classes: [], truth: [0, 0, 2], predicted: [0, 0, 0], probabilities: null });
    expect(() => tally.add(refused)).toThrow(RangeError);
    expect(tally.measurements()).toEqual(createTally(["a", "b"]).measurements());
  });
});

/** Adds one image of two classes, good but for what the test changes. */
function add(changes: Partial<Table>): () => void {
  const image = { classes: [], truth: [0], predicted: [0], probabilities: null, ...changes };
  return () => createTally(["a", "b"]).add(batchOf(image));
}
