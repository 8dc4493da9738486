import { describe, expect, test } from "vitest";
import type { ClassCurves, Measurements } from "../../src/types.ts";
import { measure, references, simulated } from "./builders.ts";

const simulation = simulated(20_000);
const reference = references.find(({ curves }) => curves !== undefined)!;
const [fromReference, large, counted] = [
  measure(reference.table),
  measure(simulation),
  measure(simulation, { exactScores: 0 }),
];
const runs: readonly (readonly [string, Measurements])[] = [
  ["500 images", fromReference],
  ["20,000 images", large],
  ["20,000 images in bins", counted],
];

const LINEAR = (rate: number) => rate;

function eachCurve({ curves }: Measurements): readonly ClassCurves[] {
  return curves!.classes;
}

describe.each(runs)("curves of %s", (_, measurements) => {
  test("have at most 200 points of six decimals", () => {
    for (const { roc, precision_recall } of eachCurve(measurements)) {
      for (const numbers of [roc!.fpr, roc!.tpr, precision_recall!.recall, precision_recall!.precision]) {
        expect(numbers.length).toBeGreaterThan(2);
        expect(numbers.length).toBeLessThanOrEqual(200);
        expect(numbers).toEqual(numbers.map((value) => Number(value.toFixed(6))));
      }
      expect(roc!.fpr).toHaveLength(roc!.tpr.length);
      expect(precision_recall!.recall).toHaveLength(precision_recall!.precision.length);
    }
  });

  test("go from (0, 0) to (1, 1), and from recall 0 and precision 1 to recall 1", () => {
    for (const { roc, precision_recall } of eachCurve(measurements)) {
      expect([roc!.fpr[0], roc!.tpr[0], roc!.fpr.at(-1), roc!.tpr.at(-1)]).toEqual([0, 0, 1, 1]);
      const { recall, precision } = precision_recall!;
      expect([recall[0], precision[0], recall.at(-1)]).toEqual([0, 1, 1]);
      expect(isAscending(roc!.fpr) && isAscending(roc!.tpr) && isAscending(recall)).toBe(true);
    }
  });

  test("enclose the areas of the full curves within what thinning may change", () => {
    for (const [c, { roc, precision_recall }] of eachCurve(measurements).entries()) {
      const { roc_auc, average_precision } = measurements.perClass[c]!;
      expect(Math.abs(trapezoids(roc!) - roc_auc.value!)).toBeLessThan(0.002);
      expect(Math.abs(stairs(precision_recall!) - average_precision.value!)).toBeLessThan(0.005);
    }
  });
});

describe.each(runs.slice(1))(
  "the ROC curve of %s passes within 0.002 of every ninth score's point",
  (_, measurements) => {
    const positive = simulatedTruth(0);
    test.each([
      ["a linear axis", LINEAR],
      ["a logarithmic axis from 0.1 %", logarithmic(0.001)],
      ["a logarithmic axis from 1 %", logarithmic(0.01)],
    ])("on %s", (_, axis) => {
      const drawn = drawnOn(axis, eachCurve(measurements)[0]!.roc!);
      let [tp, fp] = [0, 0];
      let farthest = 0;
      const positives = positive.filter(Boolean).length;
      for (const [i, isPositive] of positive.entries()) {
        if (isPositive) tp += 1;
        else fp += 1;
        if (i % 9 > 0) continue;
        const [x, y] = [fp / (positive.length - positives), tp / positives];
        farthest = Math.max(farthest, distanceToLine(axis(x), y, drawn));
      }
      expect(farthest).toBeLessThan(0.002);
    });
  },
);

test("a ROC curve that fewer than 200 points hold is kept to the last image", () => {
  const truth = [0, 0, 1, 0, 1, 1, 0, 1];
  const { curves } = measure({
    classes: ["a", "b"],
    truth,
    predicted: truth,
    probabilities: truth.map((_, i) => [1 - i / 10, i / 10]),
  });
  expect(curves!.classes[0]!.roc).toEqual({
    fpr: [0, 0, 0.25, 0.25, 0.75, 0.75, 1],
    tpr: [0, 0.5, 0.5, 0.75, 0.75, 1, 1],
  });
});

