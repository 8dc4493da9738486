import { describe, expect, test } from "vitest";
import { reliability } from "../../src/charts/reliability.ts";
import { calibrationTest } from "../../src/metrics/calibration.ts";
import type { CalibrationBin, Evaluation } from "../../src/types.ts";
import { evaluation } from "./builders.ts";
import { rowsWith, subtitleOf } from "./spec_rows.ts";

/** Bins as [count, confidence, accuracy], each with an interval of ± `margin`, among the empty others. */
function withBins(bins: readonly (readonly [number, number, number])[], margin = 0.01): Evaluation {
  const all = Array.from({ length: 15 }, (_, i): CalibrationBin => {
    const [low, high] = [i / 15, (i + 1) / 15];
    const found = bins.find(([, confidence]) => confidence > low && confidence <= high);
    if (!found) return { low, high, count: 0, accuracy: null, confidence: null, interval: null };
    const [count, confidence, accuracy] = found;
    const interval = { low: accuracy - margin, high: accuracy + margin, level: 0.95, method: "wilson" };
    return { low, high, count, accuracy, confidence, interval };
  });
  return { ...evaluation(), calibration: { bins: all, test: calibrationTest(all) } };
}

const UNDER = withBins([
  [100, 0.5, 0.6],
  [300, 0.9, 0.96],
]);

describe("reliability.title", () => {
  test.each([
    ["under-confident", UNDER, "The model is under-confident: it is right more often than it claims"],
    [
      "over-confident",
      withBins([
        [100, 0.5, 0.4],
        [300, 0.9, 0.8],
      ]),
      "The model is over-confident: it is right less often than it claims",
    ],
    [
      "saturated",
      withBins([[10_000, 1, 0.92]]),
      "The model is over-confident: it is right less often than it claims",
    ],
    [
      "both",
      withBins([
        [100, 0.5, 0.6],
        [100, 0.9, 0.8],
      ]),
      "The model's confidence is off both ways: over-confident in places, under-confident in others",
    ],
    [
      "well calibrated",
      withBins([
        [2_000, 0.5, 0.505],
        [6_000, 0.9, 0.895],
      ]),
      "The model is well calibrated: it is right as often as it claims",
    ],
    ["perfect", withBins([[500, 1, 1]]), "The model is well calibrated: it is right as often as it claims"],
    [
      "too few images to tell",
      withBins([[20, 0.9, 0.8]], 0.2),
      "The model's confidence fits its accuracy, as far as these images can tell",
    ],
  ])("of a model that is %s", (_, e, title) => {
    expect(reliability.title(e)).toBe(title);
  });

  test.each([
    [
      "a small error that is none of chance",
      withBins([[100_000, 0.9, 0.893]]),
      "Confidence and accuracy differ by 0.7 % on average: little, but not by chance",
    ],
    [
      "a handful of images that are all right",
      withBins([[5, 0.995, 1]]),
      "The model's confidence fits its accuracy, as far as these images can tell",
    ],
    [
      "one surely over-confident bin among many that may be under-confident by chance",
      withBins(
        [
          [100, 0.5, 0.53],
          [100, 0.7, 0.73],
          [100, 0.98, 0.9],
        ],
        0.05,
      ),
      "The model is over-confident: it is right less often than it claims",
    ],
    [
      "bins of which none by itself is surely off",
      withBins(
        [
          [400, 0.5, 0.54],
          [400, 0.6, 0.64],
          [400, 0.7, 0.74],
          [400, 0.8, 0.83],
        ],
        0.05,
      ),
      "The model is under-confident: it is right more often than it claims",
    ],
  ])("of %s", (_, e, title) => {
    expect(reliability.title(e)).toBe(title);
  });
});

describe("reliability.spec", () => {
  test("has the filled bins as they are in the evaluation, with the side of the diagonal as colour", () => {
    const e = withBins([
      [100, 0.5, 0.6],
      [300, 0.9, 0.8],
    ]);
    expect(rowsWith(reliability, e, "accuracy")).toEqual([
      { confidence: 0.5, accuracy: 0.6, low: 0.59, high: 0.61, color: "#0072b2" },
      { confidence: 0.9, accuracy: 0.8, low: 0.79, high: 0.81, color: "#d55e00" },
    ]);
    expect(rowsWith(reliability, e, "count").map((row) => row["count"])).toEqual([100, 300]);
  });

  test("draws counts in proportion", () => {
    const heights = rowsWith(reliability, UNDER, "count").map((r) => Number(r["top"]) - Number(r["bottom"]));
    expect(heights[1]! / heights[0]!).toBeCloseTo(3, 10);
  });

  test.each([
    [
      [100, 8_300],
      ["100", "8,300"],
    ],
    [
      [100, 83_400, 1_938_576],
      ["100", "83 k", "1.9 M"],
    ],
  ])("writes counts of %j as %j", (counts, labels) => {
    const e = withBins(counts.map((count, i) => [count, 0.5 + 0.1 * i, 0.5] as const));
    expect(rowsWith(reliability, e, "count").map((row) => row["label"])).toEqual(labels);
  });

  test("names mean confidence, accuracy and calibration error", () => {
    expect(subtitleOf(reliability, UNDER)).toBe(
      "Mean confidence 80.0 %, accuracy 87.0 %: expected calibration error 0.057 (test of calibration: p below 0.001). A dot on the diagonal would be right " +
        "exactly as often as it claims, lines are 95 % intervals; below, images in each bin.",
    );
  });

  test("leaves the calibration error out where it is undefined", () => {
    const e = { ...UNDER, metrics: {} };
    expect(subtitleOf(reliability, e)).toMatch(
      /^Mean confidence 80\.0 %, accuracy 87\.0 % \(test of calibration: p below 0\.001\)\. A dot/u,
    );
  });

  test.each([
    ["without probabilities", evaluation({ probabilities: false })],
    ["where every bin is empty", withBins([])],
  ])("is null %s", (_, e) => {
    expect(reliability.spec(e)).toBeNull();
    expect(reliability.title(e)).toBe("There are no probabilities to compare with the accuracy");
  });
});

test("reliability.description tells every filled bin", () => {
  expect(reliability.description(UNDER)).toBe(
    "Reliability diagram. Mean confidence 80.0 %, accuracy 87.0 %: expected calibration error 0.057 (test of calibration: p below 0.001). By bin of confidence: " +
      "50.0 % claimed, 60.0 % right of 100; 90.0 % claimed, 96.0 % right of 300.",
  );
});
