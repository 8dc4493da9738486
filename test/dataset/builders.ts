import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

import { onTestFinished } from "vitest";

import type { CatalogEntry } from "../../src/dataset/catalog.ts";
import type { DatasetOptions, FetchSettings } from "../../src/dataset/open.ts";
import type { Batch, Dataset } from "../../src/types.ts";

const CODES = { ubyte: 0x08, byte: 0x09, short: 0x0b, int: 0x0c, float: 0x0d, double: 0x0e } as const;
const BYTES = { ubyte: 1, byte: 1, short: 2, int: 4, float: 4, double: 8 } as const;

export type TypeName = keyof typeof CODES;

/** An IDX file's bytes. Without `values`, the data is 0, 1, 2, … modulo 127. */
export function idxFile(
  dimensions: readonly number[],
  values?: ArrayLike<number>,
  type: TypeName = "ubyte",
): Buffer {
  const count = dimensions.reduce((product, side) => product * side, 1);
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header[2] = CODES[type];
  header[3] = dimensions.length;
  dimensions.forEach((side, i) => header.writeUInt32BE(side, 4 + 4 * i));
  const data = Buffer.alloc(count * BYTES[type]);
  const write = {
    ubyte: (value: number, at: number) => data.writeUInt8(value, at),
    byte: (value: number, at: number) => data.writeInt8(value, at),
    short: (value: number, at: number) => data.writeInt16BE(value, at),
    int: (value: number, at: number) => data.writeInt32BE(value, at),
    float: (value: number, at: number) => data.writeFloatBE(value, at),
    double: (value: number, at: number) => data.writeDoubleBE(value, at),
  }[type];
  for (let i = 0; i < count; i++) write(values?.[i] ?? i % 127, i * BYTES[type]);
  return Buffer.concat([header, data]);
}

/** Labels that run through the classes again and again. */
export function labelFile(count: number, classes = 10, first = 0): Buffer {
  return idxFile(
    [count],
    Array.from({ length: count }, (_, i) => first + (i % classes)),
  );
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dataset-"));
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files into a folder, made where it is missing. */
export async function put(
  folder: string,
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}

export const TINY = { images: idxFile([20, 3, 2]), labels: labelFile(20) };

/** A published data set of 20 images of 3×2 pixels in 10 classes, with the content's digests. */
export function tinyEntry(changes: Partial<CatalogEntry> = {}, files = TINY): CatalogEntry {
  const split = {
    images: { name: "tiny-images-idx3-ubyte", content: sha256(files.images), archive: null },
    labels: { name: "tiny-labels-idx1-ubyte", content: sha256(files.labels), archive: null },
    count: 20,
  };
  return {
    title: "Tiny",
    source: "https://example.org/tiny",
    classes: "0123456789".split(""),
    folder: "tiny",
    mirrors: [],
    zip: null,
    npm: null,
    transposed: false,
    firstLabel: 0,
    splits: { train: split, test: split },
    ...changes,
  };
}

/** The tiny data set's files as a mirror serves them. */
export function tinyArchives(files = TINY) {
  return {
    "tiny-images-idx3-ubyte.gz": gzipSync(files.images),
    "tiny-labels-idx1-ubyte.gz": gzipSync(files.labels),
  };
}

/** Time-outs that a test can wait for. */
export function impatient(changes: Partial<FetchSettings> = {}): FetchSettings {
  return {
    connectTimeoutMs: 2_000,
    stallTimeoutMs: 3_000,
    pollMs: 20,
    npmRoot: new URL("file:///nowhere/"),
    ...changes,
  };
}

export function datasetOptions(changes: Partial<DatasetOptions>): DatasetOptions {
  return {
    dataset: "mnist",
    split: "test",
    files: null,
    dataDir: "nowhere",
    mirrors: [],
    offline: false,
    refresh: false,
    limit: null,
    seed: 42,
    signal: new AbortController().signal,
    progress: () => {},
    warn: () => {},
    ...changes,
  };
}

/** All batches of a data set joined into one. */
export async function readAll(dataset: Dataset, batchSize = 7): Promise<Batch> {
  const batches: Batch[] = [];
  for await (const batch of dataset.batches(batchSize)) batches.push(batch);
  return {
    indices: Uint32Array.from(batches.flatMap(({ indices }) => [...indices])),
    pixels: new Uint8Array(Buffer.concat(batches.map(({ pixels }) => pixels))),
    labels: Uint8Array.from(batches.flatMap(({ labels }) => [...labels])),
  };
}

/** A zip whose members are stored uncompressed. */
export function zipFile(members: Readonly<Record<string, Buffer>>): Buffer {
  const [locals, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const [name, content] of Object.entries(members)) {
    // Version, flags, method, time, date, crc, both sizes, name's length, extra's length.
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt32LE(content.length, 14);
    shared.writeUInt32LE(content.length, 18);
    shared.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), shared, Buffer.from(name), content]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\u0001\u0002\u0014\0"), shared, tail, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(locals.length, 4);
  end.writeUInt16LE(locals.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, central, Buffer.from("PK\u0005\u0006"), end]);
}
