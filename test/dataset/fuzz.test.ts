import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { expect, test } from "vitest";

import { openDataset } from "../../src/dataset/open.ts";
import { DatasetError } from "../../src/errors.ts";
import { seededRandom, type Random } from "../../src/random.ts";
import { datasetOptions, readAll, TINY, tinyEntry } from "./builders.ts";

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 3000);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
const OPEN_FILES = "/proc/self/fd";
const ALLOWED_GROWTH = 150 * 2 ** 20;

const openFiles = () => (existsSync(OPEN_FILES) ? readdirSync(OPEN_FILES).length : 0);

/** One change: a byte set, a bit flipped, a cut, bytes appended, taken out or doubled. */
function mutated(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length);
  const copy = Buffer.from(bytes);
  const junk = Buffer.from(Array.from({ length: 1 + random.below(40) }, () => random.below(256)));
  switch (random.below(7)) {
    case 0:
      copy[at] = random.below(256);
      return copy;
    case 1:
      copy[at] = (copy[at] as number) ^ (1 << random.below(8));
      return copy;
    case 2:
      return copy.subarray(0, at);
    case 3:
      return Buffer.concat([copy, random.below(2) === 0 ? junk : Buffer.alloc(junk.length)]);
    case 4:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(at + junk.length)]);
    case 5:
      return Buffer.concat([copy.subarray(0, at), junk, copy.subarray(at)]);
    default:
      // The header is where a change matters most.
      copy[random.below(Math.min(20, copy.length))] = random.below(256);
      return copy;
  }
}

function mutatedTimes(bytes: Buffer, random: Random): Buffer {
  let result = bytes;
  for (let times = random.below(3); times >= 0; times--)
    if (result.length > 0) result = mutated(result, random);
  return result;
}

/** The file as it may reach a user: plain or gzipped, damaged before or after it was compressed, or whole. */
function damaged(bytes: Buffer, random: Random): Buffer {
  switch (random.below(5)) {
    case 0:
      return bytes;
    case 1:
      return gzipSync(mutatedTimes(bytes, random), { level: 1 });
    case 2:
    case 3:
      return mutatedTimes(gzipSync(bytes, { level: 1 }), random);
    default:
      return mutatedTimes(bytes, random);
  }
}

test(
  `openDataset(options) ends damaged files in a DatasetError or gives right data, ${RUNS} times`,
  { timeout: 60_000 + RUNS * 20 },
  async () => {
    const memory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
    const folder = await mkdtemp(join(memory, "fuzz-"));
    const random = seededRandom(SEED);
    const outcomes = { right: 0, refused: 0 };
    const entry = tinyEntry({ folder: "." });
    const [images, labels] = [join(folder, "tiny-images-idx3-ubyte"), join(folder, "tiny-labels-idx1-ubyte")];
    const [before, openBefore] = [process.memoryUsage().rss, openFiles()];
    try {
      for (let run = 0; run < RUNS; run++) {
        await writeFile(images, damaged(TINY.images, random));
        await writeFile(labels, damaged(TINY.labels, random));
        const published = random.below(2) === 0;
        const limit = random.below(3) === 0 ? 1 + random.below(25) : null;
        const files = published ? null : { images, labels, classes: null };
        const batchSize = 1 + random.below(30);
        try {
          const dataset = await openDataset(datasetOptions({ dataDir: folder, files, limit, seed: run }), {
            entry,
          });
          const { pixels, labels, indices } = await readAll(dataset, batchSize);
          expect(indices).toHaveLength(dataset.size);
          expect(labels).toHaveLength(dataset.size);
          expect(pixels).toHaveLength(dataset.size * dataset.shape[0] * dataset.shape[1]);
          for (const label of labels) if (label >= dataset.classes.length) throw new Error(`label ${label}`);
          expect(dataset.files()).toHaveLength(2);
          if (published) {
            for (const [i, index] of indices.entries()) {
              if (labels[i] !== TINY.labels[8 + index])
                throw new Error(`wrong label at ${index}, run ${run}`);
              const original = TINY.images.subarray(16 + 6 * index, 22 + 6 * index);
              if (!original.equals(pixels.subarray(6 * i, 6 * i + 6)))
                throw new Error(`wrong image ${index}, run ${run}`);
            }
          }
          outcomes.right++;
        } catch (error) {
          if (!(error instanceof DatasetError))
            throw new Error(`run ${run} with seed ${SEED}`, { cause: error });
          outcomes.refused++;
        }
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    expect(outcomes.right).toBeGreaterThan(RUNS / 50);
    expect(outcomes.refused).toBeGreaterThan(RUNS / 3);
    expect(openFiles()).toBeLessThan(openBefore + 5);
    expect(process.memoryUsage().rss - before).toBeLessThan(ALLOWED_GROWTH);
  },
);
