import { createTally, curveWarnings } from "./metrics/tally.ts";
import { createGuards } from "./metrics/guards.ts";
import { examplePicker } from "./metrics/examples.ts";
import type {
  Batch,
  Dataset,
  Evaluation,
  Measurements,
  Preflight,
  ScoredBatch,
  Scorer,
  Scores,
} from "./types.ts";

export interface EvaluateOptions {
  readonly dataset: Dataset;
  readonly scorer: Scorer;
  /** How the scorer's preprocessing was found; null where there was nothing to choose. */
  readonly preflight: Preflight | null;
  readonly batchSize: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Called with each batch once it is scored, in file order; awaited, so that a slow disk slows the reading. */
  readonly onScored: (batch: ScoredBatch) => Promise<void> | void;
  /** Called with the number of images scored so far. */
  readonly onProgress: (images: number) => void;
  /** Milliseconds. */
  readonly now?: () => number;
}

/** What scoring alone gives: the evaluation but for the run's own circumstances, which the command adds. */
export type Outcome = Omit<Evaluation, "createdAt" | "durationSeconds" | "environment" | "gates">;

/** Rows of rounded scores may be off by this before a reader should hear of it. */
const SUM_TOLERANCE = 1e-3;
/** Failures that are listed: more say nothing new, and neither memory nor metrics.json may grow with the images. */
const MOST_LISTED = 1_000;

interface Failures {
  count: number;
  readonly images: { readonly index: number; readonly reason: string }[];
}

/**
 * The job itself: every image of the data set is scored, and the scores become one value from which all charts and
 * reports are made. Memory holds a few batches, whatever the size of the data set.
 *
 * @throws DatasetError where the data is corrupt, ScorerError where the model cannot score it.
 */
export async function evaluate(options: EvaluateOptions): Promise<Outcome> {
  const { dataset, scorer, seed, signal, now = () => performance.now() } = options;
  const tally = createTally(dataset.classes);
  const examples = examplePicker(dataset, seed);
  const guards = createGuards(dataset.classes.length);
  const failures: Failures = { count: 0, images: [] };
  // Scores of one class against the rest are not meant to sum to one.
  const sumsToOne = scorer.describe().model?.meaning !== "one-vs-rest";
  let images = 0;
  let scoringMs = 0;
  for await (const batch of dataset.batches(options.batchSize)) {
    signal.throwIfAborted();
    const startedAt = now();
    const scores = await scorer.score(batch, signal);
    scoringMs += now() - startedAt;
    const { scored, rowSumsOff } = scoredBatch(batch, scores, dataset, failures);
    tally.add(scored);
    guards.add(scored, sumsToOne ? rowSumsOff : 0);
    examples.add(scored);
    await options.onScored(scored);
    images += scored.truth.length;
    options.onProgress(images + failures.count);
  }
  const { name, split, classes, shape, source } = dataset;
  const measurements = tally.measurements();
  return {
    schemaVersion: 1,
    seed,
    dataset: { name, split, images, classes, shape, files: dataset.files(), source },
    scorer: scorer.describe(),
    preflight: options.preflight,
    imagesPerSecond: scoringMs > 0 ? ((images + failures.count) * 1000) / scoringMs : null,
    ...measurements,
    failures,
    parity: null,
    comparison: null,
    latency: null,
    slices: null,
    warnings: [
      ...warningsOf(measurements, images),
      ...guards.warnings(measurements, classes, failures.count),
    ],
    examples: examples.picked(),
  };
}

/** What a reader must know before believing the numbers. */
function warningsOf(measurements: Measurements, images: number): string[] {
  const warnings: string[] = [];
  if (measurements.curves === null && images > 0) {
    warnings.push(
      "The model gives labels only: every metric and chart that needs probabilities is left out.",
    );
  }
  return [...warnings, ...curveWarnings(measurements)];
}

/** Joins truth and scores; images whose scores are no numbers go to `failures`, never to the wrong predictions. */
function scoredBatch(
  batch: Batch,
  scores: Scores,
  { classes, shape }: Dataset,
  failures: Failures,
): { readonly scored: ScoredBatch; readonly rowSumsOff: number } {
  const all: ScoredBatch = {
    indices: batch.indices,
    pixels: batch.pixels,
    truth: batch.labels,
    predicted: scores.labels,
    probabilities: scores.probabilities && new Float64Array(scores.probabilities.length),
  };
  if (scores.probabilities === null || all.probabilities === null) return { scored: all, rowSumsOff: 0 };
  const kept: number[] = [];
  let rowSumsOff = 0;
  for (let row = 0; row < batch.labels.length; row++) {
    const sum = normaliseRow(scores.probabilities, all.probabilities, row * classes.length, classes.length);
    if (sum === null) {
      const reason = "the model's scores are no distribution: not finite, below 0, or all 0";
      if (failures.images.length < MOST_LISTED) failures.images.push({ index: batch.indices[row]!, reason });
      failures.count += 1;
    } else {
      kept.push(row);
      if (Math.abs(sum - 1) > SUM_TOLERANCE) rowSumsOff++;
    }
  }
  const whole = kept.length === batch.labels.length;
  return { scored: whole ? all : pick(all, kept, shape[0] * shape[1], classes.length), rowSumsOff };
}

/**
 * Divides a row by its sum in double precision, so that it sums to one to 1e-15 whatever the model's element type; a
 * float32 softmax is off by 1e-7, which libraries treat differently. @returns the sum, or null where the row has none to divide by
 */
function normaliseRow(from: Float32Array, to: Float64Array, offset: number, classes: number): number | null {
  let sum = 0;
  for (let k = offset; k < offset + classes; k++) {
    if (!(from[k]! >= 0)) return null;
    sum += from[k]!;
  }
  if (!(sum > 0 && sum < Infinity)) return null;
  for (let k = offset; k < offset + classes; k++) to[k] = from[k]! / sum;
  return sum;
}

function pick(all: ScoredBatch, rows: readonly number[], pixels: number, classes: number): ScoredBatch {
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
