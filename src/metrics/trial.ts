import type { Scores } from "../types.ts";

/** What one way to feed the pixels gave on labelled images. */
export interface Trial {
  /** k */
  readonly classes: number;
  readonly truth: Uint8Array;
  /** n: the predicted class, −1 where the scores are no distribution. */
  readonly predicted: Int16Array;
  /** n×k, rows divided by their sums, 0 where they have none; null where the scorer gives labels only. */
  readonly probabilities: Float64Array | null;
}

/** A trial in numbers, image by image. */
export interface TrialResult {
  readonly images: number;
  /** n: 1 where the prediction is right. */
  readonly right: Uint8Array;
  /** n: −ln p of the true class; null where the scorer gives labels only. */
  readonly losses: Float64Array | null;
  readonly predicted: Int16Array;
  readonly accuracy: number;
  readonly logLoss: number | null;
  /** Share of confidences of `SURE` or more. */
  readonly saturated: number | null;
}

/** Confidences from here on are 1 to float32's precision, whose last step below 1 is 6·10⁻⁸. */
export const SURE = 1 - 1e-7;

/** A true class of probability 0 costs as much as one of 10⁻¹²; so does an image without a distribution. */
const LEAST_PROBABILITY = 1e-12;

export function trialOf({ labels, probabilities }: Scores, truth: Uint8Array, classes: number): Trial {
  const predicted = Int16Array.from(labels, (label) => (label < classes ? label : -1));
  if (probabilities === null) return { classes, truth, predicted, probabilities: null };
  const rows = new Float64Array(probabilities.length);
  for (let row = 0; row < truth.length; row++) {
    const sum = sumOfRow(probabilities, row * classes, classes);
    if (sum === null) predicted[row] = -1;
    else for (let at = row * classes; at < (row + 1) * classes; at++) rows[at] = probabilities[at]! / sum;
  }
  return { classes, truth, predicted, probabilities: rows };
}

/** Null where the row is no distribution: something not finite, below 0, or all 0. */
function sumOfRow(probabilities: Float32Array | Float64Array, start: number, classes: number): number | null {
  let sum = 0;
  for (let at = start; at < start + classes; at++) {
    if (!(probabilities[at]! >= 0)) return null;
    sum += probabilities[at]!;
  }
  return sum > 0 && sum < Infinity ? sum : null;
}

/** The same way on further images. */
export function joinTrials(first: Trial, second: Trial): Trial {
  const images = first.truth.length + second.truth.length;
  const scores = (first.probabilities?.length ?? 0) + (second.probabilities?.length ?? 0);
  return {
    classes: first.classes,
    truth: joined(new Uint8Array(images), first.truth, second.truth),
    predicted: joined(new Int16Array(images), first.predicted, second.predicted),
    probabilities:
      first.probabilities && second.probabilities
        ? joined(new Float64Array(scores), first.probabilities, second.probabilities)
        : null,
  };
}

function joined<T extends Uint8Array | Int16Array | Float64Array>(target: T, first: T, second: T): T {
  target.set(first);
  target.set(second, first.length);
  return target;
}

/** @param columns k: which predicted class stands for each true one; null: the one of the same number */
export function resultOf(
  { classes, truth, predicted, probabilities }: Trial,
  columns: readonly number[] | null,
): TrialResult {
  const images = truth.length;
  const right = new Uint8Array(images);
  const losses = probabilities && new Float64Array(images);
  let [correct, saturated] = [0, 0];
  for (let row = 0; row < images; row++) {
    const column = columns === null ? truth[row]! : columns[truth[row]!]!;
    right[row] = predicted[row] === column ? 1 : 0;
    correct += right[row]!;
    if (probabilities === null || losses === null) continue;
    losses[row] = -Math.log(Math.max(probabilities[row * classes + column]!, LEAST_PROBABILITY));
    if (predicted[row] !== -1 && probabilities[row * classes + predicted[row]!]! >= SURE) saturated += 1;
  }
  return {
    images,
    right,
    losses,
    predicted,
    accuracy: correct / images,
    logLoss: losses && losses.reduce((sum, loss) => sum + loss, 0) / images,
    saturated: probabilities === null ? null : saturated / images,
  };
}

/** The first images of a trial. */
export function firstOf({ classes, truth, predicted, probabilities }: Trial, images: number): Trial {
  return {
    classes,
    truth: truth.subarray(0, images),
    predicted: predicted.subarray(0, images),
    probabilities: probabilities && probabilities.subarray(0, images * classes),
  };
}

/** Inverse temperatures among which the best one is looked for, as powers of e, and how closely. */
const COLDEST = 7;
const STEPS = 30;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * n: −ln p of the true class once the logarithms of the scores are divided by the temperature at which the mean is least
 * (Guo et al., On calibration of modern neural networks, 2017), so that being more or less sure counts for nothing. Null
 * where the scorer gives labels only.
 */
export function calibratedLosses(
  { classes, truth, probabilities }: Trial,
  columns: readonly number[] | null,
): Float64Array | null {
  if (probabilities === null) return null;
  const logits = probabilities.map((p) => Math.log(Math.max(p, LEAST_PROBABILITY)));
  const target = columns === null ? truth : Uint8Array.from(truth, (label) => columns[label]!);
  const lossesAt = (power: number) => lossesOf(logits, target, classes, Math.exp(power));
  const meanAt = (power: number) => lossesAt(power).reduce((sum, loss) => sum + loss, 0);
  // Golden-section search: the mean is convex in the inverse temperature, and so has one minimum.
  let [low, high] = [-COLDEST, COLDEST];
  let [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
  let [leftMean, rightMean] = [meanAt(left), meanAt(right)];
  for (let step = 0; step < STEPS; step++) {
    if (leftMean <= rightMean) {
      [high, right, rightMean] = [right, left, leftMean];
      left = high - GOLDEN * (high - low);
      leftMean = meanAt(left);
    } else {
      [low, left, leftMean] = [left, right, rightMean];
      right = low + GOLDEN * (high - low);
      rightMean = meanAt(right);
    }
  }
  return lossesAt((low + high) / 2);
}

function lossesOf(logits: Float64Array, target: Uint8Array, classes: number, inverse: number): Float64Array {
  return Float64Array.from(target, (column, row) => {
    const start = row * classes;
    let largest = -Infinity;
    for (let at = start; at < start + classes; at++) largest = Math.max(largest, logits[at]!);
    let sum = 0;
    for (let at = start; at < start + classes; at++) sum += Math.exp((logits[at]! - largest) * inverse);
    return (largest - logits[start + column]!) * inverse + Math.log(sum);
  });
}

/** k×k counts, rows true, columns predicted. Images without a prediction are in none. */
export function confusionOf({ classes, truth, predicted }: Trial): number[][] {
  const counts = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0));
  for (let row = 0; row < truth.length; row++) {
    if (predicted[row] !== -1) counts[truth[row]!]![predicted[row]!]! += 1;
  }
  return counts;
}
