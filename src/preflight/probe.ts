import { imagesAtOnce } from "../large-images.ts";
import { seededRandom, type Random } from "../random.ts";
import type { Batch, Dataset } from "../types.ts";

export interface ProbeOptions {
  /** Images in the probe. */
  readonly images?: number;
  /** Images at the start of the data set among which they are chosen. */
  readonly readAhead?: number;
}

export interface Probe {
  /** Images of all classes in turn, so that its beginning is balanced too. */
  readonly probe: Batch;
  /** The data set from its start: its first reading in batches of the same size goes on where the probe stopped. */
  readonly dataset: Dataset;
  /** Closes the reading that `dataset` would go on with: needed only where it is never read. */
  readonly close: () => Promise<void>;
}

const IMAGES = 300;
const READ_AHEAD = 2_500;
/** 256 MiB, held of both: 16 images of 4096×4096, of which 10 are enough to decide. */
const MOST_PIXELS = 1 << 28;
/** Share of the classes without which the first images say too little about the whole. */
const ENOUGH_CLASSES = 0.8;

/**
 * Takes a few hundred labelled images, as many of each class as there are, from the start of a data set, and gives
 * back the data set with nothing lost. The images depend on the seed and not on the batches. Where the start lacks
 * many classes, as in files that are sorted by class, the whole data set is read once more to choose from all of it.
 *
 * @throws DatasetError, InterruptedError
 */
export async function takeProbe(
  dataset: Dataset,
  batchSize: number,
  seed: number,
  options: ProbeOptions = {},
): Promise<Probe> {
  const images = imagesAtOnce(options.images ?? IMAGES, dataset.shape, MOST_PIXELS);
  const readAhead = imagesAtOnce(options.readAhead ?? READ_AHEAD, dataset.shape, MOST_PIXELS);
  const reading = dataset.batches(batchSize)[Symbol.asyncIterator]();
  const close = async (): Promise<void> => void (await reading.return?.());
  const reservoir = new Reservoir(dataset.classes.length, images, seededRandom(seed));
  const held: Batch[] = [];
  try {
    for (let read = 0; read < readAhead;) {
      const { done, value } = await reading.next();
      if (done === true) break;
      held.push(value);
      // Up to a number of images rather than of batches, so that the batch size changes nothing.
      reservoir.offer(value, Math.min(value.labels.length, readAhead - read));
      read += value.labels.length;
    }
    if (dataset.size > readAhead && reservoir.classesSeen < ENOUGH_CLASSES * dataset.classes.length) {
      await close();
      return { probe: await probeOfAll(dataset, batchSize, seed, images), dataset, close };
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { probe: reservoir.probe(), dataset: resumed(dataset, batchSize, held, reading), close };
}

async function probeOfAll(dataset: Dataset, batchSize: number, seed: number, images: number): Promise<Batch> {
  const reservoir = new Reservoir(dataset.classes.length, images, seededRandom(seed));
  for await (const batch of dataset.batches(batchSize)) reservoir.offer(batch, batch.labels.length);
  return reservoir.probe();
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

interface Kept {
  readonly index: number;
  readonly label: number;
  readonly pixels: Uint8Array;
}

/**
 * A random sample of images as they come by, as even over the classes as they allow, in memory of the sample alone.
 * Within a class every subset is equally likely: while there is room all its images are kept; once another class
 * needs the room, a random one leaves, and from then on the class keeps its number (Vitter's algorithm R, 1985).
 */
class Reservoir {
  /** k */
  readonly #kept: Kept[][];
  /** k: images of the class that came by. */
  readonly #seen: number[];
  readonly #size: number;
  readonly #random: Random;
  #total = 0;

  constructor(classes: number, size: number, random: Random) {
    this.#kept = Array.from({ length: classes }, () => []);
    this.#seen = Array.from({ length: classes }, () => 0);
    this.#size = size;
    this.#random = random;
  }

  get classesSeen(): number {
    return this.#seen.filter((count) => count > 0).length;
  }

  /** Shows it the first `count` images of a batch. */
  offer({ indices, labels, pixels }: Batch, count: number): void {
    const width = pixels.length / labels.length;
    for (let i = 0; i < count; i++) {
      const kept = this.#kept[labels[i]!]!;
      const seen = (this.#seen[labels[i]!]! += 1);
      const place = this.#placeIn(kept, seen);
      if (place === null) continue;
      // A copy, so that one image does not keep its whole batch in memory.
      kept[place] = {
        index: indices[i]!,
        label: labels[i]!,
        pixels: pixels.slice(i * width, (i + 1) * width),
      };
    }
  }

  /** Where the class's image number `seen` goes; null: nowhere. */
  #placeIn(kept: Kept[], seen: number): number | null {
    if (kept.length === seen - 1 && this.#makeRoom(kept)) return kept.length;
    const place = this.#random.below(seen);
    return place < kept.length ? place : null;
  }

  #makeRoom(forClass: readonly Kept[]): boolean {
    if (this.#total < this.#size) {
      this.#total += 1;
      return true;
    }
    const largest = this.#kept.reduce((most, kept) => (kept.length > most.length ? kept : most));
    if (forClass.length + 1 >= largest.length) return false;
    largest.splice(this.#random.below(largest.length), 1);
    return true;
  }

  /** One image of each class in turn, each class's in file order. */
  probe(): Batch {
    const ordered = this.#kept.map((kept) => kept.toSorted((a, b) => a.index - b.index));
    const rounds = Math.max(0, ...ordered.map((kept) => kept.length));
    const all: Kept[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const kept of ordered) if (kept[round] !== undefined) all.push(kept[round]!);
    }
    return {
      indices: Uint32Array.from(all, ({ index }) => index),
      labels: Uint8Array.from(all, ({ label }) => label),
      pixels: new Uint8Array(Buffer.concat(all.map(({ pixels }) => pixels))),
    };
  }
}
