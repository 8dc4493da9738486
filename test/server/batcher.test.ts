import { describe, expect, test } from "vitest";

import type { NumberBlock } from "../../src/scorer/protocols/service.ts";
import { AbortedError } from "../../src/server/aborted.ts";
import { Batcher, type BatcherOptions } from "../../src/server/batcher.ts";
import type { Scores } from "../../src/types.ts";

const answer = (rows: NumberBlock, count: number): Scores => ({
  labels: Uint8Array.from({ length: count }, (_, row) => rows[row * 2]!),
  probabilities: Float32Array.from({ length: count * 2 }, (_, i) => (i % 2 === 0 ? 1 : 0)),
});

function batcher(options: Partial<BatcherOptions> = {}) {
  const runs: [rows: number, requests: number][] = [];
  const made = new Batcher({
    score: (rows, count) => Promise.resolve(answer(rows, count)),
    rowSize: 2,
    classes: 2,
    hasProbabilities: true,
    ownLabels: false,
    mostRows: 8,
    delayMs: 0,
    othersComing: () => false,
    onRun: (rows, requests) => void runs.push([rows, requests]),
    ...options,
  });
  /** Images whose labels are these, in blocks of so many rows. */
  const submit = (labels: readonly number[], blockRows = labels.length) => {
    const blocks: Float32Array[] = [];
    for (let start = 0; start < labels.length; start += blockRows)
      blocks.push(Float32Array.from(labels.slice(start, start + blockRows).flatMap((label) => [label, 0])));
    return made.submit({ blocks, dims: [labels.length, 2] }, labels.length);
  };
  return { submit, runs, made };
}

const labelsOf = async ({ scores }: { readonly scores: Promise<Scores> }): Promise<number[]> => [
  ...(await scores).labels,
];

describe("Batcher", () => {
  test("scores what comes in one turn of the event loop in one run, each request's answers its own", async () => {
    const { submit, runs, made } = batcher();
    const jobs = [submit([1, 2]), submit([3]), submit([4, 5])];
    expect(made.queued).toBe(5);
    expect(await Promise.all(jobs.map(labelsOf))).toEqual([[1, 2], [3], [4, 5]]);
    expect(runs).toEqual([[5, 3]]);
    expect(made.queued).toBe(0);
  });

  test("fills a run up to its size, and lets a small request pass a large one", async () => {
    const { submit, runs } = batcher();
    const large = Array.from({ length: 20 }, (_, i) => i);
    const order: string[] = [];
    const first = labelsOf(submit(large)).then((labels) => (order.push("large"), labels));
    const second = labelsOf(submit([100, 101])).then((labels) => (order.push("small"), labels));
    expect(await first).toEqual(large);
    expect(await second).toEqual([100, 101]);
    expect(order).toEqual(["small", "large"]);
    expect(runs).toEqual([
      [8, 1],
      [8, 2],
      [6, 1],
    ]);
  });

  test("takes images of several blocks", async () => {
    const { submit } = batcher({ mostRows: 3 });
    const labels = Array.from({ length: 17 }, (_, i) => i);
    expect(await Promise.all([labelsOf(submit(labels, 4)), labelsOf(submit(labels, 5))])).toEqual([
      labels,
      labels,
    ]);
  });

  test("with a size of 1, scores every image alone", async () => {
    const { submit, runs } = batcher({ mostRows: 1 });
    await Promise.all([labelsOf(submit([1, 2])), labelsOf(submit([3]))]);
    expect(runs).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
  });

  /** Longer than any test. */
  const FOR_EVER = 1e9;

  test("a few images wait for those of requests that are being read, until there are none", async () => {
    let coming = true;
    const { submit, runs } = batcher({ delayMs: FOR_EVER, othersComing: () => coming });
    const first = labelsOf(submit([1]));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(runs).toEqual([]);
    coming = false;
    expect(await Promise.all([first, labelsOf(submit([2]))])).toEqual([[1], [2]]);
    expect(await labelsOf(submit([3]))).toEqual([3]);
    expect(runs).toEqual([
      [2, 2],
      [1, 1],
    ]);
  });

  test("a few images wait no longer than the delay, and many not at all", async () => {
    const { submit } = batcher({ delayMs: 5, othersComing: () => true });
    expect(await labelsOf(submit([1]))).toEqual([1]);
    const patient = batcher({ delayMs: FOR_EVER, othersComing: () => true, mostRows: 2 });
    const first = labelsOf(patient.submit([1]));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await Promise.all([first, labelsOf(patient.submit([2]))])).toEqual([[1], [2]]);
    expect(patient.runs).toEqual([[2, 2]]);
  });

  test("a request that makes a run fail fails alone", async () => {
    const { submit } = batcher({
      score: (rows, count) =>
        rows.subarray(0, count * 2).includes(66)
          ? Promise.reject(new Error("66"))
          : Promise.resolve(answer(rows, count)),
    });
    const results = await Promise.allSettled([submit([1]), submit([66]), submit([2])].map(labelsOf));
    expect(results).toEqual([
      { status: "fulfilled", value: [1] },
      { status: "rejected", reason: new Error("66") },
      { status: "fulfilled", value: [2] },
    ]);
    expect(await labelsOf(submit([3]))).toEqual([3]);
  });

  test("what is cancelled is not scored", async () => {
    const { submit, runs, made } = batcher();
    const job = submit([1, 2, 3]);
    job.cancel();
    await expect(job.scores).rejects.toThrow(new AbortedError("the images need no scores any more"));
    expect(await labelsOf(submit([4]))).toEqual([4]);
    expect(runs).toEqual([[1, 1]]);
    expect(made.queued).toBe(0);
  });
});