describe.each(reference.curves!)(
  "curves of class $class of 500 images",
  ({ class: c, roc, precision_recall }) => {
    const drawn = eachCurve(fromReference)[c]!;

    test("pass within 0.002 of every point of scikit-learn's ROC curve", () => {
      for (const [i, fpr] of roc.fpr.entries()) {
        expect(distanceToLine(fpr, roc.tpr[i]!, drawnOn(LINEAR, drawn.roc!))).toBeLessThan(0.002);
      }
    });

    test("have at each recall the precision of scikit-learn's curve within 0.002", () => {
      // At a recall the first threshold that reaches it counts: scikit-learn lists the lower ones too.
      for (const [i, recall] of precision_recall.recall.entries()) {
        if (i === 0 || recall === precision_recall.recall[i - 1]) continue;
        const step = drawn.precision_recall!.recall.findIndex((r) => r >= recall - 1e-6);
        expect(
          Math.abs(drawn.precision_recall!.precision[step]! - precision_recall.precision[i]!),
        ).toBeLessThan(0.002);
      }
    });
  },
);

test("a class without images has no curves", () => {
  const { curves } = measure({ ...simulated(20, 3), truth: Array.from({ length: 20 }, () => 0) });
  expect(curves!.classes).toEqual(
    ["c0", "c1", "c2"].map((name) => ({ class: name, roc: null, precision_recall: null })),
  );
});

test("a perfect class has the corner only", () => {
  const truth = [0, 1, 0, 1];
  const { curves } = measure({
    classes: ["a", "b"],
    truth,
    predicted: truth,
    probabilities: truth.map((label, i) => (label === 0 ? [0.8 + i / 100, 0.2 - i / 100] : [0.1, 0.9])),
  });
  expect(curves!.classes[0]).toEqual({
    class: "a",
    roc: { fpr: [0, 0, 1], tpr: [0, 1, 1] },
    precision_recall: { recall: [0, 1], precision: [1, 1] },
  });
});

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((value, i) => i === 0 || value >= numbers[i - 1]!);
}

function trapezoids({ fpr, tpr }: NonNullable<ClassCurves["roc"]>): number {
  return fpr.reduce(
    (area, x, i) => (i === 0 ? 0 : area + ((x - fpr[i - 1]!) * (tpr[i]! + tpr[i - 1]!)) / 2),
    0,
  );
}

function stairs({ recall, precision }: NonNullable<ClassCurves["precision_recall"]>): number {
  return recall.reduce((area, x, i) => (i === 0 ? 0 : area + (x - recall[i - 1]!) * precision[i]!), 0);
}

/** Where a rate stands on an axis from 0 to 1. */
type Axis = (rate: number) => number;

function logarithmic(from: number): Axis {
  return (rate) => 1 - Math.log(Math.max(rate, from)) / Math.log(from);
}

/** The curve as short lines on an axis that may bend what is straight on a linear one. */
function drawnOn(axis: Axis, { fpr, tpr }: NonNullable<ClassCurves["roc"]>) {
  const parts = 20;
  const points = [{ x: axis(0), y: 0 }];
  for (let i = 1; i < fpr.length; i++) {
    const [dx, dy] = [fpr[i]! - fpr[i - 1]!, tpr[i]! - tpr[i - 1]!];
    for (let part = 1; part <= parts; part++) {
      points.push({ x: axis(fpr[i - 1]! + (dx * part) / parts), y: tpr[i - 1]! + (dy * part) / parts });
    }
  }
  return points;
}

function distanceToLine(x: number, y: number, points: ReturnType<typeof drawnOn>): number {
  let nearest = Infinity;
  for (let i = 1; i < points.length; i++) {
    const from = points[i - 1]!;
    const to = points[i]!;
    if (from.x - x > nearest || from.y - y > nearest) break;
    if (x - to.x > nearest || y - to.y > nearest) continue;
    const dx = to.x - from.x;
    const dy = to.y - from.y;
    const along = Math.min(
      1,
      Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / (dx * dx + dy * dy || 1)),
    );
    nearest = Math.min(nearest, Math.hypot(x - from.x - along * dx, y - from.y - along * dy));
  }
  return nearest;
}

/** Whether each image of the simulation is of the class, in the order of its score, highest first. */
function simulatedTruth(c: number): boolean[] {
  const { truth, probabilities } = simulation;
  const rows = [...truth.keys()].sort((a, b) => probabilities![b]![c]! - probabilities![a]![c]!);
  return rows.map((row) => truth[row] === c);
}
