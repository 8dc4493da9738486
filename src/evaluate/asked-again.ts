import { ScorerError } from "../errors.ts";
import { repeatability, repeatabilityWarning } from "../metrics/repeatability.ts";
import { pick } from "../metrics/rows.ts";
import { samplePositions, seededRandom } from "../random.ts";
import type { Dataset, Repeatability, ScoredBatch, Scorer } from "../types.ts";
import { appended, Failures, joined } from "./scored-batch.ts";

/**
 * Images that are asked again: one request. Were one answer in twenty random, this would be noticed in 96 of 100 runs with
 * labels alone, of which one that changed is taken for a near tie, and in 99 with probabilities.
 */
export const ASKED_AGAIN = 100;

export interface AskedAgain {
  readonly repeatability: Repeatability | null;
  readonly warnings: readonly string[];
}

/** Keeps a seeded random sample of a run's answers as batches go by, and asks again once they are all there. */
export class RepeatCheck {
  readonly #scorer: Scorer;
  readonly #dataset: Dataset;
  readonly #wanted: ReadonlySet<number>;
  readonly #kept: ScoredBatch[] = [];
  #position = 0;

  constructor(scorer: Scorer, dataset: Dataset, seed: number) {
    this.#scorer = scorer;
    this.#dataset = dataset;
    this.#wanted =
      scorer.askAgain === undefined
        ? new Set()
        : samplePositions(seededRandom(seed), ASKED_AGAIN, dataset.size);
  }

  add(scored: ScoredBatch): void {
    if (this.#wanted.size === 0) return;
    const start = this.#position;
    this.#position += scored.truth.length;
    const rows = [...scored.truth.keys()].filter((row) => this.#wanted.has(start + row));
    if (rows.length > 0) this.#kept.push(this.#picked(scored, rows));
  }

  async result(signal: AbortSignal): Promise<AskedAgain> {
    const { askAgain } = this.#scorer;
    if (askAgain === undefined || this.#kept.length === 0) return { repeatability: null, warnings: [] };
    const first = appended(this.#kept);
    const { indices, pixels, truth: labels } = first;
    const batch = { indices, pixels, labels };
    const failures = new Failures(this.#dataset.classes.length);
    try {
      const { scored, rows } = joined(batch, await askAgain(batch, signal), this.#dataset, failures);
      if (rows?.length === 0) return unknown(failures.images[0]!.reason);
      const { classes, shape } = this.#dataset;
      const compared = repeatability(
        rows === null ? first : this.#picked(first, rows),
        scored,
        classes,
        shape,
      );
      const warning = repeatabilityWarning(compared);
      return { repeatability: compared, warnings: warning === null ? [] : [warning] };
    } catch (error) {
      // The run has all its answers: that the service is gone now takes none of them away.
      if (error instanceof ScorerError) return unknown(error.message);
      throw error;
    }
  }

  #picked(scored: ScoredBatch, rows: readonly number[]): ScoredBatch {
    const { shape, classes } = this.#dataset;
    return pick(scored, rows, shape[0] * shape[1], classes.length);
  }
}

function unknown(reason: string): AskedAgain {
  const warning = `It is not known whether the service repeats its answers: asked again, it gave none (${reason}).`;
  return { repeatability: null, warnings: [warning] };
}
