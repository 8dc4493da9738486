import { describe, expect, test } from "vitest";
import { METRIC_NAMES } from "../../src/metrics/table.ts";
import { gap, measure, references } from "./builders.ts";

const EXACT = 1e-12;
const AREA = 1e-9;
const CLASS_METRICS = ["precision", "recall", "f1", "roc_auc", "average_precision"] as const;

function toleranceOf(metric: string): number {
  return metric.startsWith("roc_auc") || metric.startsWith("average_precision") ? AREA : EXACT;
}

describe.each(references)("measurements() on $name", ({ table, ...reference }) => {
  const measurements = measure(table);

  test.each(METRIC_NAMES)("%s is scikit-learn's", (name) => {
    expect(reference.metrics).toHaveProperty(name);
    expect(gap(measurements.metrics[name]!.value, reference.metrics[name]!)).toBeLessThanOrEqual(
      toleranceOf(name),
    );
  });

  test.each(CLASS_METRICS)("%s of each class is scikit-learn's", (name) => {
    for (const [c, expected] of reference.perClass.entries()) {
      expect(gap(measurements.perClass[c]![name].value, expected[name])).toBeLessThanOrEqual(
        toleranceOf(name),
      );
    }
  });

  test("the confusion matrix and its margins are scikit-learn's", () => {
    expect(measurements.confusionMatrix).toEqual(reference.confusionMatrix);
    expect(measurements.perClass.map(({ support, predicted }) => ({ support, predicted }))).toEqual(
      reference.perClass.map(({ support, predicted }) => ({ support, predicted })),
    );
  });
});

test("the references hold every kind of undefined metric", () => {
  const undefinedSomewhere = METRIC_NAMES.filter((name) =>
    references.some(({ metrics }) => metrics[name] === null),
  );
  expect(undefinedSomewhere).toEqual([
    "cohen_kappa",
    "matthews_corrcoef",
    "top_2_accuracy",
    "top_3_accuracy",
    "top_5_accuracy",
    "roc_auc_macro",
    "roc_auc_weighted",
    "average_precision_macro",
  ]);
});
