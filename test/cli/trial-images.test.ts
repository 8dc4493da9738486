import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { trialImagesOf } from "../../src/cli/trial-images.ts";
import type { DatasetOptions } from "../../src/dataset/open.ts";
import type { Batch, Dataset } from "../../src/types.ts";
import { datasetOptions, idxFile } from "../dataset/builders.ts";
import { dataset, mnist } from "../train/mnist.ts";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-trial-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const own = { images: "images", labels: "labels", classes: null };

function first(split: "train" | "test", count = 1_000): Batch {
  const { pixels, labels } = mnist(split, count);
  return { pixels, labels, indices: Uint32Array.from(labels.keys()) };
}

/** What may be tried before the scored images, and how many images that gives. */
async function independent(
  changes: Partial<DatasetOptions>,
  { scored = dataset("test", 10), batch = first("test") }: { scored?: Dataset; batch?: Batch } = {},
) {
  const options = datasetOptions({ dataDir: folder, ...changes });
  const all = trialImagesOf(options, scored, batch).independent;
  return await Promise.all(
    all.map(async ({ name, foreign, load }) => [name, foreign, (await load())?.labels.length ?? null]),
  );
}

const SAMPLE = "of MNIST's training images";

test("MNIST's test images are tried on its training images", async () => {
  expect(await independent({ dataset: "mnist" })).toEqual([[SAMPLE, false, 5_000]]);
});

test("MNIST's training images are not tried on some of themselves", async () => {
  expect(await independent({ dataset: "mnist", split: "train" })).toEqual([]);
});

test("own images of ten classes are tried on MNIST's, unless they are among them", async () => {
  expect(await independent({ files: own })).toEqual([[SAMPLE, true, 5_000]]);
  expect(await independent({ files: own }, { batch: first("train") })).toEqual([[SAMPLE, true, null]]);
});

test("own images of another size or number of classes are tried on none", async () => {
  const letters = { ...dataset("test", 10), classes: Array.from("abcdefghijk") };
  expect(await independent({ files: own }, { scored: letters })).toEqual([]);
  expect(await independent({ files: own }, { scored: { ...dataset("test", 10), shape: [27, 28] } })).toEqual(
    [],
  );
});

test("a known data set is tried on its own training images where they are cached, and sound", async () => {
  const title = "of EMNIST mnist's training images";
  expect(await independent({ dataset: "emnist-mnist" })).toEqual([
    [title, false, null],
    [SAMPLE, true, 5_000],
  ]);
  mkdirSync(join(folder, "emnist"));
  const file = (kind: string) => join(folder, "emnist", `emnist-mnist-train-${kind}-ubyte`);
  const { pixels, labels } = mnist("train", 50);
  writeFileSync(file("images-idx3"), idxFile([50, 28, 28], [...pixels]));
  writeFileSync(file("labels-idx1"), idxFile([50], [...labels]));
  expect((await independent({ dataset: "emnist-mnist" }))[0]).toEqual([title, false, 50]);
  writeFileSync(file("labels-idx1"), idxFile([49], [...labels.subarray(0, 49)]));
  expect((await independent({ dataset: "emnist-mnist" }))[0]).toEqual([title, false, null]);
});

test("the first scored images are looked at where they show enough classes, else a draw of all", async () => {
  const [images, labels] = [join(folder, "sorted-images"), join(folder, "sorted-labels")];
  const all = Array.from({ length: 400 }, (_, i) => Math.floor(i / 40));
  writeFileSync(images, idxFile([400, 1, 1], all));
  writeFileSync(labels, idxFile([400], all));
  const options = datasetOptions({
    dataDir: folder,
    files: { images, labels, classes: null },
    limit: 7,
    seed: 5,
  });
  const batch = (rows: number[]): Batch => ({
    indices: Uint32Array.from(rows),
    labels: Uint8Array.from(rows, (row) => all[row]!),
    pixels: Uint8Array.from(rows, (row) => all[row]!),
  });
  const looked = async (rows: number[]) =>
    (await trialImagesOf(options, dataset("test", 10), batch(rows)).firstScored.load())!.labels;
  expect((await looked([0, 40, 80, 120, 160, 200, 240, 280])).length).toBe(8);
  const drawn = await looked([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(drawn.length).toBe(400);
  expect([...drawn.subarray(0, 10)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
