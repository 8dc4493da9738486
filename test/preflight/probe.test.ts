import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { takeProbe } from "../../src/preflight.ts";
import type { Batch, Dataset } from "../../src/types.ts";

/** A data set of 1×2 pixels that tell index and label, and what became of its readings. */
function counting(labels: readonly number[], classes = 10) {
  const log = { opened: 0, closed: 0, read: 0 };
  const dataset: Dataset = {
    name: "counting",
    split: "test",
    classes: Array.from({ length: classes }, (_, c) => String(c)),
    shape: [1, 2],
    size: labels.length,
    source: "made up",
    async *batches(size) {
      log.opened += 1;
      try {
        for (let start = 0; start < labels.length; start += size) {
          const rows = [...labels.keys()].slice(start, start + size);
          log.read += rows.length;
          yield await Promise.resolve({
            indices: Uint32Array.from(rows),
            labels: Uint8Array.from(rows, (row) => labels[row]!),
            pixels: Uint8Array.from(rows.flatMap((row) => [row % 256, labels[row]!])),
          });
        }
      } finally {
        log.closed += 1;
      }
    },
    files: () => [{ name: "made-up", bytes: log.read, sha256: "" }],
  };
  return { dataset, log };
}

const cycling = (count: number, classes = 10): number[] =>
  Array.from({ length: count }, (_, i) => (i * 7) % classes);
const sorted = (count: number, classes = 10): number[] => cycling(count, classes).toSorted((a, b) => a - b);

const perClass = ({ labels }: Batch): number[] =>
  [...labels].reduce<number[]>(
    (counts, label) => counts.with(label, counts[label]! + 1),
    Array.from({ length: 10 }, () => 0),
  );

async function indicesOf(dataset: Dataset, size: number): Promise<number[]> {
  const all: number[] = [];
  for await (const { indices } of dataset.batches(size)) all.push(...indices);
  return all;
}

describe("takeProbe()", () => {
  test("takes as many of each class as there are, in turn, with their own pixels", async () => {
    const { probe } = await takeProbe(counting(cycling(5_000)).dataset, 512, 42);
    expect(perClass(probe)).toEqual(Array.from({ length: 10 }, () => 30));
    expect([...probe.labels.subarray(0, 20)]).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
    expect([...probe.pixels]).toEqual([...probe.indices].flatMap((index) => [index % 256, (index * 7) % 10]));
    expect(new Set(probe.indices).size).toBe(300);
    expect(Math.max(...probe.indices)).toBeLessThan(2_500);
  });

  test("fills up with the classes that have more where some have few", async () => {
    const labels = cycling(2_000).map((label) => (label === 3 ? 4 : label));
    labels[5] = labels[700] = 3;
    const { probe } = await takeProbe(counting(labels).dataset, 512, 42);
    const counts = perClass(probe);
    expect(counts[3]).toBe(2);
    expect(counts.toSpliced(3, 1).toSorted((a, b) => a - b)).toEqual([33, 33, 33, 33, 33, 33, 33, 33, 34]);
  });

  test("takes all of a small data set", async () => {
    const { probe } = await takeProbe(counting([1, 1, 0, 2]).dataset, 3, 42);
    expect([...probe.indices]).toEqual([2, 0, 3, 1]);
  });

  test("takes nothing of an empty one", async () => {
    const { probe, dataset } = await takeProbe(counting([]).dataset, 3, 42);
    expect(probe).toEqual({ indices: new Uint32Array(), labels: new Uint8Array(), pixels: new Uint8Array() });
    expect(await indicesOf(dataset, 3)).toEqual([]);
  });

  test("takes others with another seed, and the same with any batch size", async () => {
    const { dataset } = counting(cycling(4_000));
    const { probe } = await takeProbe(dataset, 1_000, 1);
    expect((await takeProbe(dataset, 1_000, 2)).probe).not.toEqual(probe);
    for (const size of [1, 7, 999, 2_500, 4_000, 10_000]) {
      expect((await takeProbe(dataset, size, 1)).probe).toEqual(probe);
    }
  });

  test("takes every image of a class as likely", async () => {
    const taken = Array.from({ length: 40 }, () => 0);
    for (let seed = 0; seed < 2_000; seed++) {
      const { dataset } = counting(sorted(40, 2), 2);
      const { probe } = await takeProbe(dataset, 40, seed, { images: 10, readAhead: 40 });
      for (const index of probe.indices) taken[index]! += 1;
    }
    // 500 of 2,000 each, whose standard deviation is 19.
    expect(Math.min(...taken)).toBeGreaterThan(500 - 4.5 * 19);
    expect(Math.max(...taken)).toBeLessThan(500 + 4.5 * 19);
  });

  test("chooses from the whole where the start lacks classes", async () => {
    const { dataset, log } = counting(sorted(20_000));
    const { probe, dataset: whole } = await takeProbe(dataset, 1_000, 42);
    expect(perClass(probe)).toEqual(Array.from({ length: 10 }, () => 30));
    expect(log).toEqual({ opened: 2, closed: 2, read: 23_000 });
    expect(await indicesOf(whole, 1_000)).toEqual([...Array(20_000).keys()]);
  });
});

