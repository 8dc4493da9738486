import type { TrialResult } from "./trial.ts";

/** What tells two results apart. */
export type Reason = "accuracy" | "saturation" | "log loss";

/** Standard errors that a difference has to be from none. */
export const CONVINCING = 3;

/** Images below which the spread of the losses says nothing. */
const LEAST_IMAGES = 10;

/** Share of saturated confidences that a model which is rightly sure rarely has, and one that no such model has. */
const MANY_SATURATED = 0.5;
const NEARLY_ALL_SATURATED = 0.9;
/** Mean confidence and accuracy of scores that are roughly what they claim are no further apart. */
const CALIBRATED = 0.1;

/**
 * Why the first of two results on the same images is better, or null where it is not or not surely. Where they share
 * only the first images, those are compared.
 *
 * A surely higher accuracy decides first: log loss alone would prefer a model that is fed so badly that it is never
 * sure of anything. Next, of two about as accurate the one whose confidences mean something wins over one where they
 * are all 1, because on a few images without a mistake log loss would prefer the latter. Then log loss decides.
 *
 * @param z standard errors that the difference has to be from none
 */
export function whyBetter(first: TrialResult, second: TrialResult, z = CONVINCING): Reason | null {
  const accuracy = accuracyDifference(first, second);
  if (accuracy >= z) return "accuracy";
  if (accuracy <= -z) return null;
  if (wronglySure(second, first)) return "saturation";
  if (wronglySure(first, second)) return null;
  return losesLess(first, second, z) ? "log loss" : null;
}

/** McNemar's statistic of the images on which one alone is right, with its sign, in standard errors. */
function accuracyDifference(first: TrialResult, second: TrialResult): number {
  const images = Math.min(first.images, second.images);
  let [firstOnly, secondOnly] = [0, 0];
  for (let row = 0; row < images; row++) {
    if (first.right[row] === second.right[row]) continue;
    if (first.right[row] === 1) firstOnly += 1;
    else secondOnly += 1;
  }
  const either = firstOnly + secondOnly;
  return either === 0 ? 0 : (firstOnly - secondOnly) / Math.sqrt(either);
}

/** Whether `result` claims certainty where the calibrated `rival` shows that the model is not that sure. */
function wronglySure(result: TrialResult, rival: TrialResult): boolean {
  if (result.saturated === null || rival.saturated === null) return false;
  if (result.saturated < MANY_SATURATED || rival.saturated > result.saturated / 2) return false;
  if (Math.abs((rival.confidence ?? 0) - rival.accuracy) > CALIBRATED) return false;
  return result.saturated >= NEARLY_ALL_SATURATED || (rival.logLoss ?? 0) < (result.logLoss ?? 0);
}

/** Paired: the mean difference of the images' losses is `z` standard errors above none, and large enough to matter. */
function losesLess(first: TrialResult, second: TrialResult, z: number): boolean {
  if (first.losses === null || second.losses === null) return false;
  const images = Math.min(first.images, second.images);
  if (images < LEAST_IMAGES) return false;
  let [sum, squares, own] = [0, 0, 0];
  for (let row = 0; row < images; row++) {
    const difference = second.losses[row]! - first.losses[row]!;
    sum += difference;
    squares += difference * difference;
    own += first.losses[row]!;
  }
  const mean = sum / images;
  const error = Math.sqrt(Math.max(0, squares / images - mean * mean) / (images - 1));
  return mean > 0.005 + 0.05 * (own / images) && mean >= z * error;
}

/** Whether two results are one but for rounding: the same predictions, and losses that differ by a thousandth at most. */
export function isSame(first: TrialResult, second: TrialResult): boolean {
  const images = Math.min(first.images, second.images);
  let [difference, own] = [0, 0];
  for (let row = 0; row < images; row++) {
    if (first.predicted[row] !== second.predicted[row]) return false;
    if (first.losses === null || second.losses === null) continue;
    difference += Math.abs(first.losses[row]! - second.losses[row]!);
    own += first.losses[row]!;
  }
  return difference / images <= 1e-6 + 1e-3 * (own / images);
}
