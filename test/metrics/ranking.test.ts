import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { areas } from "../../src/metrics/ranking.ts";
import { BINS, binOf, ScoreStore } from "../../src/metrics/scores.ts";
import { stepsOfScores } from "../../src/metrics/steps.ts";
import { curveWarnings } from "../../src/metrics/tally.ts";
import { anyTable, gap, measure, simulated, type Table } from "./builders.ts";

function areasOf(positives: readonly number[], negatives: readonly number[]) {
  return areas(stepsOfScores(Float64Array.from(positives).sort(), Float64Array.from(negatives)));
}

describe("areas(steps)", () => {
  test.each([
    { positives: [0.8, 0.35], negatives: [0.4, 0.1], rocAuc: 0.75, averagePrecision: (1 + 2 / 3) / 2 },
    { positives: [0.9, 0.8], negatives: [0.2, 0.1], rocAuc: 1, averagePrecision: 1 },
    { positives: [0.1], negatives: [0.2, 0.3], rocAuc: 0, averagePrecision: 1 / 3 },
    { positives: [0.5, 0.5], negatives: [0.5, 0.5, 0.5], rocAuc: 0.5, averagePrecision: 0.4 },
  ])("of $positives above $negatives", ({ positives, negatives, ...expected }) => {
    expect(areasOf(positives, negatives)).toEqual({ ...expected, maxError: 0 });
  });

  test("are undefined without positives or without negatives", () => {
    expect(areasOf([], [0.1])).toBeNull();
    expect(areasOf([0.1], [])).toBeNull();
  });

  test("rocAuc is the share of pairs in the right order, ties for a half", () => {
    const scores = fc.array(
      fc.oneof(fc.constantFrom(0, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true })),
      {
        minLength: 1,
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(scores, scores, (positives, negatives) => {
        let pairs = 0;
        for (const p of positives) for (const n of negatives) pairs += p > n ? 1 : p === n ? 0.5 : 0;
        expect(areasOf(positives, negatives)!.rocAuc).toBe(pairs / (positives.length * negatives.length));
      }),
    );
  });
});

describe("binOf(score)", () => {
  test("is never lower for a higher score, and within the bins", () => {
    const score = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(score, score, (a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        expect(binOf(low)).toBeGreaterThanOrEqual(0);
        expect(binOf(low)).toBeLessThanOrEqual(binOf(high));
        expect(binOf(high)).toBeLessThan(BINS);
      }),
      { numRuns: 2000 },
    );
  });

  test("keeps exactly 0 and exactly 1 apart from all else", () => {
    expect(binOf(0)).toBe(0);
    expect(binOf(Number.MIN_VALUE)).toBe(1);
    expect(binOf(1)).toBe(BINS - 1);
    expect(binOf(1 - Number.EPSILON / 2)).toBeLessThan(BINS - 1);
  });

  test("keeps the scores on both sides of a seam apart", () => {
    const next = 1 + Number.EPSILON;
    for (const seam of [2 ** -10, 0.25, 0.5]) expect(binOf(seam / next)).toBe(binOf(seam) - 1);
    expect(binOf((1 - 2 ** -10) * next)).toBe(binOf(1 - 2 ** -10) + 1);
  });
});

