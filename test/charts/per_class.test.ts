import { describe, expect, test } from "vitest";
import { per_class } from "../../src/charts/per_class.ts";
import type { ClassMetrics, Evaluation } from "../../src/types.ts";
import { evaluation, FASHION } from "./builders.ts";
import { rowsWith, subtitleOf } from "./spec_rows.ts";

const MATRIX = [
  [8, 1, 1],
  [5, 5, 0],
  [1, 0, 9],
];

function withRecalls(recalls: readonly (number | null)[]): Evaluation {
  const base = evaluation({ classes: recalls.length });
  const perClass = base.perClass.map((c, i): ClassMetrics => {
    const value = recalls[i] ?? null;
    return { ...c, recall: { value, interval: null } };
  });
  return { ...base, perClass };
}

describe("per_class.title", () => {
  test("names the class of the smallest recall", () => {
    expect(per_class.title(evaluation({ confusionMatrix: MATRIX, classes: ["cat", "dog", "hen"] }))).toBe(
      "dog is recognised least of 3 classes: 50.0 % of its images",
    );
  });

  test.each([
    [[0.9, 0.8, 0.8], "1 and 2 of 3 classes are recognised least: 80.0 % of their images"],
    [[0.8, 0.9, 0.8, 0.8], "0, 2 and 3 of 4 classes are recognised least: 80.0 % of their images"],
    [[0.8, 0.9, 0.8, 0.8, 0.8], "4 of 5 classes are recognised least: 80.0 % of their images"],
    [[0.8, 0.8, 0.8], "All 3 classes are recognised equally: 80.0 % of their images"],
    [[1, 1], "Every class is recognised in full: no image is missed"],
    [[1, 0.99996], "1 is recognised least of 2 classes: 99.996 % of its images"],
    [[null, 0.8], "1 is the only class with images: 80.0 % of them are recognised"],
    [[0, 0.8], "0 is recognised least of 2 classes: 0 % of its images"],
    [[null, null], "No class has an image"],
  ])("of recalls %j is “%s”", (recalls, title) => {
    expect(per_class.title(withRecalls(recalls))).toBe(title);
  });
});

describe("per_class.spec", () => {
  test("has the evaluation's figures, the least recognised class first", () => {
    const e = evaluation({ confusionMatrix: MATRIX, classes: ["cat", "dog", "hen"] });
    const [, dog] = e.perClass;
    // The first layer is whiskers, which F1 has none of.
    const rows = rowsWith(per_class, e, "measure", "value");
    expect(rows.map((row) => row["class"])).toEqual(["dog", "dog", "cat", "cat", "hen", "hen"]);
    expect(rows[0]).toEqual({
      class: "dog",
      measure: "recall",
      value: 0.5,
      low: dog?.recall.interval?.low,
      high: dog?.recall.interval?.high,
    });
  });

  test("writes the images of each class, and where a class was never predicted or has none", () => {
    const e = evaluation({
      classes: 3,
      confusionMatrix: [
        [1000, 0, 200],
        [300, 0, 0],
        [0, 0, 0],
      ],
    });
    expect(rowsWith(per_class, e, "note")).toEqual([
      { class: "1", note: "300, never predicted" },
      { class: "0", note: "1,200" },
      { class: "2", note: "no image" },
    ]);
  });

  test("draws no dot where a figure is undefined", () => {
    const e = evaluation({
      classes: 2,
      confusionMatrix: [
        [10, 0],
        [10, 0],
      ],
    });
    const drawn = rowsWith(per_class, e, "measure").filter((row) => row["class"] === "1");
    expect(drawn.map((row) => row["measure"])).toEqual(["recall"]);
  });

  test("says of which level the intervals are, and nothing where there are none", () => {
    const even = evaluation({
      classes: 2,
      confusionMatrix: [
        [9, 1],
        [1, 9],
      ],
    });
    expect(subtitleOf(per_class, even)).toBe(
      "Recall: share of the class's images recognised. Precision: share of its predictions right. Lines: 95 % intervals.",
    );
    expect(subtitleOf(per_class, withRecalls([0.8, 0.9]))).not.toContain("Lines");
  });

  test("says how sure the lowest recall is, as one that was picked from all", () => {
    const e = evaluation({ confusionMatrix: MATRIX, classes: ["cat", "dog", "hen"] });
    expect(subtitleOf(per_class, e)).toContain(
      " Lines: 95 % intervals. As the lowest of 3, dog's recall is 14.4 % to 85.6 %.",
    );
  });

  test("is drawn without probabilities", () => {
    expect(per_class.spec(evaluation({ probabilities: false }))).not.toBeNull();
  });
});

test("per_class.description tells every figure", () => {
  const e = evaluation({
    classes: ["cat", FASHION[9] ?? ""],
    confusionMatrix: [
      [8, 2],
      [5, 5],
    ],
  });
  expect(per_class.description(e)).toBe(
    "Recall, precision and F1 of each class, least recall first. Ankle boot: recall 50.0 %, precision 71.4 %, F1 58.8 % " +
      "of 10; cat: recall 80.0 %, precision 61.5 %, F1 69.6 % of 10.",
  );
});
