import { MOST_PROBABLE, pick } from "../metrics/rows.ts";
import type { Batch, Dataset, Failure, ScoredBatch, Scores } from "../types.ts";

/** Rows of rounded scores may be off by this before a reader should hear of it. */
const SUM_TOLERANCE = 1e-3;
/** Failures that are listed: more say nothing new, and neither memory nor metrics.json may grow with the images. */
const MOST_LISTED = 1_000;

/** Images without a prediction: all are counted, the first are listed. */
export class Failures {
  count = 0;
  /** k: how many of them are of each class. */
  readonly perClass: number[];
  readonly images: Failure[] = [];
  /** Images whose scores are no probabilities: those of them that are without a prediction, and those whose scores are all 0. */
  readonly unusable = { unpredicted: 0, zero: 0 };

  constructor(classes: number) {
    this.perClass = Array.from({ length: classes }, () => 0);
  }

  add(failure: Failure, truth: number): void {
    if (this.images.length < MOST_LISTED) this.images.push(failure);
    this.count += 1;
    this.perClass[truth]! += 1;
  }
}

export interface Joined {
  readonly scored: ScoredBatch;
  /** Positions in the batch that `scored` holds; null: all. */
  readonly rows: readonly number[] | null;
  /** Rows whose scores summed to something other than one. */
  readonly rowSumsOff: number;
}

/**
 * Joins truth and scores. An image whose scores are no probabilities has its label alone, where that is plain; one without
 * a label goes to `failures`, never to the wrong predictions.
 */
export function joined(
  batch: Batch,
  scores: Scores,
  { classes, shape }: Pick<Dataset, "classes" | "shape">,
  failures: Failures,
): Joined {
  const { labels: predicted, logits } = scores;
  const probabilities = scores.probabilities && doubles(scores.probabilities);
  const { indices, pixels, labels: truth } = batch;
  const all: ScoredBatch = { indices, pixels, truth, predicted, probabilities, ...(logits && { logits }) };
  if (scores.failed === undefined && probabilities === null)
    return { scored: all, rows: null, rowSumsOff: 0 };
  const kept: number[] = [];
  let rowSumsOff = 0;
  for (let row = 0; row < truth.length; row++) {
    const failed = scores.failed?.get(row);
    if (failed !== undefined) {
      failures.add({ index: indices[row]!, ...failed }, truth[row]!);
      continue;
    }
    const sum = probabilities === null ? 1 : sumOf(probabilities, row * classes.length, classes.length);
    if (sum !== null) {
      if (Math.abs(sum - 1) > SUM_TOLERANCE) rowSumsOff++;
      kept.push(row);
    } else if (keepsLabel(scores, probabilities!, row, classes.length, failures)) {
      kept.push(row);
    } else {
      const reason = "the model's scores are no probabilities: not finite, not in 0 to 1, or all 0";
      failures.add({ index: indices[row]!, reason }, truth[row]!);
    }
  }
  if (kept.length === truth.length) return { scored: all, rows: null, rowSumsOff };
  return { scored: pick(all, kept, shape[0] * shape[1], classes.length), rows: kept, rowSumsOff };
}

function doubles(numbers: Float32Array | Float64Array): Float64Array {
  return numbers instanceof Float64Array ? numbers : new Float64Array(numbers);
}

/** The sum of a row; null where it holds no probabilities: something not in 0 … 1, or nothing but 0. */
function sumOf(probabilities: Float64Array, start: number, classes: number): number | null {
  let sum = 0;
  for (let at = start; at < start + classes; at++) {
    const p = probabilities[at]!;
    if (!(p >= 0 && p <= MOST_PROBABLE)) return null;
    sum += p;
  }
  return sum > 0 ? sum : null;
}

/** The rows of several, of which each has probabilities or none has. */
export function appended(batches: readonly ScoredBatch[]): ScoredBatch {
  const table = (of: (batch: ScoredBatch) => Float64Array | null | undefined): Float64Array | null =>
    batches.some((batch) => !of(batch))
      ? null
      : Float64Array.from(batches.flatMap((batch) => [...of(batch)!]));
  const logits = table((batch) => batch.logits);
  return {
    indices: Uint32Array.from(batches.flatMap(({ indices }) => [...indices])),
    pixels: Uint8Array.from(batches.flatMap(({ pixels }) => [...pixels])),
    truth: Uint8Array.from(batches.flatMap(({ truth }) => [...truth])),
    predicted: Uint8Array.from(batches.flatMap(({ predicted }) => [...predicted])),
    probabilities: table(({ probabilities }) => probabilities),
    ...(logits && { logits }),
  };
}

/** Takes away what are no probabilities from an image whose label is known all the same. @returns whether it is */
function keepsLabel(
  { labelled = false, logits }: Scores,
  probabilities: Float64Array,
  row: number,
  classes: number,
  { unusable }: Failures,
): boolean {
  const own = probabilities.subarray(row * classes, (row + 1) * classes);
  const given = logits?.subarray(row * classes, (row + 1) * classes) ?? own;
  if (given.every((score) => score === 0)) unusable.zero += 1;
  if (!labelled && !hasLargest(given)) {
    unusable.unpredicted += 1;
    return false;
  }
  own.fill(NaN);
  return true;
}

/** Whether one score is larger than all others, and none is NaN or overflowed. */
function hasLargest(scores: Float64Array): boolean {
  const largest = Math.max(...scores);
  return largest < Infinity && scores.filter((score) => score === largest).length === 1;
}
