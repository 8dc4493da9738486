import { InterruptedError } from "../errors.ts";
import type { Batch, Dataset, Scorer, Scores } from "../types.ts";

export interface InOrder {
  readonly batch: Batch;
  readonly scores: Scores;
  /** How much longer scoring has taken with this batch. */
  readonly ms: number;
}

/**
 * The batches with their scores, in the order of the files whatever the order in which a service answers. As many are
 * under way as the scorer wants at once. Ending the loop early stops them.
 *
 * @throws DatasetError, ScorerError; the signal's reason
 */
export async function* scoredInOrder(
  dataset: Dataset,
  scorer: Scorer,
  batchSize: number,
  signal: AbortSignal,
  now: () => number,
): AsyncGenerator<InOrder, void> {
  const stopped = new AbortController();
  const either = AbortSignal.any([signal, stopped.signal]);
  const reading = dataset.batches(batchSize)[Symbol.asyncIterator]();
  const pending: Promise<InOrder>[] = [];
  let busyUntil = -Infinity;

  async function score(batch: Batch): Promise<InOrder> {
    const startedAt = now();
    const scores = await scorer.score(batch, either);
    const doneAt = now();
    // Time in which several are under way counts once.
    const ms = Math.max(0, doneAt - Math.max(startedAt, busyUntil));
    busyUntil = Math.max(busyUntil, doneAt);
    return { batch, scores, ms };
  }

  try {
    for (let more = true; ;) {
      while (more && pending.length < (scorer.batchesAtOnce ?? 1)) {
        signal.throwIfAborted();
        const { done, value } = await reading.next();
        if (done === true) {
          more = false;
        } else {
          const scoring = score(value);
          // Its failure is told in its turn: until then it is no unhandled one.
          scoring.catch(() => {});
          pending.push(scoring);
        }
      }
      const first = pending.shift();
      if (first === undefined) return;
      yield await first;
    }
  } finally {
    stopped.abort(new InterruptedError("scoring was stopped"));
    await Promise.allSettled(pending);
    await reading.return?.();
  }
}
