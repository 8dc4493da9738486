import type { Measurements, ScoredBatch } from "../types.ts";
import { labelWarnings } from "./guards-labels.ts";
import { scoreWarnings, type ScoreCounts } from "./guards-scores.ts";
import { relabelling } from "./relabelling.ts";
import { SURE } from "./trial.ts";

/** Watches scored images for what points to a mistake in how a model is used rather than in the model. */
export interface Guards {
  /** @param rowSumsOff rows whose scores summed to something other than one before they were normalised */
  add(batch: ScoredBatch, rowSumsOff: number): void;
  /**
   * What was seen, what it most likely means and what to do, one warning a finding. The same for any batches in any order.
   *
   * @param failures images whose scores are no distribution
   */
  warnings(measurements: Measurements, classes: readonly string[], failures: number): string[];
}

/** @param classes k */
export function createGuards(classes: number): Guards {
  const counts: ScoreCounts = {
    images: 0,
    rowSumsOff: 0,
    sure: new Float64Array(classes ** 2),
    largest: 0,
    lowest: new Float64Array(classes).fill(Infinity),
    highest: new Float64Array(classes).fill(-Infinity),
  };
  return {
    add(batch, rowSumsOff) {
      counts.rowSumsOff += rowSumsOff;
      if (batch.probabilities !== null) countScores(counts, batch, batch.probabilities, classes);
    },
    warnings(measurements, names, failures) {
      const moved = relabelling(measurements.confusionMatrix);
      return [
        ...scoreWarnings(counts, measurements, moved, failures),
        ...labelWarnings(counts, measurements, names, moved),
      ];
    },
  };
}

function countScores(
  counts: ScoreCounts,
  { truth, predicted }: ScoredBatch,
  probabilities: Float64Array,
  classes: number,
): void {
  const { sure, lowest, highest } = counts;
  for (let row = 0, at = 0; row < truth.length; row++) {
    for (let c = 0; c < classes; c++, at++) {
      const p = probabilities[at]!;
      if (p < lowest[c]!) lowest[c] = p;
      if (p > highest[c]!) highest[c] = p;
    }
    const confidence = probabilities[row * classes + predicted[row]!]!;
    if (confidence >= SURE) sure[truth[row]! * classes + predicted[row]!]! += 1;
  }
  counts.images += truth.length;
  counts.largest = Math.max(...highest);
}
