import type { Estimate } from "../types.ts";
import { pointEstimate, proportion, UNDEFINED } from "./intervals.ts";
import type { Steps } from "./steps.ts";
import { addInto } from "./sums.ts";

/** How high the true class stands among the classes of an image. */
export class TrueRanks {
  /** k: images whose true class has this many classes ahead of it. */
  readonly #images: Float64Array;

  constructor(classes: number) {
    this.#images = new Float64Array(classes);
  }

  /** Among equal scores the later class is ahead, as in scikit-learn. @param scores n×k */
  add(truth: Uint8Array, scores: Float64Array): void {
    const classes = this.#images.length;
    for (let row = 0; row < truth.length; row++) {
      const start = row * classes;
      const actual = start + truth[row]!;
      const score = scores[actual]!;
      let ahead = 0;
      for (let at = start; at < actual; at++) if (scores[at]! > score) ahead += 1;
      for (let at = actual + 1; at < start + classes; at++) if (scores[at]! >= score) ahead += 1;
      this.#images[ahead]! += 1;
    }
  }

  merge(other: TrueRanks): void {
    addInto(this.#images, other.#images);
  }

  /**
   * Share of the images whose true class is among the `k` of highest score. Undefined where there are no more than
   * `k` classes, because every answer would be right (scikit-learn: 1, with a warning).
   */
  topAccuracy(k: number): Estimate {
    if (k >= this.#images.length) return UNDEFINED;
    return proportion(sum(this.#images.subarray(0, k)), sum(this.#images));
  }
}

function sum(counts: Float64Array): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** The areas under a class's one-vs-rest curves. */
export interface Areas {
  /** The share of positive–negative pairs in the right order, equal scores for a half. */
  readonly rocAuc: number;
  /** Σ (Rᵢ − Rᵢ₋₁)·Pᵢ over the distinct scores: the area under the precision–recall curve as steps. */
  readonly averagePrecision: number;
  /** How far either can be from the area of the scores themselves; 0 where every score was kept. */
  readonly maxError: number;
}

/** Null for a class without positives or without negatives, whose curves are undefined. */
export function areas(steps: Steps): Areas | null {
  let tp = 0;
  let fp = 0;
  let pairs = 0;
  let blurredPairs = 0;
  const precision: Range = { low: 0, value: 0, high: 0 };
  for (let i = 0; i < steps.length; i++) {
    const positives = steps.positives[i]!;
    const negatives = steps.negatives[i]!;
    // Whole numbers and halves: the sum is exact.
    pairs += negatives * (tp + positives / 2);
    if (steps.blurred?.[i] === 1) {
      blurredPairs += positives * negatives;
      addBlurred(precision, tp, fp, positives, negatives);
    } else if (positives > 0) {
      addTied(precision, tp, fp, positives, negatives);
    }
    tp += positives;
    fp += negatives;
  }
  if (tp === 0 || fp === 0) return null;
  const { low, value, high } = precision;
  return {
    rocAuc: pairs / (tp * fp),
    averagePrecision: value / tp,
    maxError: Math.max(blurredPairs / 2 / (tp * fp), (high - value) / tp, (value - low) / tp),
  };
}

/** A sum of precisions, and how low and high it can be. */
interface Range {
  low: number;
  value: number;
  high: number;
}

/** All images of the step have one score: the precision at it counts for each of its positives. */
function addTied(sum: Range, tp: number, fp: number, positives: number, negatives: number): void {
  const precision = positives * ((tp + positives) / (tp + positives + fp + negatives));
  sum.low += precision;
  sum.value += precision;
  sum.high += precision;
}

/**
 * The order within the step is unknown. Lowest is the sum with the negatives first and each positive at a score of
 * its own, highest with all positives at one score, ahead of the negatives; taken are positives spread evenly.
 */
function addBlurred(sum: Range, tp: number, fp: number, positives: number, negatives: number): void {
  for (let i = 1; i <= positives; i++) {
    sum.low += (tp + i) / (tp + i + fp + negatives);
    sum.value += (tp + i) / (tp + i + fp + (negatives * i) / (positives + 1));
  }
  sum.high += positives * ((tp + positives) / (tp + positives + fp));
}

/** Mean over the classes; undefined where it is for one of them (scikit-learn raises an error). */
export function macroArea(values: readonly (number | null)[]): Estimate {
  return weightedArea(
    values,
    values.map(() => 1),
  );
}

/** Mean over the classes weighted by their images; undefined where it is for one of them. */
export function weightedArea(values: readonly (number | null)[], support: readonly number[]): Estimate {
  let sum = 0;
  let weights = 0;
  for (const [c, value] of values.entries()) {
    if (value === null) return UNDEFINED;
    sum += value * support[c]!;
    weights += support[c]!;
  }
  return pointEstimate(sum / weights);
}
