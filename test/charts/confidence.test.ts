import { describe, expect, test } from "vitest";
import { confidence } from "../../src/charts/confidence.ts";
import type { Evaluation } from "../../src/types.ts";
import { evaluation } from "./builders.ts";
import { rowsWith, subtitleOf } from "./spec_rows.ts";

/** Bins as [low, correct, wrong] of 50 that are 0.02 wide, the others empty. */
function withBins(bins: readonly (readonly [number, number, number])[]): Evaluation {
  const all = Array.from({ length: 50 }, (_, i) => {
    const [, correct, wrong] = bins.find(([low]) => Math.round(low * 50) === i) ?? [0, 0, 0];
    return { low: i / 50, high: (i + 1) / 50, correct, wrong };
  });
  return { ...evaluation(), confidence: { bins: all } };
}

const USUAL = withBins([
  [0.5, 20, 10],
  [0.88, 30, 20],
  [0.9, 100, 1],
  [0.98, 39, 1],
]);

describe("confidence.title", () => {
  test.each([
    ["usual", USUAL, "Above 0.9 confidence it is right 98.6 % of the time"],
    [
      "no mistake when sure",
      withBins([
        [0.5, 10, 10],
        [0.94, 10, 0],
      ]),
      "None of the 10 predictions above 0.9 confidence is wrong",
    ],
    [
      "always wrong when sure",
      withBins([
        [0.5, 10, 10],
        [0.94, 0, 3],
      ]),
      "None of the 3 predictions above 0.9 confidence is right",
    ],
    [
      "never sure",
      withBins([[0.88, 10, 10]]),
      "Right or wrong, nearly every prediction has a confidence of 0.88 to 0.9",
    ],
    [
      "never above the threshold",
      withBins([
        [0.5, 10, 10],
        [0.88, 10, 10],
      ]),
      "No prediction has a confidence above 0.9",
    ],
    [
      "saturated",
      withBins([[0.98, 9204, 796]]),
      "Right or wrong, nearly every prediction has a confidence of 0.98 to 1",
    ],
    [
      "saturated and perfect",
      withBins([[0.98, 10, 0]]),
      "None of the 10 predictions above 0.9 confidence is wrong",
    ],
  ])("where the model is %s", (_, e, title) => {
    expect(confidence.title(e)).toBe(title);
  });

  test("takes the edge between bins that is nearest to 0.9", () => {
    const bins = [0, 0.25, 0.5, 0.75].map((low) => ({ low, high: low + 0.25, correct: 3, wrong: 1 }));
    expect(confidence.title({ ...evaluation(), confidence: { bins } })).toBe(
      "Above 0.75 confidence it is right 75.0 % of the time",
    );
  });
});

describe("confidence.spec", () => {
  test("has the evaluation's counts, each side as a share of its own tallest bar", () => {
    expect(rowsWith(confidence, USUAL, "predictions")).toEqual([
      { low: 0.5, high: 0.52, predictions: "correct", count: 20, height: 0.2, color: "#0072b2" },
      { low: 0.5, high: 0.52, predictions: "wrong", count: 10, height: -0.5, color: "#d55e00" },
      { low: 0.88, high: 0.9, predictions: "correct", count: 30, height: 0.3, color: "#0072b2" },
      { low: 0.88, high: 0.9, predictions: "wrong", count: 20, height: -1, color: "#d55e00" },
      { low: 0.9, high: 0.92, predictions: "correct", count: 100, height: 1, color: "#0072b2" },
      { low: 0.9, high: 0.92, predictions: "wrong", count: 1, height: -0.05, color: "#d55e00" },
      { low: 0.98, high: 1, predictions: "correct", count: 39, height: 0.39, color: "#0072b2" },
      { low: 0.98, high: 1, predictions: "wrong", count: 1, height: -0.05, color: "#d55e00" },
    ]);
  });

  test("labels both sides and what is above the threshold", () => {
    expect(rowsWith(confidence, USUAL, "text").map((row) => row["text"])).toEqual([
      "139 correct above 0.9",
      "2 wrong above 0.9",
    ]);
    expect(rowsWith(confidence, USUAL, "text", "color").map((row) => row["text"])).toEqual([
      "189 correct predictions",
      "32 wrong predictions",
    ]);
  });

  test("has round counts on its axis", () => {
    const spec = confidence.spec(USUAL) as unknown as {
      readonly layer: readonly {
        readonly encoding: { readonly y: { readonly axis: { readonly values: number[] } } };
      }[];
    };
    expect(spec.layer[0]?.encoding.y.axis.values).toEqual([0, 0.5, 1, -0, -0.25, -0.5, -0.75, -1]);
  });

  test.each([
    [
      USUAL,
      "That is 63.8 % of the images; the other 36.2 % hold 93.8 % of the mistakes. Predictions by the probability of the predicted class. Each side has its own scale.",
    ],
    [
      withBins([
        [0.5, 10, 0],
        [0.98, 10, 0],
      ]),
      "That is 50.0 % of the images. Predictions by the probability of the predicted class.",
    ],
    [withBins([[0.98, 10, 0]]), "Predictions by the probability of the predicted class."],
  ])("says how many predictions its title is about (%#)", (e, subtitle) => {
    expect(subtitleOf(confidence, e)).toBe(subtitle);
  });

  test.each([
    ["without probabilities", evaluation({ probabilities: false })],
    ["where every bin is empty", withBins([])],
  ])("is null %s", (_, e) => {
    expect(confidence.spec(e)).toBeNull();
    expect(confidence.title(e)).toBe("There are no probabilities to tell right from wrong predictions");
  });
});

test("confidence.description tells counts above thresholds", () => {
  expect(confidence.description(USUAL)).toBe(
    "Two histograms of the confidence, of correct and of wrong predictions. Predictions above 0.5: 189 correct, 32 wrong; " +
      "above 0.6: 169 correct, 22 wrong; above 0.7: 169 correct, 22 wrong; above 0.8: 169 correct, 22 wrong; " +
      "above 0.9: 139 correct, 2 wrong.",
  );
});
