import type { TrialResult } from "./trial.ts";

/** What tells two results apart. */
export type Reason = "accuracy" | "saturation" | "log loss";

/** How sure a difference has to be: the same two-sided significance, in standard errors and as a probability. */
export interface Certainty {
  readonly standardErrors: number;
  readonly significance: number;
}

export const CONVINCING: Certainty = { standardErrors: 3, significance: 0.0027 };

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
 * @param certainty how sure the difference has to be
 */
export function whyBetter(first: TrialResult, second: TrialResult, certainty = CONVINCING): Reason | null {
  const { firstOnly, secondOnly } = rightAlone(first, second);
  if (signTest(firstOnly, secondOnly) < certainty.significance) {
    return firstOnly > secondOnly ? "accuracy" : null;
  }
  if (wronglySure(second, first)) return "saturation";
  if (wronglySure(first, second)) return null;
  return losesLess(first, second, certainty) ? "log loss" : null;
}

/** The images on which one alone is right. */
function rightAlone(
  first: TrialResult,
  second: TrialResult,
): { readonly firstOnly: number; readonly secondOnly: number } {
  const images = Math.min(first.images, second.images);
  let [firstOnly, secondOnly] = [0, 0];
  for (let row = 0; row < images; row++) {
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

/** Whether `result` claims certainty where the calibrated `rival` shows that the model is not that sure. */
function wronglySure(result: TrialResult, rival: TrialResult): boolean {
  if (result.saturated === null || rival.saturated === null) return false;
  if (result.saturated < MANY_SATURATED || rival.saturated > result.saturated / 2) return false;
  if (Math.abs((rival.confidence ?? 0) - rival.accuracy) > CALIBRATED) return false;
  return result.saturated >= NEARLY_ALL_SATURATED || (rival.logLoss ?? 0) < (result.logLoss ?? 0);
}

/** Paired: the mean difference of the images' losses is surely above none, and large enough to matter. */
function losesLess(first: TrialResult, second: TrialResult, { standardErrors }: Certainty): boolean {
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
  return mean > 0.005 + 0.05 * (own / images) && mean >= standardErrors * error;
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
