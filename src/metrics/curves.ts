import type { ClassCurves } from "../types.ts";
import type { Steps } from "./steps.ts";

/** How far a thinned curve may be from the full one. */
const TOLERANCE = 0.001;
/** Points of a thinned curve: with more than these, the tolerance grows. */
const MAX_POINTS = 200;

type Curve = { readonly x: Float64Array; readonly y: Float64Array };

/**
 * The receiver operating characteristic: (0, 0) → (1, 1), straight lines between the points, thinned so that the drawn
 * line is within 0.002 of the full one wherever 200 points are enough for that. Null without positives or negatives.
 */
export function rocCurve(steps: Steps): ClassCurves["roc"] {
  const full = cumulate(steps);
  const { positives, negatives } = full;
  if (positives === 0 || negatives === 0) return null;
  const curve = { x: full.fp.map((fp) => fp / negatives), y: full.tp.map((tp) => tp / positives) };
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
  const recall = [0];
  const precision = [1];
  for (let i = 1; i < tp.length; i++) {
    if (tp[i] === tp[i - 1]) continue;
    recall.push(tp[i]! / positives);
    precision.push(tp[i]! / (tp[i]! + fp[i]!));
  }
  const kept = thin((tolerance) => plateaus(precision, tolerance));
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

/**
 * The points to keep so that no other is farther than the tolerance from the line through them.
 *
 * Source: D. Douglas and T. Peucker, Algorithms for the reduction of the number of points required to represent a
 * digitized line or its caricature (1973).
 */
function corners(curve: Curve, tolerance: number): number[] {
  const candidates = apart(curve, tolerance / 2);
  const kept = new Set([0, candidates.length - 1]);
  const spans: [number, number][] = [[0, candidates.length - 1]];
  for (let span = spans.pop(); span; span = spans.pop()) {
    const farthest = farthestFromChord(curve, candidates, span, tolerance);
    if (farthest === null) continue;
    kept.add(farthest);
    spans.push([span[0], farthest], [farthest, span[1]]);
  }
  return [...kept].sort((a, b) => a - b).map((candidate) => candidates[candidate]!);
}

/** Points at least `distance` apart in either direction, and both ends: what keeps the search short for any curve. */
function apart({ x, y }: Curve, distance: number): number[] {
  const points = [0];
  let last = 0;
  for (let i = 1; i < x.length - 1; i++) {
    // The next point decides: a corner before a long step is where the line turns.
    if (x[i + 1]! - x[last]! < distance && y[i + 1]! - y[last]! < distance) continue;
    points.push(i);
    last = i;
  }
  points.push(x.length - 1);
  return points;
}

function farthestFromChord(
  { x, y }: Curve,
  candidates: readonly number[],
  [from, to]: readonly [number, number],
  tolerance: number,
): number | null {
  const x0 = x[candidates[from]!]!;
  const y0 = y[candidates[from]!]!;
  const dx = x[candidates[to]!]! - x0;
  const dy = y[candidates[to]!]! - y0;
  const length = Math.hypot(dx, dy);
  let farthest: number | null = null;
  let distance = tolerance;
  for (let i = from + 1; i < to; i++) {
    const point = candidates[i]!;
    const d = Math.abs(dx * (y[point]! - y0) - dy * (x[point]! - x0)) / length;
    if (d > distance) {
      distance = d;
      farthest = i;
    }
  }
  return farthest;
}

/** The last point of each stretch whose values are within the tolerance of that point's, and the first point. */
function plateaus(values: readonly number[], tolerance: number): number[] {
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
