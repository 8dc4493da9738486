import { join } from "node:path";
import { gzipSync } from "node:zlib";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { openDataset } from "../../src/dataset/open.ts";
import { InterruptedError } from "../../src/errors.ts";
import {
  datasetOptions,
  idxFile,
  labelFile,
  put,
  readAll,
  sha256,
  temporaryFolder,
  TINY,
} from "./builders.ts";

function own(folder: string, classes: readonly string[] | null = null) {
  return { images: join(folder, "i.idx"), labels: join(folder, "l.idx"), classes };
}

async function openOwn(files: Record<string, Uint8Array | string>, classes: readonly string[] | null = null) {
  const folder = await temporaryFolder();
  await put(folder, files);
  return await openDataset(datasetOptions({ files: own(folder, classes) }));
}

describe("openDataset(options) of the user's own pair", () => {
  test("reads any IDX pair, gzipped or not, under any batch size", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          count: fc.integer({ min: 1, max: 40 }),
          height: fc.integer({ min: 1, max: 5 }),
          width: fc.integer({ min: 1, max: 5 }),
          zipped: fc.tuple(fc.boolean(), fc.boolean()),
          batchSize: fc.integer({ min: 1, max: 50 }),
          members: fc.integer({ min: 1, max: 3 }),
          type: fc.constantFrom("ubyte", "byte", "short", "int"),
        }),
        async ({ count, height, width, zipped, batchSize, members, type }) => {
          const images = idxFile([count, height, width]);
          const labels = idxFile(
            [count],
            Array.from({ length: count }, (_, i) => i % 7),
            type,
          );
          const zip = (bytes: Buffer) => {
            const piece = Math.ceil(bytes.length / members);
            const pieces = Array.from({ length: members }, (_, i) =>
              bytes.subarray(i * piece, (i + 1) * piece),
            );
            return Buffer.concat(pieces.map((part) => gzipSync(part)));
          };
          const dataset = await openOwn({
            "i.idx": zipped[0] ? zip(images) : images,
            "l.idx": zipped[1] ? zip(labels) : labels,
          });
          const batch = await readAll(dataset, batchSize);
          expect(dataset).toMatchObject({
            name: "i.idx",
            source: "local files",
            size: count,
            shape: [height, width],
          });
          expect(dataset.classes).toEqual(Array.from({ length: Math.min(7, count) }, (_, i) => String(i)));
          expect(Buffer.from(batch.pixels).equals(images.subarray(16))).toBe(true);
          expect([...batch.labels]).toEqual(Array.from({ length: count }, (_, i) => i % 7));
          expect(dataset.files()).toEqual([
            { name: "i.idx", bytes: images.length, sha256: sha256(images) },
            { name: "l.idx", bytes: labels.length, sha256: sha256(labels) },
          ]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("names the classes as it is told to", async () => {
    const dataset = await openOwn({ "i.idx": TINY.images, "l.idx": labelFile(20, 3) }, [
      "cat",
      "dog",
      "eel",
      "fox",
    ]);
    expect(dataset.classes).toEqual(["cat", "dog", "eel", "fox"]);
  });

  test("batches(n) ends with InterruptedError as soon as the signal aborts", async () => {
    const folder = await temporaryFolder();
    await put(folder, { "i.idx": TINY.images, "l.idx": TINY.labels });
    const controller = new AbortController();
    const dataset = await openDataset(datasetOptions({ files: own(folder), signal: controller.signal }));
    const reason = new InterruptedError("stopped");
    let batches = 0;
    const reading = (async () => {
      for await (const _ of dataset.batches(1)) if (++batches === 2) controller.abort(reason);
    })();
    await expect(reading).rejects.toBe(reason);
    expect(batches).toBe(2);
    await expect(openDataset(datasetOptions({ files: own(folder), signal: controller.signal }))).rejects.toBe(
      reason,
    );
  });
});
