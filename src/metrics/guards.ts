import type { Measurements, ScoredBatch } from "../types.ts";
import { labelFindings } from "./guards-labels.ts";
import { scoreFindings, type Finding, type ScoreCounts, type Unusable } from "./guards-scores.ts";
import { hasProbabilities } from "./rows.ts";
import { relabelling } from "./relabelling.ts";
import { SURE } from "./trial.ts";

/** Watches scored images for what points to a mistake in how a model is used rather than in the model. */
export interface Guards {
  /** @param rowSumsOff rows whose scores sum to something other than one */
  add(batch: ScoredBatch, rowSumsOff: number): void;
  /**
   * What was seen, what it may mean and what to do. The same for any batches in any order.
   *
   * @param unusable images whose scores are no probabilities
   */
  findings(measurements: Measurements, classes: readonly string[], unusable: Unusable): Finding[];
}

export type { Finding, GuardName } from "./guards-scores.ts";

/** @param classes k */
export function createGuards(classes: number): Guards {
  const counts: ScoreCounts = {
    images: 0,
    lacking: 0,
    rowSumsOff: 0,
    sure: new Float64Array(classes ** 2),
    largest: 0,
    softmaxTwice: true,
    lowest: new Float64Array(classes).fill(Infinity),
    highest: new Float64Array(classes).fill(-Infinity),
  };
  return {
    add(batch, rowSumsOff) {
      counts.rowSumsOff += rowSumsOff;
      if (batch.probabilities !== null) countScores(counts, batch, batch.probabilities, classes);
    },
    findings(measurements, names, unusable) {
      const moved = relabelling(measurements.confusionMatrix);
      return [
        ...scoreFindings(counts, measurements, moved, unusable),
        ...labelFindings(counts, measurements, names, moved),
      ];
    },
  };
}

function countScores(
  counts: ScoreCounts,
  batch: ScoredBatch,
  probabilities: Float64Array,
  classes: number,
): void {
  const { truth, predicted } = batch;
  const { sure, lowest, highest } = counts;
  let lacking = 0;
  for (let row = 0; row < truth.length; row++) {
    if (!hasProbabilities(batch, row, classes)) {
      lacking += 1;
      continue;
    }
    const given = probabilities.subarray(row * classes, (row + 1) * classes);
    for (let c = 0; c < classes; c++) {
      const p = given[c]!;
      if (p < lowest[c]!) lowest[c] = p;
      if (p > highest[c]!) highest[c] = p;
    }
    counts.softmaxTwice &&= isSoftmaxOfShares(given);
    const confidence = given[predicted[row]!]!;
    if (confidence >= SURE) sure[truth[row]! * classes + predicted[row]!]! += 1;
  }
  counts.images += truth.length - lacking;
  counts.lacking += lacking;
  counts.largest = Math.max(...highest);
}

/** How far the logarithms of float32 scores may be off. */
const LOG_ROUNDING = 1e-5;

/**
 * Whether the row is softmax of something that is itself a distribution: then its logarithms, shifted to sum to one, are
 * shares between 0 and 1, which logits are only by chance.
 */
function isSoftmaxOfShares(row: Float64Array): boolean {
  const logs = row.map(Math.log);
  const shift = (1 - logs.reduce((sum, log) => sum + log, 0)) / logs.length;
  return logs.every((log) => log + shift >= -LOG_ROUNDING && log + shift <= 1 + LOG_ROUNDING);
}
