import type { CalibrationBin, CalibrationTest, ConfidenceBin, Estimate } from "../types.ts";
import { binomialTest, fisherCombined } from "../statistics/binomial.ts";
import { wilson } from "../statistics/wilson.ts";
import { pointEstimate } from "./intervals.ts";
import { addInto, Sums } from "./sums.ts";

/** Bins of the reliability diagram and of the expected calibration error. */
export const CALIBRATION_BINS = 15;
/** Bins of the confidence histogram. */
export const CONFIDENCE_BINS = 50;

/**
 * How often predictions of a confidence are right. The confidence of an image is the probability of its predicted
 * class, which need not be the largest: a model may answer with labels of its own.
 */
export class Calibration {
  /** bins×2: the wrong and the correct images of each reliability bin. */
  readonly #reliability = new Float64Array(2 * CALIBRATION_BINS);
  /** The confidences of each reliability bin. */
  readonly #confidences = new Sums(CALIBRATION_BINS);
  /** bins×2: the wrong and the correct images of each histogram bin. */
  readonly #histogram = new Float64Array(2 * CONFIDENCE_BINS);

  /** @param probabilities n×classes */
  add(truth: Uint8Array, predicted: Uint8Array, probabilities: Float64Array, classes: number): void {
    for (let row = 0; row < truth.length; row++) {
      const confidence = probabilities[row * classes + predicted[row]!]!;
      const correct = truth[row] === predicted[row] ? 1 : 0;
      const bin = binOf(confidence, CALIBRATION_BINS);
      this.#reliability[2 * bin + correct]! += 1;
      this.#confidences.add(bin, confidence);
      this.#histogram[2 * binOf(confidence, CONFIDENCE_BINS) + correct]! += 1;
    }
  }

  merge(other: Calibration): void {
    addInto(this.#reliability, other.#reliability);
    this.#confidences.merge(other.#confidences);
    addInto(this.#histogram, other.#histogram);
  }

  /** The reliability diagram: equal-width bins of the confidence. */
  bins(): CalibrationBin[] {
    return Array.from({ length: CALIBRATION_BINS }, (_, bin) => {
      const correct = this.#reliability[2 * bin + 1]!;
      const count = correct + this.#reliability[2 * bin]!;
      return {
        low: bin / CALIBRATION_BINS,
        high: (bin + 1) / CALIBRATION_BINS,
        count,
        accuracy: count === 0 ? null : correct / count,
        confidence: count === 0 ? null : this.#confidences.value(bin) / count,
        interval: wilson(correct, count),
      };
    });
  }

  /** The confidence histogram, correct and wrong predictions apart. */
  confidenceBins(): ConfidenceBin[] {
    return Array.from({ length: CONFIDENCE_BINS }, (_, bin) => ({
      low: bin / CONFIDENCE_BINS,
      high: (bin + 1) / CONFIDENCE_BINS,
      correct: this.#histogram[2 * bin + 1]!,
      wrong: this.#histogram[2 * bin]!,
    }));
  }

  /**
   * Mean distance of accuracy and confidence over the bins, weighted by their images.
   *
   * Source: C. Guo et al., On calibration of modern neural networks (2017).
   */
  expectedError(): Estimate {
    let distance = 0;
    let images = 0;
    for (let bin = 0; bin < CALIBRATION_BINS; bin++) {
      const correct = this.#reliability[2 * bin + 1]!;
      distance += Math.abs(correct - this.#confidences.value(bin));
      images += correct + this.#reliability[2 * bin]!;
    }
    return pointEstimate(distance / images);
  }
}

/** The largest confidence below 1 that a float32 tells from it: more than that no score claims. */
const MOST_CONFIDENT = 1 - 2 ** -24;

/**
 * Tests whether a model is as often right as it claims: in each bin by the exact binomial test of its correct images
 * against its mean confidence, all bins together by Fisher's method. Both hold for any number of images, so that a
 * calibrated model is called miscalibrated in no more than its share of runs. Null without images.
 */
export function calibrationTest(bins: readonly CalibrationBin[]): CalibrationTest | null {
  const pValues = bins.flatMap(({ count, accuracy, confidence }) =>
    accuracy === null || confidence === null
      ? []
      : [binomialTest(Math.round(accuracy * count), count, Math.min(confidence, MOST_CONFIDENT))],
  );
  if (pValues.length === 0) return null;
  return { p_value: fisherCombined(pValues), method: "exact binomial tests by bin, Fisher's combination" };
}

/** The bin (low, high] of a probability; 0 is in the first. Edges are bin/bins as a reader computes them. */
function binOf(probability: number, bins: number): number {
  const bin = Math.min(bins - 1, Math.max(0, Math.ceil(probability * bins) - 1));
  // The product may be rounded across an edge that the quotient is not: 7 / 50 * 50 is above 7.
  if (probability > (bin + 1) / bins) return Math.min(bins - 1, bin + 1);
  return bin > 0 && probability <= bin / bins ? bin - 1 : bin;
}
