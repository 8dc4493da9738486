import { describe, expect, test } from "vitest";

import { CONVINCING, isMoreAccurate, losesLess, signTest } from "../../src/metrics/comparison.ts";
import { resultOf, type TrialResult } from "../../src/metrics/trial.ts";

/** Labels alone, right where a row says so. */
function labelled(right: readonly boolean[]): TrialResult {
  const truth = new Uint8Array(right.length);
  return resultOf(
    { classes: 2, truth, predicted: Int16Array.from(right, (is) => (is ? 0 : 1)), probabilities: null },
    null,
  );
}

/** The first is right alone on some images, the second on others, and both on 20 more. */
function pair(firstOnly: number, secondOnly: number): [TrialResult, TrialResult] {
  const both = Array.from({ length: 20 }, () => true);
  const only = Array.from({ length: firstOnly + secondOnly }, (_, i) => i < firstOnly);
  return [labelled([...only, ...both]), labelled([...only.map((first) => !first), ...both])];
}

describe("signTest(firstOnly, secondOnly)", () => {
  // Twice the sum of the binomial coefficients of the tail, over 2ⁿ.
  test.each([
    [0, 0, 1],
    [1, 0, 1],
    [3, 3, 1],
    [10, 0, 2 ** -9],
    [8, 0, 2 ** -7],
    [1, 11, 26 / 4096],
    [2, 14, 274 / 65536],
  ])("of %d and %d is %d", (firstOnly, secondOnly, expected) => {
    expect(signTest(firstOnly, secondOnly)).toBeCloseTo(expected, 12);
    expect(signTest(secondOnly, firstOnly)).toBe(signTest(firstOnly, secondOnly));
  });

  test("agrees with three standard errors for many images", () => {
    expect(signTest(5_150, 4_850)).toBeCloseTo(0.0027, 3);
    expect(signTest(100_000, 0)).toBe(0);
  });
});

describe("isMoreAccurate(first, second, significance)", () => {
  test.each([
    [8, 0, false],
    [9, 0, false],
    [10, 0, true],
    [12, 1, false],
    [14, 1, true],
  ])("of one alone right on %d images and the other on %d is %s", (firstOnly, secondOnly, expected) => {
    const [first, second] = pair(firstOnly, secondOnly);
    expect(isMoreAccurate(first, second, CONVINCING)).toBe(expected);
    expect(isMoreAccurate(second, first, CONVINCING)).toBe(false);
  });
});

describe("losesLess(first, second, standardErrors)", () => {
  // The differences are 1, 2, 3 and 4: mean 2.5, standard error 0.6455.
  const [first, second] = [Float64Array.of(0, 0, 1, 1), Float64Array.of(1, 2, 4, 5)];

  test("holds from so many standard errors of the paired difference on", () => {
    expect([3.87, 3.88].map((errors) => losesLess(first, second, errors))).toEqual([true, false]);
    expect(losesLess(second, first, 0)).toBe(false);
    expect(losesLess(first, first, 0)).toBe(false);
  });

  test("does not hold of scorers of labels, nor of a single image", () => {
    expect(losesLess(null, second, 1)).toBe(false);
    expect(losesLess(first, null, 1)).toBe(false);
    expect(losesLess(Float64Array.of(0), Float64Array.of(9), 1)).toBe(false);
  });
});
