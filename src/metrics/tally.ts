import type { Curves, Measurements, ScoredBatch } from "../types.ts";
import { Calibration, calibrationTest } from "./calibration.ts";
import { confusionMatrix, countBatch, topConfusions, weakestClass } from "./confusion.ts";
import { precisionRecallCurve, rocCurve } from "./curves.ts";
import { Losses } from "./losses.ts";
import { areas, TrueRanks, type Areas } from "./ranking.ts";
import { hasProbabilities, MOST_PROBABLE, pick } from "./rows.ts";
import { EXACT_SCORES, ScoreStore, type ScoreKind } from "./scores.ts";
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
  /**
   * Images with a label alone are in no number that needs probabilities.
   *
   * @throws RangeError where a label is no class, or a probability is not in 0 … 1
   */
  add(batch: ScoredBatch): void;
  /** Adds what another tally of the same classes has counted, and leaves that one as it is. */
  merge(other: Tally): void;
  /** What has been counted so far; every number that needs probabilities is of the images that have them, and null where a batch came without. */
  measurements(): Measurements;
}

/** @param classes k class names */
export function createTally(classes: readonly string[], options: TallyOptions = {}): Tally {
  return new RunningTally(classes, options.exactScores ?? EXACT_SCORES);
}

/** What is counted of probabilities. */
interface ScoreCounts {
  /** What ranks the images. */
  readonly kind: ScoreKind;
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
  /** Of them, those without probabilities. */
  #lacking = 0;
  /** Null before the first image, and for good after an image without probabilities. */
  #scores: ScoreCounts | null = null;

  constructor(classes: readonly string[], exactScores: number) {
    this.#classes = classes;
    this.#exactScores = exactScores;
    this.#counts = new Float64Array(classes.length ** 2);
  }

  add(batch: ScoredBatch): void {
    const { truth, probabilities } = batch;
    if (truth.length === 0) return;
    const k = this.#classes.length;
    const rows = rowsWithProbabilities(batch, k);
    countBatch(this.#counts, batch, k);
    const scores = this.#scoresOf(probabilities && (batch.logits ? "logits" : "probabilities"));
    this.#images += truth.length;
    this.#lacking += rows === null ? 0 : truth.length - rows.length;
    if (scores !== null) addScores(scores, rows === null ? batch : pick(batch, rows, 0, k), k);
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
    const scores = this.#scoresOf(other.#scores && other.#scores.kind);
    this.#images += other.#images;
    this.#lacking += other.#lacking;
    if (scores === null || other.#scores === null) return;
    scores.losses.merge(other.#scores.losses);
    scores.calibration.merge(other.#scores.calibration);
    scores.ranks.merge(other.#scores.ranks);
    scores.store.merge(other.#scores.store);
  }

  measurements(): Measurements {
    const classes = this.#classes;
    const matrix = confusionMatrix(this.#counts, classes.length);
    const scores = this.#lacking < this.#images ? this.#scores : null;
    const ranked = scores && rankingOf(scores.store, classes);
    const bins = scores && scores.calibration.bins();
    const summary = scores && ranked && { ...scores, areas: ranked.areas };
    return {
      confusionMatrix: matrix.counts.to2DArray(),
      withoutProbabilities: scores === null ? this.#images : this.#lacking,
      metrics: computeMetrics(matrix, summary),
      perClass: computeClassMetrics(matrix, summary, classes),
      weakestClass: weakestClass(matrix, classes),
      topConfusions: topConfusions(matrix, classes),
      calibration: bins && { bins, test: calibrationTest(bins) },
      confidence: scores && { bins: scores.calibration.confidenceBins() },
      curves: ranked && ranked.curves,
    };
  }

  /** The counts to add images to that come with such scores; null: without. */
  #scoresOf(kind: ScoreCounts["kind"] | null): ScoreCounts | null {
    if (kind === null) return (this.#scores = null);
    if (this.#images === 0) {
      const k = this.#classes.length;
      this.#scores = {
        kind,
        losses: new Losses(),
        calibration: new Calibration(),
        ranks: new TrueRanks(k),
        store: new ScoreStore(k, this.#exactScores, kind),
      };
    }
    if (this.#scores !== null && this.#scores.kind !== kind)
      throw new RangeError(`${kind} cannot be ranked among ${this.#scores.kind}`);
    return this.#scores;
  }
}

/** Images that all have probabilities. */
function addScores(scores: ScoreCounts, batch: ScoredBatch, classes: number): void {
  const { truth, predicted, probabilities, logits } = batch;
  if (probabilities === null) return;
  scores.losses.add(truth, probabilities, classes);
  scores.calibration.add(truth, predicted, probabilities, classes);
  scores.ranks.add(truth, logits ?? probabilities);
  scores.store.add(truth, logits ?? probabilities);
}

/**
 * The rows that have probabilities; null: all. What is out of range would be counted in another class's cell, or in no
 * bin: nothing of such a batch is counted.
 */
function rowsWithProbabilities(batch: ScoredBatch, classes: number): readonly number[] | null {
  const { truth, predicted, probabilities } = batch;
  for (let row = 0; row < truth.length; row++) {
    const label = Math.max(truth[row]!, predicted[row]!);
    if (label >= classes) {
      throw new RangeError(`label ${label} of image ${row} of the batch: there are ${classes} classes`);
    }
  }
  if (probabilities === null) return [];
  if (probabilities.length !== truth.length * classes) {
    throw new RangeError(
      `${probabilities.length} probabilities for ${truth.length} images of ${classes} classes`,
    );
  }
  let lacking = 0;
  for (let row = 0, at = 0; row < truth.length; row++) {
    if (!hasProbabilities(batch, row, classes)) {
      lacking += 1;
      at += classes;
      continue;
    }
    for (const end = at + classes; at < end; at++) {
      const p = probabilities[at]!;
      if (!(p >= 0 && p <= MOST_PROBABLE))
        throw new RangeError(`probability ${p} of image ${row} of the batch is not in 0 … 1`);
    }
  }
  if (lacking === 0) return null;
  return [...truth.keys()].filter((row) => hasProbabilities(batch, row, classes));
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
