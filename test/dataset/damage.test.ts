import { execFileSync } from "node:child_process";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { expect, test } from "vitest";

import { openDataset } from "../../src/dataset/open.ts";
import { DatasetError } from "../../src/errors.ts";
import { datasetOptions, idxFile, labelFile, put, readAll, temporaryFolder } from "./builders.ts";

const IMAGES = idxFile([1000, 2, 2]);
const LABELS = labelFile(1000);
const ZIPPED = gzipSync(IMAGES);
const WHOLE = "give a whole IDX file, gzipped or not";
const PAIR = "give two files that belong together";

/** A copy with one byte changed. */
function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] as number) ^ 0xff;
  return copy;
}

interface Circumstances {
  readonly classes?: readonly string[] | null;
  readonly prepare?: ((folder: string) => Promise<unknown>) | null;
}

/** Reads a pair of files and gives the message of the error in which that ends, with the folder cut from paths. */
async function failure(
  files: Record<string, Uint8Array | string>,
  { classes = null, prepare = null }: Circumstances = {},
): Promise<string> {
  const folder = await temporaryFolder();
  await put(folder, files);
  await prepare?.(folder);
  const own = { images: join(folder, "i"), labels: join(folder, "l"), classes };
  try {
    await readAll(await openDataset(datasetOptions({ files: own })), 100);
  } catch (error) {
    if (!(error instanceof DatasetError)) throw error;
    return error.message.replaceAll(folder, "");
  }
  throw new Error("nothing was refused");
}

const makeFolder = async (folder: string) => await mkdir(join(folder, "i"));
const makePipe = async (folder: string) => execFileSync("mkfifo", [join(folder, "i")]);
const forbid = async (folder: string) => await chmod(join(folder, "i"), 0);

