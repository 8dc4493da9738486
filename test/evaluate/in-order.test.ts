import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { scoredInOrder } from "../../src/evaluate/in-order.ts";
import type { Batch, Dataset, Scorer } from "../../src/types.ts";

/** Ten batches of one image; counts readings that are open. */
function tenImages() {
  const state = { read: 0, closed: 0 };
  const dataset: Pick<Dataset, "batches"> = {
    async *batches() {
      try {
        for (let index = 0; index < 10; index++) {
          state.read += 1;
          yield await Promise.resolve({
            indices: Uint32Array.of(index),
            pixels: new Uint8Array(1),
            labels: new Uint8Array(1),
          });
        }
      } finally {
        state.closed += 1;
      }
    },
  };
  return { dataset: dataset as Dataset, state };
}

function scorerOf(batchesAtOnce: number, score: (batch: Batch, signal: AbortSignal) => Promise<void>) {
  const seen = { now: 0, most: 0 };
  const scorer = {
    batchesAtOnce,
    async score(batch, signal) {
      seen.now += 1;
      seen.most = Math.max(seen.most, seen.now);
      try {
        await score(batch, signal);
      } finally {
        seen.now -= 1;
      }
      return { labels: batch.labels, probabilities: null };
    },
  } as Pick<Scorer, "score" | "batchesAtOnce"> as Scorer;
  return { scorer, seen };
}

const never = new AbortController().signal;
const clock = () => performance.now();

async function indices(iterable: AsyncIterable<{ batch: Batch }>): Promise<number[]> {
  const all: number[] = [];
  for await (const { batch } of iterable) all.push(batch.indices[0]!);
  return all;
}

describe("scoredInOrder()", () => {
  test.each([1, 3, 20])("keeps the files' order with %d batches at once", async (atOnce) => {
    const { dataset, state } = tenImages();
    // Later batches are answered sooner.
    const { scorer, seen } = scorerOf(atOnce, ({ indices: [index = 0] }) => sleep(20 - 2 * index));
    expect(await indices(scoredInOrder(dataset, scorer, 1, never, clock))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
    expect(seen).toEqual({ now: 0, most: Math.min(atOnce, 10) });
    expect(state).toEqual({ read: 10, closed: 1 });
  });

  test("counts time in which several batches are under way once", async () => {
    const { dataset } = tenImages();
    let time = 0;
    const { scorer } = scorerOf(5, async () => {
      await Promise.resolve();
      time += 1;
    });
    let total = 0;
    for await (const { ms } of scoredInOrder(dataset, scorer, 1, never, () => time)) total += ms;
    expect(total).toBe(10);
  });

  test("tells a failure in its turn, and stops what else is under way", async () => {
    const { dataset, state } = tenImages();
    const stopped: number[] = [];
    const { scorer, seen } = scorerOf(4, async ({ indices: [index = 0] }, signal) => {
      if (index === 2) throw new Error("no answer for 2");
      if (index < 2) return;
      await sleep(60_000, null, { signal }).catch(() => void stopped.push(index));
      signal.throwIfAborted();
    });
    const got: number[] = [];
    const loop = async () => {
      for await (const { batch } of scoredInOrder(dataset, scorer, 1, never, clock))
        got.push(batch.indices[0]!);
    };
    await expect(loop()).rejects.toThrow("no answer for 2");
    expect({ got, stopped, now: seen.now }).toEqual({ got: [0, 1], stopped: [3, 4, 5], now: 0 });
    expect(state.closed).toBe(1);
  });

  test("stops where the loop does", async () => {
    const { dataset, state } = tenImages();
    const { scorer, seen } = scorerOf(3, async ({ indices: [index = 0] }, signal) => {
      if (index > 0) await sleep(60_000, null, { signal });
    });
    for await (const { batch } of scoredInOrder(dataset, scorer, 1, never, clock)) {
      expect(batch.indices[0]).toBe(0);
      break;
    }
    expect({ now: seen.now, closed: state.closed }).toEqual({ now: 0, closed: 1 });
  });

  test("rejects with the signal's reason", async () => {
    const { dataset } = tenImages();
    const controller = new AbortController();
    const { scorer } = scorerOf(2, (_, signal) =>
      sleep(60_000, undefined, { signal }).catch(() => signal.throwIfAborted()),
    );
    const reading = indices(scoredInOrder(dataset, scorer, 1, controller.signal, clock));
    controller.abort(new Error("Ctrl-C"));
    await expect(reading).rejects.toThrow("Ctrl-C");
  });
});
