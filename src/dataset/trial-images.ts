import { fileURLToPath } from "node:url";

import { packageRoot } from "../package.ts";
import { seededRandom } from "../random.ts";
import type { Batch, Dataset } from "../types.ts";
import { rowsOf } from "./batch.ts";
import { openIdxPair } from "./idx-dataset.ts";

/** Images on which the ways to feed the pixels are tried, at most. */
export const MOST_TRIAL_IMAGES = 5_000;
/** A constant, so that `--seed` changes nothing about how a model is fed. */
export const DRAW_SEED = 0;

/** The sample's files, and the sha256 of their content. */
const SAMPLE = {
  images: [
    "train-sample-images-idx3-ubyte",
    "d1735afce05a9b12ee6c7fbff0d9698444c04651add98a9e5bb72877f58cc53a",
  ],
  labels: [
    "train-sample-labels-idx1-ubyte",
    "e18e6fe44bbeb980f85a745210a0a269a8bb7b98201e0f223576115fd7d5dc6c",
  ],
} as const;

/** MNIST's training images that come with the package, the same ones in the same order each time. @throws DatasetError */
export async function mnistSample(signal: AbortSignal): Promise<Batch> {
  const file = ([name, content]: (typeof SAMPLE)[keyof typeof SAMPLE]) => ({
    path: fileURLToPath(new URL(`data/mnist-sample/${name}.gz`, packageRoot)),
    name: `${name}.gz`,
    advice: "install this package again",
    expected: { content, archive: null },
  });
  const dataset = await openIdxPair(
    {
      name: "mnist",
      split: "train",
      source: "http://yann.lecun.com/exdb/mnist/",
      images: file(SAMPLE.images),
      labels: file(SAMPLE.labels),
      advice: "install this package again",
      labelAdvice: "install this package again",
      classes: Array.from("0123456789"),
      firstLabel: 0,
      transposed: false,
    },
    { limit: null, seed: DRAW_SEED, signal },
  );
  return await whole(dataset);
}

/** A data set of at most some thousand images as one batch, its classes in turn. @throws DatasetError, InterruptedError */
export async function drawnImages(dataset: Dataset): Promise<Batch> {
  return inTurn(await whole(dataset), dataset.classes.length);
}

/**
 * The same images, one of each class in turn, so that their beginning is as balanced as the whole; each class's in random
 * order, the same each time.
 *
 * @param classes k
 */
export function inTurn(all: Batch, classes: number): Batch {
  const random = seededRandom(DRAW_SEED);
  const members = Array.from({ length: classes }, (): number[] => []);
  for (const [row, label] of all.labels.entries()) {
    const rows = members[label]!;
    const place = random.below(rows.length + 1);
    rows.push(rows[place] ?? row);
    rows[place] = row;
  }
  const turns = Math.max(0, ...members.map((rows) => rows.length));
  const order = Array.from({ length: turns }, (_, turn) => members.flatMap((rows) => rows[turn] ?? []));
  return rowsOf(all, order.flat());
}

/** Its images as one batch. Read to the end, which is where its files are held to their digests. */
async function whole(dataset: Dataset): Promise<Batch> {
  let all: Batch = { indices: new Uint32Array(), labels: new Uint8Array(), pixels: new Uint8Array() };
  for await (const batch of dataset.batches(Math.max(1, dataset.size))) all = batch;
  return all;
}
