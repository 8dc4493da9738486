import { describe, expect, test } from "vitest";
import { roc } from "../../src/charts/roc.ts";
import type { ClassCurves, Evaluation } from "../../src/types.ts";
import { evaluation } from "./builders.ts";
import { rowsWith, subtitleOf } from "./spec_rows.ts";

const CURVE = { fpr: [0, 0.01, 0.05, 0.5, 1], tpr: [0, 0.5, 0.9, 0.95, 1] };

/** Classes `a`, `b`, … with these areas and the same curve, null where the area is. */
function withAreas(
  areas: readonly (number | null)[],
  curve: ClassCurves["roc"] = CURVE,
  support = 1000,
): Evaluation {
  const base = evaluation({ classes: areas.map((_, i) => String.fromCodePoint(97 + i)), support });
  return {
    ...base,
    perClass: base.perClass.map((c, i) => ({ ...c, roc_auc: { value: areas[i] ?? null, interval: null } })),
    curves: {
      exact: true,
      classes: base.perClass.map((c, i) => ({
        class: c.class,
        roc: areas[i] === null ? null : curve,
        precision_recall: null,
      })),
    },
  };
}

function texts(e: Evaluation) {
  return rowsWith(roc, e, "text", "x", "y").map((row) => row["text"]);
}

describe("roc.title", () => {
  test.each([
    [[0.99, 0.974, 0.98], "b is hardest to separate: ROC AUC 0.974"],
    [[0.99, 0.974, 0.974], "b and c are hardest to separate: ROC AUC 0.974"],
    [[0.99, 0.974 + 1e-12, 0.974], "c and b are hardest to separate: ROC AUC 0.974"],
    [[0.9, 0.9, 0.9, 0.9, 0.95], "4 classes are hardest to separate: ROC AUC 0.900"],
    [[0.974, 0.974], "All classes are equally hard to separate: ROC AUC 0.974"],
    [[1, 1, 1], "Every class is separated from all others: ROC AUC 1"],
    [[1, 0.99996], "b is hardest to separate: ROC AUC 0.99996"],
    [[null, 0.98], "b is hardest to separate: ROC AUC 0.980"],
  ])("of areas %j is “%s”", (areas, title) => {
    expect(roc.title(withAreas(areas))).toBe(title);
  });
});

describe("roc.spec", () => {
  test("has the points of the evaluation, with points added only on the lines between them", () => {
    const rows = rowsWith(roc, withAreas([0.9]), "class", "x", "y");
    const at = (x: number) => rows.find((row) => row["x"] === x)?.["y"];
    expect([at(0.01), at(0.05), at(0.5), at(1)]).toEqual([0.5, 0.9, 0.95, 1]);
    for (const row of rows) {
      const x = Number(row["x"]);
      const i = CURVE.fpr.findLastIndex((rate) => rate <= x && rate < 1);
      const [x0, x1, y0, y1] = [CURVE.fpr[i]!, CURVE.fpr[i + 1]!, CURVE.tpr[i]!, CURVE.tpr[i + 1]!];
      expect(row["y"]).toBeCloseTo(y0 + ((y1 - y0) * (x - x0)) / (x1 - x0), 10);
    }
    expect(rows.length).toBeGreaterThan(20);
  });

  test.each([
    [10_000, 0.002],
    [2_500, 0.005],
    [800, 0.01],
    [8, 0.01],
  ])("begins with %i other images at a false-positive rate of %f", (support, from) => {
    const rows = rowsWith(roc, withAreas([0.9, 0.95], CURVE, support), "class", "x", "y");
    expect(Math.min(...rows.map((row) => Number(row["x"])))).toBe(from);
  });

  test.each([
    [0.05, 0],
    [0.55, 0.5],
    [0.97, 0.95],
    [1, 0.95],
  ])("of a curve from %f begins at a true-positive rate of %f", (rate, floor) => {
    const { layer } = roc.spec(withAreas([0.9], { fpr: [0, 0, 1], tpr: [0, rate, 1] })) as unknown as {
      readonly layer: readonly {
        readonly encoding: { readonly y?: { readonly scale: { readonly domain: number[] } } };
      }[];
    };
    expect(layer.find(({ encoding }) => encoding.y)?.encoding.y?.scale.domain).toEqual([floor, 1]);
  });

  test("labels the worst three classes and sums up the others", () => {
    expect(texts(withAreas([0.99, 0.91, 0.93, 0.97, 0.92]))).toEqual([
      "b: AUC 0.910, 50 % found",
      "e: AUC 0.920, 50 % found",
      "c: AUC 0.930, 50 % found",
      "2 others: AUC 0.970 to 0.990",
    ]);
  });

  test("labels all classes where they are few, and none where none is worse", () => {
    expect(texts(withAreas([0.99, 0.91, 0.93, 0.97]))).toHaveLength(4);
    expect(texts(withAreas([0.9, 0.9, 0.9]))).toEqual(["3 classes: AUC 0.900"]);
  });

  test("draws a step at no false positives, as of a perfect class", () => {
    const perfect = { fpr: [0, 0, 1], tpr: [0, 1, 1] };
    const rows = rowsWith(roc, withAreas([1, 1], perfect), "class", "x", "y");
    expect(new Set(rows.map((row) => row["y"]))).toEqual(new Set([1]));
  });

  test("says how to read it, and where scores were binned", () => {
    const e = withAreas([0.9, 0.95], CURVE, 10_000);
    const subtitle =
      "Mean of the classes: 0.990. Each class against all others, higher is better; “found” is read off where 1 % of the " +
      "other images are taken for the class.";
    expect(subtitleOf(roc, e)).toBe(subtitle);
    expect(subtitleOf(roc, { ...e, curves: { ...e.curves!, exact: false } })).toBe(
      `${subtitle} From binned scores.`,
    );
  });

  test("is null without probabilities, and where no curve is defined", () => {
    expect(roc.spec(evaluation({ probabilities: false }))).toBeNull();
    expect(roc.spec(withAreas([null, null]))).toBeNull();
    expect(roc.title(evaluation({ probabilities: false }))).toBe(
      "There are no probabilities to draw ROC curves from",
    );
  });
});

test("roc.description tells every area, smallest first", () => {
  expect(roc.description(withAreas([0.99, null, 0.974]))).toBe(
    "One-vs-rest ROC curves. Area under the curve, smallest first: c 0.974, a 0.990.",
  );
});
