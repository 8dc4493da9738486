import { seededRandom } from "../random.ts";
import type { Batch, Dataset, SourceFile } from "../types.ts";
import { interruption, type ContentSummary, type DataFile } from "./content.ts";
import { grouped } from "../grouped.ts";
import { datasetError, type IdxHeader } from "./idx.ts";
import { checkImageHeader, checkLabelHeader, LabelDecoder, MAX_CLASSES } from "./labels.ts";
import { Readings } from "./readings.ts";
import { readHeader, RecordStream, type Expectation } from "./records.ts";
import { quotas, selection } from "./sample.ts";

/** An image file and its label file, and what is known about them before they are read. */
export interface IdxPair {
  readonly name: string;
  readonly split: string;
  readonly source: string;
  readonly images: DataFile & { readonly expected: Expectation };
  readonly labels: DataFile & { readonly expected: Expectation };
  /** What to do where the two files do not belong together. */
  readonly advice: string;
  /** What to do where a label is none of the classes. */
  readonly labelAdvice: string;
  /** Null: as many as the labels use, named by number. */
  readonly classes: readonly string[] | null;
  readonly firstLabel: number;
  readonly transposed: boolean;
}

export interface SampleOptions {
  readonly limit: number | null;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Of others that open the same files. */
  readonly readings?: Readings;
}

const COUNTING_BLOCK = 1 << 16;

/** The data set of a pair of IDX files. @throws DatasetError, InterruptedError */
export async function openIdxPair(
  pair: IdxPair,
  { limit, seed, signal, readings = new Readings() }: SampleOptions,
): Promise<Dataset> {
  const headers = await readHeaders(pair, readings, signal);
  const [size = 0, height = 0, width = 0] = headers.images.dimensions;
  const sampled = limit !== null && limit < size;
  const counts =
    sampled || pair.classes === null ? await countLabels(pair, headers.labels, readings, signal) : null;
  const classes = pair.classes ?? (counts ?? []).map((_, label) => String(label));
  const quota = sampled && counts !== null ? quotas(counts, limit) : null;
  let files: readonly SourceFile[] | null = null;
  return {
    name: pair.name,
    split: pair.split,
    classes,
    shape: pair.transposed ? [width, height] : [height, width],
    size: sampled ? limit : size,
    source: pair.source,
    async *batches(batchSize) {
      const reading = new PairReading(pair, headers, classes.length, readings, signal);
      try {
        if (counts === null || quota === null) yield* reading.all(batchSize);
        else yield* reading.chosen(batchSize, selection(counts, quota, seededRandom(seed)));
        files = await reading.finish();
      } catch (error) {
        throw await readings.explain(error, [pair.images, pair.labels]);
      } finally {
        await reading.close();
      }
    },
    files() {
      if (files === null) throw new Error("the files' digests are known only after their last batch");
      return files;
    },
  };
}

interface Headers {
  readonly images: IdxHeader;
  readonly labels: IdxHeader;
}

async function readHeaders(pair: IdxPair, readings: Readings, signal: AbortSignal): Promise<Headers> {
  const [images, labels] = await both(
    readHeader(pair.images, readings, signal),
    readHeader(pair.labels, readings, signal),
  );
  checkImageHeader(pair.images, images);
  checkLabelHeader(pair.labels, labels);
  const [imageCount = 0] = images.dimensions;
  const [labelCount = 0] = labels.dimensions;
  if (imageCount !== labelCount) {
    throw datasetError(
      { name: pair.labels.name, advice: pair.advice },
      `holds ${grouped(labelCount)} labels but ${pair.images.name} holds ${grouped(imageCount)} images`,
    );
  }
  return { images, labels };
}

/** How many images each class has. Reads the label file to its end. */
async function countLabels(
  pair: IdxPair,
  header: IdxHeader,
  readings: Readings,
  signal: AbortSignal,
): Promise<number[]> {
  const stream = new RecordStream(pair.labels, header, pair.labels.expected, readings, signal);
  const decoder = labelDecoder(pair, header, pair.classes?.length ?? MAX_CLASSES);
  const counts = Array.from({ length: MAX_CLASSES }, () => 0);
  try {
    const [total = 0] = header.dimensions;
    for (let start = 0; start < total; start += COUNTING_BLOCK) {
      const records = await stream.read(Math.min(COUNTING_BLOCK, total - start));
      for (const label of decoder.decode(records, start)) counts[label] = (counts[label] ?? 0) + 1;
    }
    await stream.finish();
  } finally {
    await stream.close();
  }
  return counts.slice(0, counts.findLastIndex((count) => count > 0) + 1);
}

