import { describe, expect, it } from "vitest";
import { sample_predictions } from "../../src/charts/sample_predictions.ts";
import { colors } from "../../src/charts/theme.ts";
import { thumbnail } from "../../src/charts/thumbnail.ts";
import type { Evaluation, Example } from "../../src/types.ts";
import { evaluation } from "./builders.ts";
import { headingOf, rowsOf } from "./spec-parts.ts";

const [image] = evaluation().examples.sample as [Example];
const right: Example = { ...image, index: 4, truth: "3", predicted: "3" };
const wrong: Example = { ...image, index: 7, truth: "5", predicted: "3" };

function withSample(...sample: Example[]): Evaluation {
  return { ...evaluation(), examples: { sample, mistakes: [] } };
}

describe("sample_predictions.title(evaluation)", () => {
  it.each([
    [[right, right, wrong], "2 of 3 random images are classified correctly"],
    [[right, wrong], "1 of 2 random images is classified correctly"],
    [[right, right], "All 2 random images are classified correctly"],
    [[wrong, wrong], "None of 2 random images is classified correctly"],
    [[right], "The only image is classified correctly"],
    [[wrong], "The only image is classified wrongly"],
    [[], "No image was scored"],
  ])("of a sample, %#", (sample, title) => {
    expect(sample_predictions.title(withSample(...sample))).toBe(title);
  });
});

describe("sample_predictions.description(evaluation)", () => {
  it("names the wrong ones", () => {
    expect(sample_predictions.description(withSample(right, wrong))).toBe(
      "2 random images of mnist with the predicted class. Wrong: image 7, a 5, as 3.",
    );
  });
});

describe("sample_predictions.spec(evaluation)", () => {
  it("writes the prediction above, red and with the truth below where it is wrong", () => {
    const [, truths, predictions] = rowsOf(sample_predictions, withSample(right, wrong));
    expect(predictions!.map(({ text, color }) => [text, color])).toEqual([
      ["3", colors.ink],
      ["3", colors.wrongText],
    ]);
    expect(truths!.map(({ text, color }) => [text, color])).toEqual([["is 5", colors.muted]]);
    expect(truths![0]!["x"]).toBe(predictions![1]!["x"]);
    expect(Number(truths![0]!["y"])).toBeGreaterThan(Number(predictions![1]!["y"]));
  });

  it("draws right images as ink on paper, wrong ones as negatives", () => {
    const [images] = rowsOf(sample_predictions, withSample(right, wrong));
    expect(images!.map(({ url }) => url)).toEqual([
      thumbnail(image, [28, 28], false),
      thumbnail(image, [28, 28], true),
    ]);
  });

  it("explains negatives only where there are some", () => {
    expect(headingOf(sample_predictions, withSample(right)).subtitle).toBe(
      "Above each image is its prediction. Drawn with seed 42.",
    );
    expect(headingOf(sample_predictions, withSample(wrong)).subtitle).toBe(
      "Above each image is its prediction; a wrong one is red, on a negative, with the truth below. Drawn with seed 42.",
    );
  });

  it("is null without images", () => {
    expect(sample_predictions.spec(withSample())).toBeNull();
  });
});
