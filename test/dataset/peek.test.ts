import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { peek } from "../../src/dataset/peek.ts";
import type { Dataset } from "../../src/types.ts";

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

async function indicesOf(dataset: Dataset, size: number): Promise<number[]> {
  const all: number[] = [];
  for await (const { indices } of dataset.batches(size)) all.push(...indices);
  return all;
}

describe("peek().first", () => {
  test.each([
    [1, 300],
    [7, 301],
    [1_000, 1_000],
    [10_000, 4_000],
  ])("holds whole batches of %i: %i images", async (size, images) => {
    const { first } = await peek(counting(cycling(4_000)).dataset, size);
    expect([...first.indices]).toEqual([...Array(images).keys()]);
    expect([...first.labels]).toEqual(cycling(images));
    expect([...first.pixels]).toEqual([...first.indices].flatMap((index) => [index % 256, (index * 7) % 10]));
  });

  test("is nothing of an empty data set", async () => {
    const { first, dataset } = await peek(counting([]).dataset, 3);
    expect(first).toEqual({ indices: new Uint32Array(), labels: new Uint8Array(), pixels: new Uint8Array() });
    expect(await indicesOf(dataset, 3)).toEqual([]);
  });
});

describe("peek().dataset", () => {
  test("gives every image once, in order, from one reading", async () => {
    const sizes = fc.record({ images: fc.nat(6_000), size: fc.integer({ min: 1, max: 3_000 }) });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ images, size }) => {
        const { dataset, log } = counting(cycling(images));
        const { dataset: resumed } = await peek(dataset, size);
        expect(await indicesOf(resumed, size)).toEqual([...Array(images).keys()]);
        expect(log).toEqual({ opened: 1, closed: 1, read: images });
        expect(resumed.files()).toEqual([{ name: "made-up", bytes: images, sha256: "" }]);
      }),
      { numRuns: 20 },
    );
  });

  test("can be read again, and in batches of another size", async () => {
    const { dataset, log } = counting(cycling(5_000));
    const { dataset: resumed, close } = await peek(dataset, 1_000);
    expect(await indicesOf(resumed, 999)).toEqual([...Array(5_000).keys()]);
    expect(await indicesOf(resumed, 1_000)).toEqual([...Array(5_000).keys()]);
    expect(await indicesOf(resumed, 1_000)).toEqual([...Array(5_000).keys()]);
    await close();
    expect(log).toEqual({ opened: 3, closed: 3, read: 15_000 });
  });

  test.each([1, 4])("closes the reading when it is left after %i batches", async (batches) => {
    const { dataset, log } = counting(cycling(5_000));
    const { dataset: resumed } = await peek(dataset, 1_000);
    let read = 0;
    for await (const _ of resumed.batches(1_000)) if (++read === batches) break;
    expect(log).toEqual({ opened: 1, closed: 1, read: batches * 1_000 });
  });
});

test("peek().close() closes a reading that nothing goes on with", async () => {
  const { dataset, log } = counting(cycling(5_000));
  const { close } = await peek(dataset, 1_000);
  expect(log).toEqual({ opened: 1, closed: 0, read: 1_000 });
  await close();
  expect(log).toEqual({ opened: 1, closed: 1, read: 1_000 });
});

test("peek() passes on what reading throws, with the reading closed", async () => {
  const { dataset, log } = counting(cycling(5_000));
  const broken: Dataset = {
    ...dataset,
    async *batches(size) {
      for await (const batch of dataset.batches(size)) {
        if (batch.indices[0]! >= 200) throw new Error("cut off");
        yield batch;
      }
    },
  };
  await expect(peek(broken, 100)).rejects.toThrow(new Error("cut off"));
  expect(log).toEqual({ opened: 1, closed: 1, read: 300 });
});
