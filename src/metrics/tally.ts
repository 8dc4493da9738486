import type { Curves, Measurements, ScoredBatch } from "../types.ts";
import { Calibration, calibrationTest } from "./calibration.ts";
import { confusionMatrix, countBatch, topConfusions, weakestClass } from "./confusion.ts";
import { precisionRecallCurve, rocCurve } from "./curves.ts";
import { Losses } from "./losses.ts";
import { areas, TrueRanks, type Areas } from "./ranking.ts";
import { EXACT_SCORES, ScoreStore } from "./scores.ts";
import { addInto } from "./sums.ts";
import { computeClassMetrics, computeMetrics } from "./table.ts";

export interface TallyOptions {
  /** How many scores (images × classes) are kept for exact areas before they are counted into bins. */
  readonly exactScores?: number;
}

/**
 * The running count behind every measurement. Its memory does not grow with the number of images, and batches of any
 * size, in any order, over any number of merged shards give the same measurements to the last bit.
 */
export interface Tally {
  /** @throws RangeError where a label is no class, or a probability is not in 0 … 1 */
  add(batch: ScoredBatch): void;
  /** Adds what another tally of the same classes has counted, and leaves that one as it is. */
  merge(other: Tally): void;
  /** What has been counted so far; every number that needs probabilities is null unless all images have them. */
  measurements(): Measurements;
}

/** @param classes k class names */
export function createTally(classes: readonly string[], options: TallyOptions = {}): Tally {
  return new RunningTally(classes, options.exactScores ?? EXACT_SCORES);
}

/** What is counted of probabilities. */
interface ScoreCounts {
  readonly losses: Losses;
  readonly calibration: Calibration;
  readonly ranks: TrueRanks;
  readonly store: ScoreStore;
}

class RunningTally implements Tally {
  readonly #classes: readonly string[];
  readonly #exactScores: number;
  readonly #counts: Float64Array;
  #images = 0;
  /** Null before the first image, and for good after an image without probabilities. */
  #scores: ScoreCounts | null = null;

  constructor(classes: readonly string[], exactScores: number) {
    this.#classes = classes;
    this.#exactScores = exactScores;
    this.#counts = new Float64Array(classes.length ** 2);
  }

  add(batch: ScoredBatch): void {
    const { truth, predicted, probabilities } = batch;
    if (truth.length === 0) return;
    const k = this.#classes.length;
    checkBatch(batch, k);
    countBatch(this.#counts, batch, k);
    const scores = this.#scoresWith(probabilities !== null);
    this.#images += truth.length;
    if (scores === null || probabilities === null) return;
    scores.losses.add(truth, probabilities, k);
    scores.calibration.add(truth, predicted, probabilities, k);
    scores.ranks.add(truth, probabilities);
    scores.store.add(truth, probabilities);
  }

  merge(other: Tally): void {
    if (!(other instanceof RunningTally)) throw new TypeError("a tally merges with one made by createTally");
    if (other.#classes.join("\n") !== this.#classes.join("\n")) {
      throw new RangeError(
        `a tally of the classes ${this.#classes.join(", ")} cannot take in one of ${other.#classes.join(", ")}`,
      );
    }
    if (other.#images === 0) return;
    addInto(this.#counts, other.#counts);
    const scores = this.#scoresWith(other.#scores !== null);
    this.#images += other.#images;
    if (scores === null || other.#scores === null) return;
    scores.losses.merge(other.#scores.losses);
    scores.calibration.merge(other.#scores.calibration);
    scores.ranks.merge(other.#scores.ranks);
    scores.store.merge(other.#scores.store);
  }

  measurements(): Measurements {
    const classes = this.#classes;
    const matrix = confusionMatrix(this.#counts, classes.length);
    const scores = this.#scores;
    const ranked = scores && rankingOf(scores.store, classes);
    const bins = scores && scores.calibration.bins();
    const summary = scores && ranked && { ...scores, areas: ranked.areas };
    return {
      confusionMatrix: matrix.counts.to2DArray(),
      metrics: computeMetrics(matrix, summary),
      perClass: computeClassMetrics(matrix, summary, classes),
      weakestClass: weakestClass(matrix, classes),
      topConfusions: topConfusions(matrix, classes),
      calibration: bins && { bins, test: calibrationTest(bins) },
      confidence: scores && { bins: scores.calibration.confidenceBins() },
      curves: ranked && ranked.curves,
    };
  }

  /** The counts to add images to, that come with probabilities or without. */
  #scoresWith(probabilities: boolean): ScoreCounts | null {
    if (!probabilities) this.#scores = null;
    else if (this.#images === 0) {
      const k = this.#classes.length;
      this.#scores = {
        losses: new Losses(),
        calibration: new Calibration(),
        ranks: new TrueRanks(k),
        store: new ScoreStore(k, this.#exactScores),
      };
    }
    return this.#scores;
  }
}

/** What is out of range would be counted in another class's cell, or in no bin: nothing of such a batch is counted. */
function checkBatch({ truth, predicted, probabilities }: ScoredBatch, classes: number): void {
  for (let row = 0; row < truth.length; row++) {
    const label = Math.max(truth[row]!, predicted[row]!);
    if (label >= classes) {
      throw new RangeError(`label ${label} of image ${row} of the batch: there are ${classes} classes`);
    }
  }
  if (probabilities === null) return;
  if (probabilities.length !== truth.length * classes) {
    throw new RangeError(
      `${probabilities.length} probabilities for ${truth.length} images of ${classes} classes`,
    );
  }
  for (let at = 0; at < probabilities.length; at++) {
    const p = probabilities[at]!;
    if (!(p >= 0 && p <= 1)) {
      throw new RangeError(
        `probability ${p} of image ${Math.floor(at / classes)} of the batch is not in 0 … 1`,
      );
    }
  }
}

function rankingOf(
  store: ScoreStore,
  classes: readonly string[],
): { areas: (Areas | null)[]; curves: Curves } {
  const all: (Areas | null)[] = [];
  const curves = classes.map((name, c) => {
    const steps = store.steps(c);
    all.push(areas(steps));
    return { class: name, roc: rocCurve(steps), precision_recall: precisionRecallCurve(steps) };
  });
  const maxAreaError = store.exact ? null : Math.max(0, ...all.map((area) => area?.maxError ?? 0));
  return { areas: all, curves: { exact: store.exact, maxAreaError, classes: curves } };
}

/** What a reader must know before believing the areas under the curves: nothing where every score was kept. */
export function curveWarnings({ curves }: Pick<Measurements, "curves">): string[] {
  if (!curves || curves.exact) return [];
  const error = (curves.maxAreaError ?? 0).toExponential(1);
  return [
    `There are too many scores to keep them all: ROC and precision-recall curves come from counts in bins, ` +
      `and the areas under them are exact to ${error}.`,
  ];
}
