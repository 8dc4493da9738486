import { imagesAtOnce, PREFLIGHT_PIXELS } from "../large-images.ts";
import type { Batch, Dataset } from "../types.ts";
import { joined } from "./batch.ts";

export interface Peeked {
  /** The first images. */
  readonly first: Batch;
  /** The data set from its start: its first reading in batches of the same size goes on where this one stopped. */
  readonly dataset: Dataset;
  /** Closes the reading that `dataset` would go on with: needed only where it is never read. */
  readonly close: () => Promise<void>;
}

/** Images that are read ahead, at least: to see what a scorer makes of them. */
const FIRST_IMAGES = 300;

/** Reads the first images of a data set, and gives it back with nothing lost. @throws DatasetError, InterruptedError */
export async function peek(dataset: Dataset, batchSize: number): Promise<Peeked> {
  const reading = dataset.batches(batchSize)[Symbol.asyncIterator]();
  const close = async (): Promise<void> => void (await reading.return?.());
  const held: Batch[] = [];
  const images = imagesAtOnce(FIRST_IMAGES, dataset.shape, PREFLIGHT_PIXELS);
  try {
    for (let read = 0; read < images;) {
      const { done, value } = await reading.next();
      if (done === true) break;
      held.push(value);
      read += value.labels.length;
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { first: joined(held), dataset: resumed(dataset, batchSize, held, reading), close };
}

/** The data set, whose first reading in batches of `batchSize` is the one that was begun. */
function resumed(dataset: Dataset, batchSize: number, held: Batch[], reading: AsyncIterator<Batch>): Dataset {
  let begun = true;
  const goOn: AsyncIterator<Batch> = {
    async next() {
      const batch = held.shift();
      return batch === undefined ? reading.next() : { done: false, value: batch };
    },
    async return() {
      held.length = 0;
      await reading.return?.();
      return { done: true, value: undefined };
    },
  };
  return {
    ...dataset,
    files: () => dataset.files(),
    batches(size) {
      if (!begun || size !== batchSize) return dataset.batches(size);
      begun = false;
      return { [Symbol.asyncIterator]: () => goOn };
    },
  };
}
