import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clopperPearson } from "../../src/statistics/binomial.ts";
import { normalQuantile, wilson } from "../../src/statistics/wilson.ts";
import { measure, labels, normalQuantile as quantiles, wilson as references } from "./builders.ts";

describe("wilson(successes, n, level)", () => {
  test.each(references)("is scipy's for $successes of $n at $level", ({ successes, n, level, low, high }) => {
    const interval = wilson(successes, n, level)!;
    expect(Math.abs(interval.low - low)).toBeLessThanOrEqual(1e-14);
    expect(Math.abs(interval.high - high)).toBeLessThanOrEqual(1e-14);
    expect(interval).toMatchObject({ level, method: "wilson" });
  });

  test("covers 0 and n successes, and is no point there", () => {
    expect(wilson(0, 10)!.low).toBe(0);
    expect(wilson(0, 10)!.high).toBeCloseTo(0.2775328, 7);
    expect(wilson(10, 10)!.low).toBeCloseTo(0.7224672, 7);
    expect(wilson(10, 10)!.high).toBe(1);
  });

  test("is at 95 % by default", () => {
    const { low, high, level } = wilson(9204, 10_000)!;
    expect([low.toFixed(4), high.toFixed(4), level]).toEqual(["0.9149", "0.9255", 0.95]);
  });

  test("is null without images", () => {
    expect(wilson(0, 0)).toBeNull();
  });

  test("holds the proportion, within 0 … 1", () => {
    const counts = fc.tuple(fc.nat(100_000), fc.nat(100_000)).filter(([a, b]) => a + b > 0);
    fc.assert(
      fc.property(counts, ([successes, failures]) => {
        const { low, high } = wilson(successes, successes + failures)!;
        const share = successes / (successes + failures);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(share);
        expect(high).toBeGreaterThanOrEqual(share);
        expect(high).toBeLessThanOrEqual(1);
      }),
    );
  });
});

test.each(quantiles)("normalQuantile(%f) is scipy's", (probability, expected) => {
  expect(Math.abs(normalQuantile(probability) - expected)).toBeLessThanOrEqual(2e-15 * Math.abs(expected));
});

test("measurements() gives an interval to every proportion and to nothing else", () => {
  const { metrics, perClass, topConfusions } = measure({
    ...labels([0, 1, 2, 0], [0, 1, 1, 2]),
    probabilities: [
      [0.6, 0.3, 0.1],
      [0.2, 0.7, 0.1],
      [0.1, 0.5, 0.4],
      [0.3, 0.1, 0.6],
    ],
  });
  const withInterval = Object.entries(metrics).filter(([, { interval }]) => interval !== null);
  expect(withInterval.map(([name]) => name)).toEqual(["accuracy", "recall_weighted", "top_2_accuracy"]);
  expect(metrics["accuracy"]!.interval).toEqual(wilson(2, 4));
  expect(perClass[1]!.precision.interval).toEqual(wilson(1, 2));
  expect(perClass[0]!.recall.interval).toEqual(wilson(1, 2));
  expect(perClass[0]!.f1.interval).toBeNull();
  expect(topConfusions[0]!.interval).toEqual(clopperPearson(1, 1, { simultaneous: 6 }));
});
