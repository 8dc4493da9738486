import { describe, expect, it } from "vitest";
import { top_confusions } from "../../src/charts/top_confusions.ts";
import { evaluation } from "./builders.ts";
import { headingOf, rowsOf } from "./spec-parts.ts";

const two = evaluation({
  classes: ["cat", "dog"],
  confusionMatrix: [
    [90, 10],
    [30, 970],
  ],
});

describe("top_confusions.title(evaluation)", () => {
  it("is the share of all mistakes that are shown", () => {
    const value = evaluation({
      classes: 5,
      confusionMatrix: [0, 1, 2, 3, 4].map((t) => [0, 1, 2, 3, 4].map((p) => (t === p ? 50 : 1 + p))),
    });
    expect(top_confusions.title(value)).toBe("10 of the 20 kinds of confusion make up 70 % of all mistakes");
  });

  it.each([
    [
      [
        [90, 10],
        [30, 970],
      ],
      "All 40 mistakes are of 2 kinds",
    ],
    [
      [
        [90, 10],
        [0, 970],
      ],
      "All 10 mistakes are of 1 kind",
    ],
    [
      [
        [90, 1],
        [0, 970],
      ],
      "The only mistake takes 0 for 1",
    ],
    [
      [
        [90, 0],
        [0, 970],
      ],
      "There are no confusions: no prediction is wrong",
    ],
  ])("of %j", (confusionMatrix, title) => {
    expect(top_confusions.title(evaluation({ classes: 2, confusionMatrix }))).toBe(title);
  });
});

describe("top_confusions.spec(evaluation)", () => {
  it("says the figures of the strongest one", () => {
    expect(headingOf(top_confusions, two).subtitle).toBe(
      "Strongest: cat taken for dog, 10 of 100 images, 10.0 %. Whiskers: 95 % intervals of the rate, for all 2 possible ones together, in images; strongest is what has the highest lower end.",
    );
  });

  it("says nothing of whiskers where there are no intervals", () => {
    const topConfusions = two.topConfusions.map((each) => ({ ...each, interval: null }));
    expect(headingOf(top_confusions, { ...two, topConfusions }).subtitle).toBe(
      "Strongest: cat taken for dog, 10 of 100 images, 10.0 %.",
    );
  });

  it("draws counts with the interval of the rate in images, the surest first", () => {
    const [bars] = rowsOf(top_confusions, two);
    expect(bars!.map(({ pair, count, figures }) => [pair, count, figures])).toEqual([
      ["cat → dog", 10, "10 of 100, 10.0 %"],
      ["dog → cat", 30, "30 of 1,000, 3.0 %"],
    ]);
    // Clopper and Pearson's interval of 10 of 100 at 97.5 %: 0.0438 to 0.1878.
    expect(bars![0]!["low"]).toBeCloseTo(4.38, 2);
    expect(bars![0]!["high"]).toBeCloseTo(18.78, 2);
  });

  it("draws ten at most, and nothing of a perfect model", () => {
    expect(rowsOf(top_confusions, evaluation())[0]).toHaveLength(10);
    expect(top_confusions.spec(evaluation({ errors: 0 }))).toBeNull();
  });
});
