import type { TrialResult } from "./trial.ts";

/** Two-sided significance from which on a difference is convincing: that of three standard errors. */
export const CONVINCING = 0.0027;

/** Whether the first of two results on the same images is surely right on more of them. */
export function isMoreAccurate(first: TrialResult, second: TrialResult, significance: number): boolean {
  const { firstOnly, secondOnly } = rightAlone(first, second);
  return firstOnly > secondOnly && signTest(firstOnly, secondOnly) < significance;
}

/** The images on which one alone is right. */
function rightAlone(
  first: TrialResult,
  second: TrialResult,
): { readonly firstOnly: number; readonly secondOnly: number } {
  let [firstOnly, secondOnly] = [0, 0];
  for (let row = 0; row < first.images; row++) {
    if (first.right[row] === second.right[row]) continue;
    if (first.right[row] === 1) firstOnly += 1;
    else secondOnly += 1;
  }
  return { firstOnly, secondOnly };
}

/**
 * How probable it is that images which either of two equally good ways alone gets right are divided at least so
 * unevenly: McNemar's test in its exact, two-sided form, which holds for any number of images, however small.
 * `signTest(10, 0)` is 2⁻⁹, and `signTest(3, 3)` is 1.
 */
export function signTest(firstOnly: number, secondOnly: number): number {
  const either = firstOnly + secondOnly;
  // In logarithms, because 2⁻ⁿ alone is 0 from 1,075 images on.
  let logTerm = -either * Math.LN2;
  let tail = 0;
  for (let fewer = 0; fewer <= Math.min(firstOnly, secondOnly); fewer++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log((either - fewer) / (fewer + 1));
  }
  return Math.min(1, 2 * tail);
}

/** Paired: whether the first losses' mean is lower by at least so many standard errors of the difference. */
export function losesLess(
  first: Float64Array | null,
  second: Float64Array | null,
  standardErrors: number,
): boolean {
  if (first === null || second === null || first.length < 2) return false;
  const images = first.length;
  let [sum, squares] = [0, 0];
  for (let row = 0; row < images; row++) {
    const difference = second[row]! - first[row]!;
    sum += difference;
    squares += difference * difference;
  }
  const mean = sum / images;
  const error = Math.sqrt(Math.max(0, squares / images - mean * mean) / (images - 1));
  return mean > 0 && mean >= standardErrors * error;
}

/** Whether two results are one but for rounding: the same predictions, and losses that differ by a thousandth at most. */
export function isSame(first: TrialResult, second: TrialResult): boolean {
  const { images } = first;
  let [difference, own] = [0, 0];
  for (let row = 0; row < images; row++) {
    if (first.predicted[row] !== second.predicted[row]) return false;
    if (first.losses === null || second.losses === null) continue;
    difference += Math.abs(first.losses[row]! - second.losses[row]!);
    own += first.losses[row]!;
  }
  return difference / images <= 1e-6 + 1e-3 * (own / images);
}
