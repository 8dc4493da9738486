import type { Batch, Dataset, Failure, ScoredBatch, Scores } from "../types.ts";

/** Rows of rounded scores may be off by this before a reader should hear of it. */
const SUM_TOLERANCE = 1e-3;
/** Failures that are listed: more say nothing new, and neither memory nor metrics.json may grow with the images. */
const MOST_LISTED = 1_000;

/** Images without a prediction: all are counted, the first are listed. */
export class Failures {
  count = 0;
  /** Those of them that the scorer did answer, with scores that say nothing. */
  unusable = 0;
  /** k: how many of them are of each class. */
  readonly perClass: number[];
  readonly images: Failure[] = [];

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

/** Joins truth and scores; images without usable scores go to `failures`, never to the wrong predictions. */
export function joined(
  batch: Batch,
  scores: Scores,
  { classes, shape }: Pick<Dataset, "classes" | "shape">,
  failures: Failures,
): Joined {
  const all: ScoredBatch = {
    indices: batch.indices,
    pixels: batch.pixels,
    truth: batch.labels,
    predicted: scores.labels,
    probabilities: scores.probabilities && new Float64Array(scores.probabilities.length),
  };
  if (scores.failed === undefined && scores.probabilities === null)
    return { scored: all, rows: null, rowSumsOff: 0 };
  const kept: number[] = [];
  let rowSumsOff = 0;
  for (let row = 0; row < batch.labels.length; row++) {
    const failed = scores.failed?.get(row);
    if (failed !== undefined) {
      failures.add({ index: batch.indices[row]!, ...failed }, batch.labels[row]!);
      continue;
    }
    const sum = sumOf(scores.probabilities, all.probabilities, row * classes.length, classes.length);
    if (sum === null) {
      const reason = "the model's scores are no distribution: not finite, below 0, or all 0";
      failures.add({ index: batch.indices[row]!, reason }, batch.labels[row]!);
      failures.unusable += 1;
    } else {
      kept.push(row);
      if (Math.abs(sum - 1) > SUM_TOLERANCE) rowSumsOff++;
    }
  }
  if (kept.length === batch.labels.length) return { scored: all, rows: null, rowSumsOff };
  return { scored: pick(all, kept, shape[0] * shape[1], classes.length), rows: kept, rowSumsOff };
}

/**
 * Divides a row by its sum in double precision, so that it sums to one to 1e-15 whatever the model's element type; a
 * float32 softmax is off by 1e-7, which libraries treat differently. @returns the sum, 1 for labels alone, or null where
 * the row has none to divide by
 */
function sumOf(
  from: Float32Array | null,
  to: Float64Array | null,
  offset: number,
  classes: number,
): number | null {
  if (from === null || to === null) return 1;
  let sum = 0;
  for (let k = offset; k < offset + classes; k++) {
    if (!(from[k]! >= 0)) return null;
    sum += from[k]!;
  }
  if (!(sum > 0 && sum < Infinity)) return null;
  for (let k = offset; k < offset + classes; k++) to[k] = from[k]! / sum;
  return sum;
}

/** The rows of several, of which each has probabilities or none has. */
export function appended(batches: readonly ScoredBatch[]): ScoredBatch {
  const labelsOnly = batches.some(({ probabilities }) => probabilities === null);
  return {
    indices: Uint32Array.from(batches.flatMap(({ indices }) => [...indices])),
    pixels: Uint8Array.from(batches.flatMap(({ pixels }) => [...pixels])),
    truth: Uint8Array.from(batches.flatMap(({ truth }) => [...truth])),
    predicted: Uint8Array.from(batches.flatMap(({ predicted }) => [...predicted])),
    probabilities: labelsOnly
      ? null
      : Float64Array.from(batches.flatMap(({ probabilities }) => [...(probabilities ?? [])])),
  };
}

/** Some rows of a scored batch of images of `pixels` pixels. */
export function pick(
  all: ScoredBatch,
  rows: readonly number[],
  pixels: number,
  classes: number,
): ScoredBatch {
  const { probabilities } = all;
  return {
    indices: Uint32Array.from(rows, (row) => all.indices[row]!),
    pixels: pickRows(all.pixels, new Uint8Array(rows.length * pixels), rows, pixels),
    truth: Uint8Array.from(rows, (row) => all.truth[row]!),
    predicted: Uint8Array.from(rows, (row) => all.predicted[row]!),
    probabilities:
      probabilities && pickRows(probabilities, new Float64Array(rows.length * classes), rows, classes),
  };
}

function pickRows<T extends Uint8Array | Float64Array>(
  from: T,
  to: T,
  rows: readonly number[],
  width: number,
): T {
  rows.forEach((row, i) => to.set(from.subarray(row * width, (row + 1) * width), i * width));
  return to;
}
