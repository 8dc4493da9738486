import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "vitest";

import type { CatalogEntry } from "../../src/dataset/catalog.ts";
import { openDataset, type DatasetOptions, type FetchSettings } from "../../src/dataset/open.ts";
import { DatasetError } from "../../src/errors.ts";
import {
  datasetOptions,
  idxFile,
  impatient,
  readAll,
  temporaryFolder,
  TINY,
  tinyArchives,
  tinyEntry,
} from "./builders.ts";
import type { Mirror } from "./mirror.ts";

export const ARCHIVES = tinyArchives();
export const IMAGES = "tiny-images-idx3-ubyte.gz";
export const LABELS = "tiny-labels-idx1-ubyte.gz";

/** A data set whose image file does not compress, so that a mirror can break off in its middle. */
const noise = idxFile(
  [20, 50, 50],
  Array.from({ length: 50_000 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 13) & 255),
);
export const BIG = { images: noise, labels: TINY.labels };
export const BIG_ARCHIVES = tinyArchives(BIG);
export const BIG_BYTES = BIG_ARCHIVES[IMAGES].length;

export interface Scene {
  readonly mirrors?: readonly string[];
  readonly entry?: Partial<CatalogEntry>;
  readonly content?: typeof TINY;
  readonly options?: Partial<DatasetOptions>;
  readonly settings?: Partial<FetchSettings>;
  readonly dataDir?: string;
}

/** Fetches the tiny data set from mirrors, and reads it. */
export async function fetch({
  mirrors = [],
  entry = {},
  content = TINY,
  options = {},
  settings = {},
  dataDir,
}: Scene) {
  const dir = dataDir ?? (await temporaryFolder());
  const warnings: string[] = [];
  const events: string[] = [];
  const all = datasetOptions({
    dataDir: dir,
    warn: (message) => void warnings.push(message),
    progress: ({ file, receivedBytes, totalBytes }) =>
      void events.push(`${file} ${receivedBytes}/${totalBytes}`),
    ...options,
  });
  const publication = { entry: tinyEntry({ mirrors, ...entry }, content), settings: impatient(settings) };
  const read = async () => {
    const batch = await readAll(await openDataset(all, publication));
    expect(Buffer.from(batch.pixels).equals(content.images.subarray(16))).toBe(true);
    expect([...batch.labels]).toEqual([...content.labels.subarray(8)]);
    return (await readdir(join(dir, "tiny"))).sort();
  };
  return { dir, warnings, events, read, path: (name: string) => join(dir, "tiny", name) };
}

/** The message of the DatasetError in which a run ends. */
export async function message(run: Promise<unknown>): Promise<string> {
  const error: unknown = await run.then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(DatasetError);
  return (error as DatasetError).message;
}

export const paths = ({ requests }: Mirror) =>
  requests.map(({ path, range }) => (range === null ? path : `${path} ${range}`));
