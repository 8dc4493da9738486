import { describe, expect, it } from "vitest";
import { worst_errors } from "../../src/charts/worst_errors.ts";
import type { Evaluation, Example } from "../../src/types.ts";
import { evaluation } from "./builders.ts";
import { headingOf, rowsOf } from "./spec-parts.ts";

const [image] = evaluation().examples.sample as [Example];
const first: Example = { ...image, index: 6166, truth: "9", predicted: "3", confidence: 0.99636 };
const second: Example = { ...image, index: 2044, truth: "2", predicted: "7", confidence: 0.99996 };

function withMistakes(...mistakes: Example[]): Evaluation {
  return { ...evaluation(), examples: { sample: [], mistakes } };
}

describe("worst_errors.title(evaluation)", () => {
  it("is the most confident mistake", () => {
    expect(worst_errors.title(withMistakes(first, second))).toBe(
      "The most confident of 800 mistakes takes 9 for 3, at 99.6 % confidence",
    );
  });

  it("claims no confidence where there is none", () => {
    const unsure = { ...first, confidence: null };
    expect(worst_errors.title(withMistakes(unsure))).toBe("1 image that the model gets wrong");
    expect(headingOf(worst_errors, withMistakes(unsure)).subtitle).toBe(
      "Above each image: truth → prediction.",
    );
  });

  it("says that there are no mistakes, and nothing is drawn", () => {
    expect(worst_errors.title(withMistakes())).toBe("There are no wrong predictions");
    expect(worst_errors.description(withMistakes())).toBe("No prediction is wrong.");
    expect(worst_errors.spec(withMistakes())).toBeNull();
  });
});

describe("worst_errors.spec(evaluation)", () => {
  it("writes truth and prediction above, the confidence below, which is never 100 % unless it is", () => {
    const [, confidences, pairs] = rowsOf(worst_errors, withMistakes(first, second));
    expect(pairs!.map(({ text }) => text)).toEqual(["9 → 3", "2 → 7"]);
    expect(confidences!.map(({ text }) => text)).toEqual(["99.6 %", "99.996 %"]);
  });

  it("writes long names on two lines", () => {
    const long = { ...first, truth: "Ankle boot", predicted: "T-shirt/top" };
    const [, , pairs] = rowsOf(worst_errors, withMistakes(long));
    expect(pairs!.map(({ text }) => text)).toEqual(["Ankle boot", "→ T-shirt/top"]);
  });

  it("says how many there are", () => {
    expect(headingOf(worst_errors, withMistakes(first, second)).subtitle).toBe(
      "The 2 wrong predictions of highest confidence. Above each image: truth → prediction; below: confidence.",
    );
  });
});
