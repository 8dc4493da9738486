import { describe, expect, test } from "vitest";
import { precision_recall } from "../../src/charts/precision_recall.ts";
import type { ClassCurves, Evaluation } from "../../src/types.ts";
import { evaluation } from "./builders.ts";
import { rowsWith, subtitleOf } from "./spec_rows.ts";

type Curve = ClassCurves["precision_recall"];
const CURVE = { recall: [0, 0.3, 0.64, 0.85, 0.95, 1], precision: [1, 0.96, 0.98, 0.9, 0.7, 0.2] };

/** Classes `a`, `b`, … with these areas and the same curve, null where the area is. */
function withAreas(areas: readonly (number | null)[], curve: Curve = CURVE): Evaluation {
  const base = evaluation({ classes: areas.map((_, i) => String.fromCodePoint(97 + i)) });
  return {
    ...base,
    perClass: base.perClass.map((c, i) => ({
      ...c,
      average_precision: { value: areas[i] ?? null, interval: null },
    })),
    curves: {
      exact: true,
      classes: base.perClass.map((c, i) => ({
        class: c.class,
        roc: null,
        precision_recall: areas[i] === null ? null : curve,
      })),
    },
  };
}

function points(e: Evaluation, name = "a") {
  const rows = rowsWith(precision_recall, e, "class", "x", "y");
  return rows.filter((row) => row["class"] === name).map((row) => [row["x"], row["y"]]);
}

describe("precision_recall.title", () => {
  test.each([
    [[0.99, 0.92, 0.98], "b is hardest to find without false alarms: average precision 0.920"],
    [[0.99, 0.92, 0.92], "b and c are hardest to find without false alarms: average precision 0.920"],
    [[0.92, 0.92], "All classes are equally hard to find without false alarms: average precision 0.920"],
    [[1, 1, 1], "Every class is found whole without a false alarm: average precision 1"],
    [[null, 0.92], "b is hardest to find without false alarms: average precision 0.920"],
  ])("of areas %j is “%s”", (areas, title) => {
    expect(precision_recall.title(withAreas(areas))).toBe(title);
  });
});

describe("precision_recall.spec", () => {
  test("has the evaluation's points, from the tenth at which the first class falls below 97 %", () => {
    expect(points(withAreas([0.9]))).toEqual([
      [0.6, 0.98],
      [0.64, 0.98],
      [0.85, 0.9],
      [0.95, 0.7],
      [1, 0.2],
    ]);
  });

  test("has the whole axis where a class never reaches 97 %, and its end where all classes always do", () => {
    const bad = withAreas([0.5], { recall: [0, 0.5, 1], precision: [0.9, 0.5, 0.1] });
    expect(points(bad)).toEqual([
      [0, 0.9],
      [0.5, 0.5],
      [1, 0.1],
    ]);
    const perfect = withAreas([1], { recall: [0, 1], precision: [1, 1] });
    expect(points(perfect)).toEqual([
      [0.95, 1],
      [1, 1],
    ]);
  });

  test("ends where the whole class is found for the first time", () => {
    const e = withAreas([0.5], { recall: [0, 0.5, 1, 1], precision: [0.9, 0.5, 0.3, 0.1] });
    expect(points(e).at(-1)).toEqual([1, 0.3]);
  });

  test("labels the worst three classes with the precision at 90 % recall, and sums up the others", () => {
    const e = withAreas([0.99, 0.91, 0.93, 0.97, 0.92]);
    expect(rowsWith(precision_recall, e, "text", "x", "y").map((row) => row["text"])).toEqual([
      "b: average 0.910, 70 % right",
      "e: average 0.920, 70 % right",
      "c: average 0.930, 70 % right",
      "2 others: average 0.970 to 0.990",
    ]);
  });

  test.each([
    [0.79, 0.3, 0.7, 0.9, 0],
    [0.85, 0.5, 0.8, 0.9, 0.5],
    [0.93, 0.9, 0.9, 0.95, 0.8],
    [0.96, 0.1, 0.95, 0.98, 0],
  ])(
    "of a curve at 97 %% up to %f, then %f, begins at %f, is read at %f, its precision begins at %f",
    (...c) => {
      const [recall, precision, from, readAt, floor] = c;
      const e = withAreas([0.9], { recall: [0, recall, 1], precision: [1, 0.97, precision] });
      const [reading] = rowsWith(precision_recall, e, "x");
      const { layer } = precision_recall.spec(e) as unknown as {
        readonly layer: readonly {
          readonly encoding: Record<"x" | "y", { readonly scale: { readonly domain: number[] } }>;
        }[];
      };
      expect(reading).toEqual({ x: readAt });
      expect(layer[0]?.encoding.x.scale.domain).toEqual([from, 1]);
      expect(layer[0]?.encoding.y.scale.domain).toEqual([floor, 1]);
    },
  );

  test("has lines of equal F1", () => {
    const rows = rowsWith(precision_recall, withAreas([0.9]), "f1", "recall", "precision");
    for (const row of rows) {
      const [p, r] = [Number(row["precision"]), Number(row["recall"])];
      expect((2 * p * r) / (p + r)).toBeCloseTo(Number(row["f1"]), 10);
      expect(p).toBeLessThanOrEqual(1 + 1e-12);
    }
  });

  test("says how to read it, and where its axis begins", () => {
    const reading =
      "Mean of the classes: 0.960. Each class against all others, up and right is better; “right” is the precision where " +
      "90 % of the class are found.";
    const e = withAreas([0.9]);
    expect(subtitleOf(precision_recall, e)).toBe(
      `${reading} At 60 %, where the axis begins, all still reach 97 %.`,
    );
    const bad = withAreas([0.5], { recall: [0, 1], precision: [0.9, 0.1] });
    expect(subtitleOf(precision_recall, bad)).toBe(reading);
  });

  test("is null without probabilities, and where no curve is defined", () => {
    const labelsOnly = evaluation({ probabilities: false });
    expect(precision_recall.spec(labelsOnly)).toBeNull();
    expect(precision_recall.spec(withAreas([null, null]))).toBeNull();
    expect(precision_recall.title(labelsOnly)).toBe(
      "There are no probabilities to draw precision-recall curves from",
    );
  });
});

test("precision_recall.description tells every area, smallest first", () => {
  expect(precision_recall.description(withAreas([0.99, null, 0.92]))).toBe(
    "One-vs-rest precision-recall curves. Average precision, smallest first: c 0.920, a 0.990.",
  );
});