function labelDecoder(pair: IdxPair, header: IdxHeader, classes: number): LabelDecoder {
  return new LabelDecoder(
    { name: pair.labels.name, advice: pair.labelAdvice },
    header,
    pair.firstLabel,
    classes,
  );
}

/** One pass over both files, side by side. */
class PairReading {
  readonly #pair: IdxPair;
  readonly #images: RecordStream;
  readonly #labels: RecordStream;
  readonly #decoder: LabelDecoder;
  readonly #signal: AbortSignal;
  readonly #total: number;
  #position = 0;

  constructor(pair: IdxPair, headers: Headers, classes: number, readings: Readings, signal: AbortSignal) {
    this.#pair = pair;
    this.#images = new RecordStream(pair.images, headers.images, pair.images.expected, readings, signal);
    this.#labels = new RecordStream(pair.labels, headers.labels, pair.labels.expected, readings, signal);
    this.#decoder = labelDecoder(pair, headers.labels, classes);
    this.#signal = signal;
    this.#total = headers.images.dimensions[0] ?? 0;
  }

  async *all(batchSize: number): AsyncGenerator<Batch> {
    while (this.#position < this.#total) yield await this.#next(batchSize);
  }

  /** The images that `take` chooses, gathered into whole batches. */
  async *chosen(batchSize: number, take: (label: number) => boolean): AsyncGenerator<Batch> {
    let held: Gathered = { indices: [], labels: [], images: [] };
    for await (const batch of this.all(batchSize)) {
      const imageBytes = batch.pixels.length / batch.indices.length;
      for (let i = 0; i < batch.indices.length; i++) {
        const label = batch.labels[i] as number;
        if (!take(label)) continue;
        held.indices.push(batch.indices[i] as number);
        held.labels.push(label);
        // A copy, so that one chosen image does not keep its whole batch in memory.
        held.images.push(batch.pixels.slice(i * imageBytes, (i + 1) * imageBytes));
        if (held.indices.length === batchSize) {
          yield joined(held);
          held = { indices: [], labels: [], images: [] };
        }
      }
    }
    if (held.indices.length > 0) yield joined(held);
  }

  async finish(): Promise<readonly SourceFile[]> {
    const [images, labels] = await both(this.#images.finish(), this.#labels.finish());
    return [sourceFile(this.#pair.images, images), sourceFile(this.#pair.labels, labels)];
  }

  async close(): Promise<void> {
    await Promise.all([this.#images.close(), this.#labels.close()]);
  }

  async #next(batchSize: number): Promise<Batch> {
    if (this.#signal.aborted) throw interruption(this.#signal);
    const start = this.#position;
    const count = Math.min(batchSize, this.#total - start);
    const [pixels, records] = await both(this.#images.read(count), this.#labels.read(count));
    const { dimensions } = this.#images.header;
    if (this.#pair.transposed) transpose(pixels, dimensions[1] ?? 0, dimensions[2] ?? 0);
    const indices = new Uint32Array(count);
    for (let i = 0; i < count; i++) indices[i] = start + i;
    this.#position += count;
    return { indices, pixels, labels: this.#decoder.decode(records, start) };
  }
}

interface Gathered {
  readonly indices: number[];
  readonly labels: number[];
  readonly images: Uint8Array[];
}

function joined({ indices, labels, images }: Gathered): Batch {
  const imageBytes = images[0]?.length ?? 0;
  const pixels = new Uint8Array(images.length * imageBytes);
  images.forEach((image, i) => pixels.set(image, i * imageBytes));
  return { indices: Uint32Array.from(indices), labels: Uint8Array.from(labels), pixels };
}

/** Exchanges rows and columns of each rows×columns image, in place. */
export function transpose(pixels: Uint8Array, rows: number, columns: number): void {
  const imageBytes = rows * columns;
  const image = new Uint8Array(imageBytes);
  for (let at = 0; at < pixels.length; at += imageBytes) {
    image.set(pixels.subarray(at, at + imageBytes));
    let to = at;
    for (let column = 0; column < columns; column++) {
      for (let row = 0; row < rows; row++) pixels[to++] = image[row * columns + column] as number;
    }
  }
}

function sourceFile(file: DataFile, { bytes, sha256 }: ContentSummary): SourceFile {
  const name = file.path.split(/[/\\]/).pop() ?? file.path;
  return { name: name.replace(/\.gz$/, ""), bytes, sha256 };
}

/** Waits for both, even where one fails: a file may be closed only when nothing is under way. The first one's error wins. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second]);
  if (a.status === "rejected") throw a.reason;
  if (b.status === "rejected") throw b.reason;
  return [a.value, b.value];
}
