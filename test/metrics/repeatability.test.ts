import { describe, expect, test } from "vitest";

import { repeatability, repeatabilityWarning } from "../../src/metrics/repeatability.ts";
import type { ScoredBatch } from "../../src/types.ts";

const CLASSES = ["cat", "dog"];

/** Answers to images of one pixel: the probability of a dog, or the class alone. */
function answers(dogs: readonly number[], scored = true): ScoredBatch {
  return {
    indices: Uint32Array.from(dogs.keys()),
    pixels: new Uint8Array(dogs.length),
    truth: new Uint8Array(dogs.length),
    predicted: Uint8Array.from(dogs, (p) => (p > 0.5 ? 1 : 0)),
    probabilities: scored ? Float64Array.from(dogs.flatMap((p) => [1 - p, p])) : null,
  };
}
const compared = (first: ScoredBatch, again: ScoredBatch) => repeatability(first, again, CLASSES, [1, 1]);
const spread = (count: number, of: (i: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => of(i));

describe("repeatability(first, again, classes, shape)", () => {
  const usual = spread(100, (i) => (i + 0.5) / 100);

  test("the same answers repeat", () => {
    expect(compared(answers(usual), answers(usual))).toEqual({
      images: 100,
      differing: 0,
      maxDifference: 0,
      repeatable: true,
      statement:
        "The service gave 100 images the same classes when it was asked again, with the same probabilities",
    });
    expect(repeatabilityWarning(compared(answers(usual), answers(usual)))).toBe(null);
  });

  test.each([1e-7, 1e-6, 1e-3])("answers that rounding moves by %d repeat", (by) => {
    const moved = usual.map((p, i) => p + (i % 2 === 0 ? by : -by));
    expect(compared(answers(usual), answers(moved))).toMatchObject({ differing: 0, repeatable: true });
  });

  test("another probability of one image in a hundred does not repeat, though its class does", () => {
    const moved = usual.map((p, i) => (i === 90 ? p - 0.3 : p));
    const changed = compared(answers(usual), answers(moved));
    expect(changed).toEqual({
      images: 100,
      differing: 0,
      maxDifference: expect.closeTo(0.3) as number,
      repeatable: false,
      statement:
        "The service gave 100 images the same classes when it was asked again; a probability differed by up to 0.3",
    });
    expect(repeatabilityWarning(changed)).toBe(
      "The service gave 100 images the same classes when it was asked again; a probability differed by up to 0.3: its answers do not repeat, so that another run would give other numbers. Is part of it random, or are there several models behind the URL?",
    );
  });

  test.each([
    [0, true],
    [1, true],
    [2, false],
    [50, false],
  ])(
    "of labels alone, %d of 100 that changed: repeatable is %j, for one may be a near tie",
    (changes, repeatable) => {
      const changed = usual.map((p, i) => (i < changes ? 1 - p : p));
      expect(compared(answers(usual, false), answers(changed, false))).toMatchObject({
        differing: changes,
        maxDifference: null,
        repeatable,
      });
    },
  );

  test("says how many images were answered differently", () => {
    const changed = usual.map((p, i) => (i < 14 ? 1 - p : p));
    expect(compared(answers(usual, false), answers(changed, false)).statement).toBe(
      "The service answered 14 of 100 images differently when it was asked again",
    );
  });
});
