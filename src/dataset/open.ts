import { basename } from "node:path";

import { DatasetError } from "../errors.ts";
import type { Dataset } from "../types.ts";
import { cachedFile, cacheFolder } from "./cache.ts";
import { CATALOG, type CatalogEntry, type CatalogFile, type DatasetName, type SplitName } from "./catalog.ts";
import { interruption } from "./content.ts";
import { openIdxPair } from "./idx-dataset.ts";
import { MAX_CLASSES } from "./labels.ts";
import { Readings } from "./readings.ts";
import { UNPUBLISHED, type Expectation } from "./records.ts";
import type { DownloadProgress, FetchSettings } from "./sources.ts";

export { Readings } from "./readings.ts";
export type { DownloadProgress, FetchSettings } from "./sources.ts";

/** Which data set, and how it may be fetched. */
export interface DownloadOptions {
  readonly dataset: DatasetName;
  readonly split: SplitName;
  /** The download cache. */
  readonly dataDir: string;
  /** Base URLs (http, https, file) that are tried before the catalogue's own. */
  readonly mirrors: readonly string[];
  /** Use no network: only the cache, file URLs and installed packages. */
  readonly offline: boolean;
  /** Download again, and replace what the cache holds once that has succeeded. */
  readonly refresh: boolean;
  readonly signal: AbortSignal;
  readonly progress: (event: DownloadProgress) => void;
  readonly warn: (message: string) => void;
}

export interface DatasetOptions extends DownloadOptions {
  /** The user's own IDX pair instead of a catalogue entry. */
  readonly files: {
    readonly images: string;
    readonly labels: string;
    readonly classes: readonly string[] | null;
  } | null;
  /** Images, stratified by class, chosen by `seed`; null: all. */
  readonly limit: number | null;
  readonly seed: number;
  /** Of others that open the same files: all must read the same. */
  readonly readings?: Readings;
}

/** Where the data comes from: the catalogue, or a test's own. */
export interface Publication {
  readonly entry?: CatalogEntry;
  readonly settings?: FetchSettings;
}

/** Paths of the files of one split. */
export interface DatasetPaths {
  readonly images: string;
  readonly labels: string;
}

const AGAIN = { one: "download it again with --refresh", both: "download them again with --refresh" };
const OWN = { one: "give a whole IDX file, gzipped or not", both: "give two files that belong together" };
const CHECK_LABELS = "check the label file";

/**
 * Opens a data set of the catalogue, which is downloaded where the cache does not hold it, or the user's own pair.
 * @throws DatasetError, InterruptedError
 */
export async function openDataset(options: DatasetOptions, publication: Publication = {}): Promise<Dataset> {
  if (options.signal.aborted) throw interruption(options.signal);
  if (options.files !== null) return await openOwn(options, options.files);
  const entry: CatalogEntry = publication.entry ?? CATALOG[options.dataset];
  return await openPublished(await locate(options, entry, publication.settings), options, entry);
}

/** Opens a data set of the catalogue where the cache holds it; null where it does not. @throws DatasetError, InterruptedError */
export async function openCached(
  options: DatasetOptions,
  { entry = CATALOG[options.dataset] }: Publication = {},
): Promise<Dataset | null> {
  const paths = await cachedPaths(options, entry);
  return paths && (await openPublished(paths, options, entry));
}

async function openPublished(
  paths: DatasetPaths,
  options: DatasetOptions,
  entry: CatalogEntry,
): Promise<Dataset> {
  const { images, labels } = entry.splits[options.split];
  return await openIdxPair(
    {
      name: options.dataset,
      split: options.split,
      source: entry.source,
      images: published(paths.images, images, options),
      labels: published(paths.labels, labels, options),
      advice: AGAIN.both,
      labelAdvice: AGAIN.one,
      classes: entry.classes,
      firstLabel: entry.firstLabel,
      transposed: entry.transposed,
    },
    options,
  );
}

/**
 * Puts the files of one split into the cache, without reading what the cache already holds.
 * @throws DatasetError, InterruptedError
 */
export async function downloadDataset(
  options: DownloadOptions,
  publication: Publication = {},
): Promise<DatasetPaths> {
  if (options.signal.aborted) throw interruption(options.signal);
  return await locate(options, publication.entry ?? CATALOG[options.dataset], publication.settings);
}

async function locate(
  options: DownloadOptions,
  entry: CatalogEntry,
  settings: FetchSettings | undefined,
): Promise<DatasetPaths> {
  const cached = options.refresh ? null : await cachedPaths(options, entry);
  if (cached !== null) return cached;
  const { images, labels } = entry.splits[options.split];
  const folder = cacheFolder(options.dataDir, entry);
  // The network's packages load only when there is something to fetch.
  const { fetchFiles } = await import("./fetch.ts");
  const paths = await fetchFiles(entry, [images, labels], { ...options, folder }, settings);
  return { images: paths[0] as string, labels: paths[1] as string };
}

async function cachedPaths(
  { dataDir, split }: DownloadOptions,
  entry: CatalogEntry,
): Promise<DatasetPaths | null> {
  const folder = cacheFolder(dataDir, entry);
  const images = await cachedFile(folder, entry.splits[split].images);
  const labels = await cachedFile(folder, entry.splits[split].labels);
  return images === null || labels === null ? null : { images, labels };
}

function published(path: string, file: CatalogFile, { warn }: DownloadOptions) {
  const name = basename(path);
  const expected: Expectation = { content: file.content, archive: file.archive };
  if (file.content === null && file.archive !== null && !name.endsWith(".gz")) {
    warn(`${name} cannot be verified: only the digest of ${name}.gz is published`);
  }
  return { path, name, advice: AGAIN.one, expected };
}

async function openOwn(
  options: DatasetOptions,
  files: NonNullable<DatasetOptions["files"]>,
): Promise<Dataset> {
  if (files.classes !== null && files.classes.length > MAX_CLASSES) {
    throw new DatasetError(
      `--classes names ${files.classes.length} classes: at most ${MAX_CLASSES} can be evaluated`,
    );
  }
  const own = (path: string) => ({ path, name: path, advice: OWN.one, expected: UNPUBLISHED });
  return await openIdxPair(
    {
      name: basename(files.images).replace(/\.gz$/, ""),
      split: options.split,
      source: "local files",
      images: own(files.images),
      labels: own(files.labels),
      advice: OWN.both,
      labelAdvice:
        files.classes === null ? CHECK_LABELS : `name every class with --classes, or ${CHECK_LABELS}`,
      classes: files.classes,
      firstLabel: 0,
      transposed: false,
    },
    options,
  );
}
