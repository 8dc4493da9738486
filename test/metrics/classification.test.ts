import { describe, expect, test } from "vitest";
import { labels, measure } from "./builders.ts";

const UNDEFINED = { value: null, interval: null };

describe("a class", () => {
  // c0: images and predictions; c1: images only; c2: predictions only; c3: neither.
  const { perClass, metrics } = measure(labels([0, 0, 1], [0, 2, 2], 4));

  test("has no precision without predictions", () => {
    expect(perClass.map(({ precision }) => precision.value)).toEqual([1, null, 0, null]);
    expect(perClass[1]!.precision).toEqual(UNDEFINED);
  });

  test("has no recall without images", () => {
    expect(perClass.map(({ recall }) => recall.value)).toEqual([0.5, 0, null, null]);
  });

  test("has no F1 with neither", () => {
    expect(perClass.map(({ f1 }) => f1.value)).toEqual([2 / 3, 0, 0, null]);
  });

  test("counts as 0 in macro averages where it has images or predictions, and not at all with neither", () => {
    expect(metrics["precision_macro"]!.value).toBe(1 / 3);
    expect(metrics["recall_macro"]!.value).toBe(0.5 / 3);
    expect(metrics["f1_macro"]!.value).toBe(2 / 9);
  });

  test("counts in the balanced accuracy where it has images", () => {
    expect(metrics["balanced_accuracy"]!.value).toBe(0.25);
  });
});

test("matthews_corrcoef is undefined for a constant prediction, where kappa is 0", () => {
  const { metrics } = measure(labels([0, 1, 2], [1, 1, 1]));
  expect(metrics["matthews_corrcoef"]).toEqual(UNDEFINED);
  expect(metrics["cohen_kappa"]!.value).toBe(0);
});

test("cohen_kappa is undefined with one class in truth and predictions", () => {
  expect(measure(labels([1, 1], [1, 1])).metrics["cohen_kappa"]).toEqual(UNDEFINED);
});
