import { describe, expect, test } from "vitest";

import { signTest, whyBetter } from "../../src/metrics/comparison.ts";
import { resultOf, type TrialResult } from "../../src/metrics/trial.ts";

/** Labels alone, right where a row says so. */
function labelled(right: readonly boolean[]): TrialResult {
  const truth = new Uint8Array(right.length);
  return resultOf(
    { truth, predicted: Int16Array.from(right, (is) => (is ? 0 : 1)), probabilities: null },
    2,
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

describe("whyBetter(first, second) of labels", () => {
  test.each([
    [8, 0, null],
    [9, 0, null],
    [10, 0, "accuracy"],
    [12, 1, null],
    [14, 1, "accuracy"],
  ])("right alone on %d and %d images is %s", (firstOnly, secondOnly, reason) => {
    const [first, second] = pair(firstOnly, secondOnly);
    expect(whyBetter(first, second)).toBe(reason);
    expect(whyBetter(second, first)).toBeNull();
  });
});