const DAMAGE: [string, Record<string, Uint8Array | string>, string][] = [
  ["a missing file", { l: LABELS }, `/i does not exist: ${WHOLE}`],
  ["an empty file", { i: "", l: LABELS }, `/i is empty (0 bytes): ${WHOLE}`],
  [
    "a web page",
    { i: "<!DOCTYPE html><html>", l: LABELS },
    `/i is a web page (HTML or XML), not IDX data: ${WHOLE}`,
  ],
  [
    "a gzipped web page",
    { i: gzipSync("<html>"), l: LABELS },
    `/i is a web page (HTML or XML), not IDX data: ${WHOLE}`,
  ],
  ["gzipped nothing", { i: gzipSync(""), l: LABELS }, `/i is empty (0 bytes): ${WHOLE}`],
  [
    "a cut file",
    { i: IMAGES.subarray(0, 3000), l: LABELS },
    `/i is cut short: it holds 3,000 bytes, but its header promises 4,016: ${WHOLE}`,
  ],
  [
    "a gzipped cut file",
    { i: gzipSync(IMAGES.subarray(0, 3000)), l: LABELS },
    `/i is cut short: it holds 3,000 bytes, but its header promises 4,016: ${WHOLE}`,
  ],
  [
    "a cut gzip",
    { i: ZIPPED.subarray(0, -50), l: LABELS },
    `/i is cut short: its gzip data ends early: ${WHOLE}`,
  ],
  [
    "a gzip without its trailer",
    { i: ZIPPED.subarray(0, -3), l: LABELS },
    `/i is cut short: its gzip data ends early: ${WHOLE}`,
  ],
  [
    "a gzip with another checksum",
    { i: flipped(ZIPPED, ZIPPED.length - 6), l: LABELS },
    `/i is corrupt: its gzip data cannot be decompressed (incorrect data check): ${WHOLE}`,
  ],
  [
    "a gzip with another length",
    { i: flipped(ZIPPED, ZIPPED.length - 2), l: LABELS },
    `/i is corrupt: its gzip data cannot be decompressed (incorrect length check): ${WHOLE}`,
  ],
  [
    "a gzip of an unknown method",
    { i: flipped(ZIPPED, 2), l: LABELS },
    `/i is corrupt: its gzip data cannot be decompressed (unknown compression method): ${WHOLE}`,
  ],
  [
    "rubbish after the gzip data",
    { i: Buffer.concat([ZIPPED, Buffer.from("rubbish")]), l: LABELS },
    `/i is corrupt: its gzip data cannot be decompressed (incorrect header check): ${WHOLE}`,
  ],
  [
    "zeros after the gzip data",
    { i: Buffer.concat([ZIPPED, Buffer.alloc(1024)]), l: LABELS },
    `/i has 1,024 bytes after its gzip data: ${WHOLE}`,
  ],
  [
    "bytes after the last image",
    { i: Buffer.concat([IMAGES, Buffer.from("x")]), l: LABELS },
    `/i goes on after the 4,016 bytes that its header promises: ${WHOLE}`,
  ],
  [
    "more images than labels",
    { i: idxFile([1001, 2, 2]), l: LABELS },
    `/l holds 1,000 labels but /i holds 1,001 images: ${PAIR}`,
  ],
  [
    "exchanged files",
    { i: LABELS, l: IMAGES },
    `/i holds data of shape 1,000, expected images as count × height × width: ${WHOLE}`,
  ],
  [
    "images for labels",
    { i: IMAGES, l: IMAGES },
    `/l holds data of shape 1,000 × 2 × 2, expected one label an image: ${WHOLE}`,
  ],
  [
    "one-hot labels",
    { i: IMAGES, l: idxFile([1000, 10]) },
    `/l holds data of shape 1,000 × 10, expected one label an image: ${WHOLE}`,
  ],
  [
    "labels that are fractions",
    { i: IMAGES, l: idxFile([1000], undefined, "float") },
    `/l holds float values, expected whole numbers as labels: ${WHOLE}`,
  ],
  [
    "pixels that are fractions",
    { i: idxFile([1000, 2, 2], undefined, "double"), l: LABELS },
    `/i holds double values, expected pixels as ubyte (0–255): ${WHOLE}`,
  ],
  [
    "a negative label",
    { i: IMAGES, l: idxFile([1000], [3, -1], "byte") },
    `/l has the label -1 at image 1, outside the 256 classes 0–255: check the label file`,
  ],
  [
    "more classes than can be",
    { i: IMAGES, l: idxFile([1000], [3, 2, 256], "int") },
    `/l has the label 256 at image 2, outside the 256 classes 0–255: check the label file`,
  ],
  [
    "a header that claims 2 TB",
    { i: Buffer.from([0, 0, 8, 3, 0, 2, 0, 0, 0, 0, 16, 0, 0, 0, 16, 0, 1, 2, 3]), l: LABELS },
    `/l holds 1,000 labels but /i holds 131,072 images: ${PAIR}`,
  ],
  [
    "a header that claims 16 GB and fits the labels",
    { i: Buffer.from([0, 0, 8, 3, 0, 0, 3, 0xe8, 0, 0, 16, 0, 0, 0, 16, 0, 1, 2, 3]), l: LABELS },
    `/i is cut short: it holds 19 bytes, but its header promises 16,777,216,016: ${WHOLE}`,
  ],
];

test.each(DAMAGE)("openDataset(files) refuses %s with its own message", async (_, files, message) => {
  expect(await failure(files)).toBe(message);
});

test("openDataset(files) refuses a folder", async () => {
  expect(await failure({ l: LABELS }, { prepare: makeFolder })).toBe(
    `/i is a folder, expected a file: ${WHOLE}`,
  );
});

test("openDataset(files) refuses a named pipe at once", async () => {
  expect(await failure({ l: LABELS }, { prepare: makePipe })).toBe(
    `/i is no regular file, and it is read more than once: ${WHOLE}`,
  );
});

test("openDataset(files) refuses a file without permission", async () => {
  // The superuser may read everything, so that the test becomes nobody meanwhile.
  const root = process.getuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  try {
    expect(await failure({ i: IMAGES, l: LABELS }, { prepare: forbid })).toBe(
      `/i may not be read (permission denied): ${WHOLE}`,
    );
  } finally {
    if (root) process.seteuid?.(0);
  }
});

test("openDataset(files) refuses a label that has no name", async () => {
  expect(await failure({ i: IMAGES, l: LABELS }, { classes: ["a", "b", "c"] })).toBe(
    `/l has the label 3 at image 3, outside the 3 classes 0–2: name every class with --classes, or check the label file`,
  );
});

test("openDataset(files) refuses more than 256 class names", async () => {
  const classes = Array.from({ length: 257 }, (_, i) => `c${i}`);
  expect(await failure({ i: IMAGES, l: LABELS }, { classes })).toBe(
    "--classes names 257 classes: at most 256 can be evaluated",
  );
});
