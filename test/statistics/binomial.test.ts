import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  binomialAtLeast,
  binomialAtMost,
  binomialPmf,
  binomialTest,
  clopperPearson,
  fisherCombined,
} from "../../src/statistics/binomial.ts";

/** A double as the fraction that it is: numerator over 2^shift. */
function exactly(value: number): { readonly numerator: bigint; readonly shift: number } {
  let shift = 0;
  while (!Number.isInteger(value)) {
    value *= 2;
    shift += 1;
  }
  return { numerator: BigInt(value), shift };
}

/** P(low ≤ X ≤ high) of n trials by summing every term in whole numbers: exact, rounded once. */
function exactSum(low: number, high: number, n: number, p: number): number {
  const { numerator, shift } = exactly(p);
  const other = (1n << BigInt(shift)) - numerator;
  let [sum, choose] = [0n, 1n];
  for (let k = 0; k <= high; k++) {
    if (k >= low) sum += choose * numerator ** BigInt(k) * other ** BigInt(n - k);
    choose = (choose * BigInt(n - k)) / BigInt(k + 1);
  }
  return ratio(sum, BigInt(shift * n));
}

/** value / 2^shift, with 80 bits before it is rounded. */
function ratio(value: bigint, shift: bigint): number {
  const length = BigInt(value.toString(2).length);
  const drop = length > 80n ? length - 80n : 0n;
  return Number(value >> drop) * 2 ** Number(drop - shift);
}

const trials = fc
  .record({ n: fc.integer({ min: 1, max: 300 }), p: fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }) })
  .chain(({ n, p }) =>
    fc.record({ n: fc.constant(n), p: fc.constant(p), k: fc.integer({ min: 0, max: n }) }),
  );

/** Below 1e-290 the exact value itself is lost on its way to a double: that is 0 to everything here. */
const isNear = (value: number, expected: number) => Math.abs(value - expected) <= 1e-12 * expected + 1e-290;

describe("binomial probabilities are those of exact sums", () => {
  test("of one count", () => {
    fc.assert(
      fc.property(trials, ({ k, n, p }) => {
        expect(isNear(binomialPmf(k, n, p), exactSum(k, k, n, p))).toBe(true);
      }),
    );
  });

  test("of so many or more, and of so many or fewer", () => {
    fc.assert(
      fc.property(trials, ({ k, n, p }) => {
        const [more, fewer] = [exactSum(k, n, n, p), exactSum(0, k, n, p)];
        expect(Math.abs(binomialAtLeast(k, n, p) - more)).toBeLessThanOrEqual(1e-13);
        expect(Math.abs(binomialAtMost(k, n, p) - fewer)).toBeLessThanOrEqual(1e-13);
        // The smaller tail, on which tests and intervals stand, to its own size.
        expect(k <= n * p + 1 || isNear(binomialAtLeast(k, n, p), more)).toBe(true);
        expect(k >= n * p - 1 || isNear(binomialAtMost(k, n, p), fewer)).toBe(true);
        expect(binomialTest(k, n, p)).toBeCloseTo(Math.min(1, 2 * Math.min(more, fewer)), 12);
      }),
    );
  });

  test.each([
    [0, 10, 0, 1],
    [3, 10, 0, 0],
    [10, 10, 1, 1],
    [3, 10, 1, 0],
  ])("of %i in %i trials of probability %i", (k, n, p, expected) => {
    expect(binomialPmf(k, n, p)).toBe(expected);
  });
});

describe("clopperPearson(successes, n)", () => {
  // scipy 1.17.1: beta.ppf(0.05 / m / 2, k, n - k + 1) and beta.ppf(1 - 0.05 / m / 2, k + 1, n - k).
  test.each([
    [0, 20, 10, 0, 0.2588655508930531],
    [1, 20, 10, 0.00012514867915655034, 0.3440325520359483],
    [20, 20, 90, 0.6640256795567926, 1],
    [1, 1, 90, 0.0002777777777777778, 1],
    [41, 892, 90, 0.02541309266705129, 0.07515612044499008],
    [769, 892, 10, 0.8268675557027552, 0.892718998268448],
    [3, 1_000_000, 90, 1.2223066533392194e-7, 1.4663533821808785e-5],
    [500_000, 1_000_000, 1, 0.49901951919531184, 0.5009804808046882],
    [999_990, 1_000_000, 10, 0.9999773980694652, 0.9999966385788405],
  ])("is scipy's for %i of %i among %i", (successes, n, simultaneous, low, high) => {
    const interval = clopperPearson(successes, n, { simultaneous })!;
    expect(Math.abs(interval.low - low)).toBeLessThanOrEqual(1e-11 * low);
    expect(Math.abs(interval.high - high)).toBeLessThanOrEqual(1e-14);
  });

  test("says its level, its method, and how many it holds together with", () => {
    expect(clopperPearson(0, 4)).toMatchObject({ low: 0, level: 0.95, method: "clopper-pearson" });
    expect(clopperPearson(0, 4)).not.toHaveProperty("simultaneous");
    expect(clopperPearson(1, 4, { simultaneous: 90 })).toMatchObject({ level: 0.95, simultaneous: 90 });
    expect(clopperPearson(0, 0)).toBeNull();
  });

  test("ends where each tail, summed exactly, has its half of what may be missed", () => {
    const counts = fc
      .record({ n: fc.integer({ min: 1, max: 120 }), simultaneous: fc.constantFrom(1, 10, 90, 3782) })
      .chain(({ n, simultaneous }) =>
        fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n), fc.constant(simultaneous)),
      );
    fc.assert(
      fc.property(counts, ([k, n, simultaneous]) => {
        const { low, high } = clopperPearson(k, n, { simultaneous })!;
        const tail = 0.025 / simultaneous;
        expect(k === 0 ? 1 : exactSum(k, n, n, low) / tail).toBeCloseTo(1, 6);
        expect(k === n ? 1 : exactSum(0, k, n, high) / tail).toBeCloseTo(1, 6);
        expect([low === 0, high === 1]).toEqual([k === 0, k === n]);
      }),
    );
  });
});

describe("fisherCombined(pValues)", () => {
  test("of one p-value is that p-value, and of none is 1", () => {
    expect(fisherCombined([0.03])).toBeCloseTo(0.03, 15);
    expect(fisherCombined([])).toBe(1);
  });

  // scipy 1.17.1: combine_pvalues([…]).pvalue
  test.each([
    [[0.1, 0.2, 0.3], 0.1152162142347885],
    [[1e-10, 1, 1, 0.5], 1.2650148681394876e-7],
    [[1, 1, 1], 1],
    [[0, 0.5], 0],
  ])("of %j is scipy's", (pValues, expected) => {
    expect(fisherCombined(pValues)).toBeCloseTo(expected, 14);
  });
});