describe("scores counted into bins", () => {
  const table = simulated(10_000);
  const exact = measure(table);
  const binned = measure(table, { exactScores: 10_000 * 10 - 1 });

  test("replace the scores themselves beyond the limit", () => {
    expect(measure(table, { exactScores: 10_000 * 10 }).curves!.exact).toBe(true);
    expect(exact.curves).toMatchObject({ exact: true, maxAreaError: null });
    expect(binned.curves!.exact).toBe(false);
  });

  test("leave each area within its own bound, and the means within 1e-6", () => {
    const bound = binned.curves!.maxAreaError!;
    expect(bound).toBeLessThan(5e-5);
    for (const [c, { roc_auc, average_precision }] of exact.perClass.entries()) {
      expect(gap(binned.perClass[c]!.roc_auc.value, roc_auc.value)).toBeLessThanOrEqual(
        Math.min(2e-6, bound),
      );
      expect(gap(binned.perClass[c]!.average_precision.value, average_precision.value)).toBeLessThanOrEqual(
        Math.min(1e-5, bound),
      );
    }
    for (const name of ["roc_auc_macro", "roc_auc_weighted", "average_precision_macro"]) {
      expect(gap(binned.metrics[name]!.value, exact.metrics[name]!.value)).toBeLessThanOrEqual(1e-6);
    }
  });

  test("change nothing but the areas and the curves", () => {
    const areaNames = ["roc_auc_macro", "roc_auc_weighted", "average_precision_macro"];
    const rest = Object.entries(exact.metrics).filter(([name]) => !areaNames.includes(name));
    for (const [name, estimate] of rest) expect(binned.metrics[name]).toEqual(estimate);
    expect(binned.calibration).toEqual(exact.calibration);
  });

  test("are within their own bound for any scores", () => {
    fc.assert(
      fc.property(anyTable, (any) => {
        const [every, counted] = [measure(any), measure(any, { exactScores: 0 })];
        const bound = (counted.curves?.maxAreaError ?? 0) + 1e-15;
        for (const [c, { roc_auc, average_precision }] of every.perClass.entries()) {
          expect(gap(counted.perClass[c]!.roc_auc.value, roc_auc.value)).toBeLessThanOrEqual(bound);
          expect(
            gap(counted.perClass[c]!.average_precision.value, average_precision.value),
          ).toBeLessThanOrEqual(bound);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("are exact for saturated scores", () => {
    const saturated: Table = {
      classes: ["a", "b"],
      truth: [0, 0, 1, 1, 0],
      predicted: [0, 1, 1, 1, 0],
      probabilities: [
        [1, 0],
        [0, 1],
        [0, 1],
        [0, 1],
        [1, 0],
      ],
    };
    const { curves, ...counted } = measure(saturated, { exactScores: 0 });
    const { curves: _, ...every } = measure(saturated);
    expect(counted).toEqual(every);
    expect(curves!.maxAreaError).toBe(0);
  });

  test("are said in a warning", () => {
    expect(curveWarnings(exact)).toEqual([]);
    expect(curveWarnings({ curves: { exact: false, maxAreaError: 0.0000123, classes: [] } })).toEqual([
      "There are too many scores to keep them all: ROC and precision-recall curves come from counts in bins, " +
        "and the areas under them are exact to 1.2e-5.",
    ]);
  });
});

test("ScoreStore switches at the limit whatever the batches", () => {
  const store = new ScoreStore(2, 6);
  const truth = Uint8Array.of(0);
  for (let image = 0; image < 3; image++) store.add(truth, Float64Array.of(0.25, 0.75));
  expect(store.exact).toBe(true);
  store.add(truth, Float64Array.of(0.25, 0.75));
  expect(store.exact).toBe(false);
});

describe("top_k_accuracy", () => {
  test("ranks the later class first among equal scores", () => {
    const top2 = [0, 1, 2, 3].map((truth) => measure(tiedImage(truth)).metrics["top_2_accuracy"]!.value);
    expect(top2).toEqual([0, 1, 1, 0]);
  });

  test("is undefined where k is the number of classes", () => {
    const { metrics } = measure({
      classes: ["a", "b", "c"],
      truth: [0],
      predicted: [0],
      probabilities: [[1, 0, 0]],
    });
    expect(metrics["top_2_accuracy"]!.value).toBe(1);
    expect(metrics["top_3_accuracy"]).toEqual({ value: null, interval: null });
  });
});

test("roc_auc_macro is undefined where a class has no images", () => {
  const { metrics, perClass } = measure({
    ...simulated(50, 3),
    truth: Array.from({ length: 50 }, (_, i) => i % 2),
  });
  expect(perClass.map(({ roc_auc }) => roc_auc.value === null)).toEqual([false, false, true]);
  expect(metrics["roc_auc_macro"]).toEqual({ value: null, interval: null });
  expect(metrics["roc_auc_weighted"]).toEqual({ value: null, interval: null });
  expect(metrics["average_precision_macro"]).toEqual({ value: null, interval: null });
});

/** One image whose first three classes share the highest score. */
function tiedImage(truth: number): Table {
  return {
    classes: ["a", "b", "c", "d"],
    truth: [truth],
    predicted: [0],
    probabilities: [[0.3, 0.3, 0.3, 0.1]],
  };
}