describe("takeProbe().dataset", () => {
  test("gives every image once, in order, from one reading", async () => {
    const sizes = fc.record({ images: fc.nat(6_000), size: fc.integer({ min: 1, max: 3_000 }) });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ images, size }) => {
        const { dataset, log } = counting(cycling(images));
        const { dataset: resumed } = await takeProbe(dataset, size, 42);
        expect(await indicesOf(resumed, size)).toEqual([...Array(images).keys()]);
        expect(log).toEqual({ opened: 1, closed: 1, read: images });
        expect(resumed.files()).toEqual([{ name: "made-up", bytes: images, sha256: "" }]);
      }),
      { numRuns: 20 },
    );
  });

  test("can be read again, and in batches of another size", async () => {
    const { dataset, log } = counting(cycling(5_000));
    const { dataset: resumed, close } = await takeProbe(dataset, 1_000, 42);
    expect(await indicesOf(resumed, 999)).toEqual([...Array(5_000).keys()]);
    expect(await indicesOf(resumed, 1_000)).toEqual([...Array(5_000).keys()]);
    expect(await indicesOf(resumed, 1_000)).toEqual([...Array(5_000).keys()]);
    await close();
    expect(log).toEqual({ opened: 3, closed: 3, read: 15_000 });
  });

  test.each([1, 4])("closes the reading when it is left after %i batches", async (batches) => {
    const { dataset, log } = counting(cycling(5_000));
    const { dataset: resumed } = await takeProbe(dataset, 1_000, 42);
    let read = 0;
    for await (const _ of resumed.batches(1_000)) if (++read === batches) break;
    expect(log).toEqual({ opened: 1, closed: 1, read: Math.max(3, batches) * 1_000 });
  });
});

test("takeProbe().close() closes a reading that nothing goes on with", async () => {
  const { dataset, log } = counting(cycling(5_000));
  const { close } = await takeProbe(dataset, 1_000, 42);
  expect(log).toEqual({ opened: 1, closed: 0, read: 3_000 });
  await close();
  expect(log).toEqual({ opened: 1, closed: 1, read: 3_000 });
});

test("takeProbe() passes on what reading throws, with the reading closed", async () => {
  const { dataset, log } = counting(cycling(5_000));
  const broken: Dataset = {
    ...dataset,
    async *batches(size) {
      for await (const batch of dataset.batches(size)) {
        if (batch.indices[0]! >= 2_000) throw new Error("cut off");
        yield batch;
      }
    },
  };
  await expect(takeProbe(broken, 1_000, 42)).rejects.toThrow(new Error("cut off"));
  expect(log).toEqual({ opened: 1, closed: 1, read: 3_000 });
});
