import type { ClassCurves } from "../types.ts";
import type { Steps } from "./steps.ts";

/** How far a thinned ROC curve may be from the full one: charts of strong models look at its uppermost twentieth. */
const ROC_TOLERANCE = 0.0005;
/** A false-positive axis is linear, or logarithmic from this rate on: thinned curves hold on both. */
const LOG_AXIS_FROM = 0.001;
const LOG_AXIS_LENGTH = -Math.log(LOG_AXIS_FROM);
/** How far the precision of a thinned curve may be from the full one. */
const PRECISION_TOLERANCE = 0.001;
/** Points of a thinned curve: where they are not enough, it may be farther from the full one. */
const MAX_POINTS = 200;

/** Points from first to last, never going back in either coordinate. */
interface Curve {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * The receiver operating characteristic: (0, 0) → (1, 1), straight lines between the points. Thinned so that the drawn
 * line is within 0.0005 of the full one, as shares of both axes, wherever 200 points are enough for that, and as near as
 * they allow elsewhere. The false-positive axis may be linear, or logarithmic from 0.001 on. Null without positives or
 * negatives.
 */
export function rocCurve(steps: Steps): ClassCurves["roc"] {
  const { tp, fp, positives, negatives } = cumulate(steps);
  if (positives === 0 || negatives === 0) return null;
  for (let i = 0; i < tp.length; i++) {
    tp[i]! /= positives;
    fp[i]! /= negatives;
  }
  const curve = apart({ x: fp, y: tp }, ROC_TOLERANCE / 2);
  const kept = corners(curve, ROC_TOLERANCE, MAX_POINTS);
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
  const kept = thinPlateaus(precision.subarray(0, points));
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

/** How much longer a step of the false-positive rate is where it is drawn longest than on a linear axis. */
function stretch(x: number): number {
  return Math.max(1, 1 / (LOG_AXIS_LENGTH * Math.max(x, LOG_AXIS_FROM)));
}

/** Leaves out points closer than `distance` in both directions, so that the search for corners is short for any curve. */
function apart({ x, y }: Curve, distance: number): Curve {
  const end = x.length - 1;
  let kept = 1;
  // The next point decides: the point before a long stretch is where the line turns.
  for (let i = 1; i < end; i++) {
    const across = (x[i + 1]! - x[kept - 1]!) * stretch(x[kept - 1]!);
    if (across < distance && y[i + 1]! - y[kept - 1]! < distance) continue;
    x[kept] = x[i]!;
    y[kept] = y[i]!;
    kept += 1;
  }
  x[kept] = x[end]!;
  y[kept] = y[end]!;
  return { x: x.subarray(0, kept + 1), y: y.subarray(0, kept + 1) };
}

/** Points `from` … `to` of a curve drawn as one straight line, and the one that is farthest from that. */
interface Chord {
  readonly from: number;
  readonly to: number;
  readonly farthest: number;
  readonly distance: number;
}

/**
 * The points to keep so that no other is farther than the tolerance from the line through them, at most `most`: the
 * farthest point is added until that is so.
 *
 * Source: D. Douglas and T. Peucker, Algorithms for the reduction of the number of points required to represent a
 * digitized line or its caricature (1973).
 */
function corners(curve: Curve, tolerance: number, most: number): number[] {
  const chords = [chord(curve, 0, curve.x.length - 1)];
  while (chords.length + 1 < most) {
    const worst = chords.reduce((a, b) => (b.distance > a.distance ? b : a));
    if (worst.distance <= tolerance) break;
    const { from, to, farthest } = worst;
    chords.splice(chords.indexOf(worst), 1, chord(curve, from, farthest), chord(curve, farthest, to));
  }
  return [0, ...chords.map(({ to }) => to)];
}

function chord({ x, y }: Curve, from: number, to: number): Chord {
  const dx = x[to]! - x[from]!;
  const dy = y[to]! - y[from]!;
  let farthest = from;
  let distance = 0;
  for (let i = from + 1; i < to; i++) {
    // The distance from a line is the cross product with it over its length, here on axes as they are drawn at x[i].
    const scale = stretch(x[i]!);
    const product = Math.abs(dx * (y[i]! - y[from]!) - dy * (x[i]! - x[from]!)) * scale;
    const away = product === 0 ? 0 : product / Math.sqrt(scale * dx * scale * dx + dy * dy);
    if (away <= distance) continue;
    farthest = i;
    distance = away;
  }
  return { from, to, farthest, distance };
}

/** The points to keep at the smallest tolerance that leaves no more than MAX_POINTS. */
function thinPlateaus(values: Float64Array): number[] {
  for (let tolerance = PRECISION_TOLERANCE; ; tolerance *= 1.5) {
    const kept = plateaus(values, tolerance);
    if (kept.length <= MAX_POINTS) return kept;
  }
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
