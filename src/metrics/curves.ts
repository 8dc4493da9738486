import type { ClassCurves } from "../types.ts";
import type { Steps } from "./steps.ts";

/** How far a thinned curve may be from the full one. */
const TOLERANCE = 0.001;
/** Points of a thinned curve: with more than these, the tolerance grows. */
const MAX_POINTS = 200;

/** Points from first to last, never going back in either coordinate. */
interface Curve {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * The receiver operating characteristic: (0, 0) → (1, 1), straight lines between the points, thinned so that the drawn
 * line is within 0.002 of the full one wherever 200 points are enough for that. Null without positives or negatives.
 */
export function rocCurve(steps: Steps): ClassCurves["roc"] {
  const { tp, fp, positives, negatives } = cumulate(steps);
  if (positives === 0 || negatives === 0) return null;
  for (let i = 0; i < tp.length; i++) {
    tp[i]! /= positives;
    fp[i]! /= negatives;
  }
  const curve = apart({ x: fp, y: tp }, TOLERANCE / 2);
  const kept = thin((tolerance) => corners(curve, tolerance));
  return { fpr: kept.map((i) => rounded(curve.x[i]!)), tpr: kept.map((i) => rounded(curve.y[i]!)) };
}

/**
 * Precision against recall from (0, 1) to recall 1, to be drawn as steps: the precision of a point holds from the
 * recall of the point before to its own ("step-before"), which is how average precision sums it. Thinned so that the
 * drawn precision is within 0.001 of the full one wherever 200 points are enough. Null without positives or negatives.
 */
export function precisionRecallCurve(steps: Steps): ClassCurves["precision_recall"] {
  const { tp, fp, positives, negatives } = cumulate(steps);
  if (positives === 0 || negatives === 0) return null;
  const recall = new Float64Array(tp.length);
  const precision = new Float64Array(tp.length);
  precision[0] = 1;
  let points = 1;
  for (let i = 1; i < tp.length; i++) {
    if (tp[i] === tp[i - 1]) continue;
    recall[points] = tp[i]! / positives;
    precision[points] = tp[i]! / (tp[i]! + fp[i]!);
    points += 1;
  }
  const kept = thin((tolerance) => plateaus(precision.subarray(0, points), tolerance));
  return { recall: kept.map((i) => rounded(recall[i]!)), precision: kept.map((i) => rounded(precision[i]!)) };
}

/** Counts at each threshold, from none. */
function cumulate(steps: Steps) {
  const tp = new Float64Array(steps.length + 1);
  const fp = new Float64Array(steps.length + 1);
  for (let i = 0; i < steps.length; i++) {
    tp[i + 1] = tp[i]! + steps.positives[i]!;
    fp[i + 1] = fp[i]! + steps.negatives[i]!;
  }
  return { tp, fp, positives: tp[steps.length]!, negatives: fp[steps.length]! };
}

/** The points to keep at the smallest tolerance that leaves no more than MAX_POINTS. */
function thin(keep: (tolerance: number) => number[]): number[] {
  for (let tolerance = TOLERANCE; ; tolerance *= 1.5) {
    const kept = keep(tolerance);
    if (kept.length <= MAX_POINTS) return kept;
  }
}

/** Leaves out points closer than `distance` in both directions, so that the search for corners is short for any curve. */
function apart({ x, y }: Curve, distance: number): Curve {
  const end = x.length - 1;
  let kept = 1;
  // The next point decides: the point before a long stretch is where the line turns.
  for (let i = 1; i < end; i++) {
    if (x[i + 1]! - x[kept - 1]! < distance && y[i + 1]! - y[kept - 1]! < distance) continue;
    x[kept] = x[i]!;
    y[kept] = y[i]!;
    kept += 1;
  }
  x[kept] = x[end]!;
  y[kept] = y[end]!;
  return { x: x.subarray(0, kept + 1), y: y.subarray(0, kept + 1) };
}

/**
 * The points to keep so that no other is farther than the tolerance from the line through them.
 *
 * Source: D. Douglas and T. Peucker, Algorithms for the reduction of the number of points required to represent a
 * digitized line or its caricature (1973).
 */
function corners(curve: Curve, tolerance: number): number[] {
  const end = curve.x.length - 1;
  const kept = [0, end];
  const spans = [0, end];
  while (spans.length > 0) {
    const to = spans.pop()!;
    const from = spans.pop()!;
    const farthest = farthestFromChord(curve, from, to, tolerance);
    if (farthest === null) continue;
    kept.push(farthest);
    spans.push(from, farthest, farthest, to);
  }
  return kept.sort((a, b) => a - b);
}

function farthestFromChord({ x, y }: Curve, from: number, to: number, tolerance: number): number | null {
  const dx = x[to]! - x[from]!;
  const dy = y[to]! - y[from]!;
  // The cross product with the chord is the distance times the chord's length.
  const offset = dx * y[from]! - dy * x[from]!;
  let largest = tolerance * Math.hypot(dx, dy);
  let farthest: number | null = null;
  for (let i = from + 1; i < to; i++) {
    const product = Math.abs(dx * y[i]! - dy * x[i]! - offset);
    if (product <= largest) continue;
    largest = product;
    farthest = i;
  }
  return farthest;
}

/** The last point of each stretch whose values are within the tolerance of one another, and the first point. */
function plateaus(values: Float64Array, tolerance: number): number[] {
  const kept = [0];
  let low = values[1]!;
  let high = low;
  for (let i = 2; i < values.length; i++) {
    const value = values[i]!;
    low = Math.min(low, value);
    high = Math.max(high, value);
    if (high - low <= tolerance) continue;
    kept.push(i - 1);
    low = high = value;
  }
  kept.push(values.length - 1);
  return kept;
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
