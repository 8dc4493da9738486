import { rowsOf } from "./dataset/batch.ts";
import { RepeatCheck } from "./evaluate/asked-again.ts";
import { scoredInOrder } from "./evaluate/in-order.ts";
import { Failures, joined } from "./evaluate/scored-batch.ts";
import { examplePicker } from "./metrics/examples.ts";
import { createGuards } from "./metrics/guards.ts";
import { createLatencyTally } from "./metrics/latency.ts";
import { createParityTally, type Likeness, type ParityTally } from "./metrics/parity.ts";
import { pick } from "./metrics/rows.ts";
import { createTally, curveWarnings } from "./metrics/tally.ts";
import { accuracyRange } from "./metrics/unanswered.ts";
import { grouped } from "./grouped.ts";
import type {
  Batch,
  Dataset,
  Evaluation,
  Measurements,
  Parity,
  Preflight,
  ScoredBatch,
  ScoreMeaning,
  Scorer,
  ScorerDescription,
} from "./types.ts";

export { ASKED_AGAIN } from "./evaluate/asked-again.ts";

export interface EvaluateOptions {
  readonly dataset: Dataset;
  readonly scorer: Scorer;
  /** How the scorer's preprocessing was found; null where there was nothing to choose. */
  readonly preflight: Preflight | null;
  /** A local model that scores the same images, to compare a service with; null: none. */
  readonly reference: Reference | null;
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

export interface Reference {
  readonly scorer: Scorer;
  /** Finds out what is behind a skew; null where there is none. */
  readonly explain: (tally: ParityTally) => Promise<Likeness | null>;
}

/** What scoring alone gives: the evaluation but for the run's own circumstances, which the command adds. */
export type Outcome = Omit<Evaluation, "createdAt" | "durationSeconds" | "environment" | "gates">;

/**
 * The job itself: every image of the data set is scored, and the scores become one value from which all charts and
 * reports are made. Memory holds a few batches, whatever the size of the data set.
 *
 * @throws DatasetError where the data is corrupt, ScorerError where the model cannot score it.
 */
export async function evaluate(options: EvaluateOptions): Promise<Outcome> {
  const { dataset, scorer, seed, signal, batchSize, now = () => performance.now() } = options;
  const tally = createTally(dataset.classes);
  const examples = examplePicker(dataset, seed);
  const guards = createGuards(dataset.classes.length);
  const failures = new Failures(dataset.classes.length);
  const latency = scorer.traffic === undefined ? null : createLatencyTally();
  scorer.traffic?.observe((record) => latency?.add(record));
  const meaning = meaningOf(scorer.describe());
  // Scores of one class against the rest are not meant to sum to one.
  const sumsToOne = meaning !== "one-vs-rest";
  const repeatCheck = new RepeatCheck(scorer, dataset, seed);
  const parity = options.reference && comparison(options.reference, dataset, signal);
  let images = 0;
  let scoringMs = 0;
  for await (const { batch, scores, ms } of scoredInOrder(dataset, scorer, batchSize, signal, now)) {
    scoringMs += ms;
    const { scored, rows, rowSumsOff } = joined(batch, scores, dataset, failures);
    tally.add(scored);
    guards.add(scored, sumsToOne ? rowSumsOff : 0);
    examples.add(scored);
    repeatCheck.add(scored);
    await parity?.add(batch, scored, rows);
    await options.onScored(scored);
    images += scored.truth.length;
    options.onProgress(images + failures.count);
  }
  const { name, split, classes, shape, source } = dataset;
  const measurements = tally.measurements();
  const askedAgain = await repeatCheck.result(signal);
  return {
    schemaVersion: 1,
    seed,
    dataset: {
      name,
      split,
      images: images + failures.count,
      scored: images,
      classes,
      shape,
      files: dataset.files(),
      source,
    },
    scorer: scorer.describe(),
    preflight: options.preflight,
    imagesPerSecond: scoringMs > 0 ? ((images + failures.count) * 1000) / scoringMs : null,
    ...measurements,
    failures: {
      count: failures.count,
      perClass: failures.perClass,
      accuracyRange: accuracyRange(measurements, failures),
      images: failures.images,
    },
    parity: (await parity?.result()) ?? null,
    repeatability: askedAgain.repeatability,
    comparison: null,
    latency: latency?.latency(scorer.traffic?.resumed() ?? 0) ?? null,
    slices: null,
    warnings: [
      ...askedAgain.warnings,
      ...warningsOf(measurements, images, failures, scorer.describe()),
      ...guards.findings(measurements, classes, failures.unusable).map(({ text }) => text),
    ],
    examples: examples.picked(),
  };
}

/** What a reader must know before believing the numbers. */
function warningsOf(
  measurements: Measurements,
  images: number,
  failures: Failures,
  scorer: ScorerDescription,
): string[] {
  const warnings: string[] = [];
  const unanswered = failures.count - failures.unusable.unpredicted;
  if (unanswered > 0) {
    warnings.push(
      `${grouped(unanswered)} of ${grouped(images + failures.count)} images have no answer from the service that can be used: they ` +
        "have no prediction and are in no number of this report. Their reasons are listed under failures.",
    );
  }
  if (meaningOf(scorer) === "labels" && images > 0) {
    const who = scorer.kind === "endpoint" ? "service" : "model";
    warnings.push(
      `The ${who} gives labels only: every metric and chart that needs probabilities is left out.`,
    );
  }
  return [...warnings, ...curveWarnings(measurements)];
}

/** Scores each batch by the reference too, and compares the images that both have an answer for. */
function comparison(
  { scorer, explain }: Reference,
  dataset: Dataset,
  signal: AbortSignal,
): {
  add(batch: Batch, scored: ScoredBatch, rows: readonly number[] | null): Promise<void>;
  result(): Promise<Parity>;
} {
  const tally = createParityTally(dataset.classes, dataset.shape);
  return {
    async add(batch, scored, rows) {
      const part = rows === null ? batch : rowsOf(batch, rows);
      const own = joined(
        part,
        await scorer.score(part, signal),
        dataset,
        new Failures(dataset.classes.length),
      );
      tally.add(
        own.rows === null
          ? scored
          : pick(scored, own.rows, scored.pixels.length / scored.truth.length, dataset.classes.length),
        own.scored,
      );
    },
    async result() {
      return tally.parity(scorer.describe(), await explain(tally));
    },
  };
}

function meaningOf({ model, endpoint }: ScorerDescription): ScoreMeaning | undefined {
  return (endpoint ?? model)?.meaning;
}
