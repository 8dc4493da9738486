import { constants } from "node:fs";
import { access, copyFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { messageOf } from "../errors.ts";
import { openRegular } from "../files/regular.ts";
import type { CatalogEntry } from "./catalog.ts";
import type { HttpClient, HttpSettings } from "./http.ts";
import type { LockSettings } from "./lock.ts";
import { CacheError, discardPartial, SourceError } from "./partial.ts";

export interface DownloadProgress {
  readonly file: string;
  readonly receivedBytes: number;
  /** Null where the server does not say. */
  readonly totalBytes: number | null;
}

export interface FetchOptions {
  /** The data set's folder in the cache. */
  readonly folder: string;
  readonly mirrors: readonly string[];
  readonly offline: boolean;
  readonly refresh: boolean;
  readonly signal: AbortSignal;
  readonly progress: (event: DownloadProgress) => void;
  readonly warn: (message: string) => void;
}

export interface FetchSettings extends HttpSettings, LockSettings {
  /** The folder whose installed packages may hold data. */
  readonly npmRoot: URL;
}

/** One place that may give one file. */
export interface Source {
  /** How messages name it. */
  readonly where: string;
  /** The name under which the cache keeps what it gives. */
  readonly file: string;
  /** Tried only where the source before it works, but has no such file. */
  readonly onlyIfMissing: boolean;
  /** Completes the partial file. */
  readonly give: (partial: string, report: Report) => Promise<void>;
}

type Report = (receivedBytes: number, totalBytes: number | null) => void;

/** The places that a data set's files may come from, in the order in which they are tried. */
export class Sources {
  readonly #entry: CatalogEntry;
  readonly #options: FetchOptions;
  readonly #settings: FetchSettings;
  #client: HttpClient | null = null;

  constructor(entry: CatalogEntry, options: FetchOptions, settings: FetchSettings) {
    this.#entry = entry;
    this.#options = options;
    this.#settings = settings;
  }

  async close(): Promise<void> {
    await this.#client?.close();
  }

  /** @param bare whether only `name` itself is published, and never `name.gz` */
  list(name: string, bare: boolean): Source[] {
    const { mirrors, offline } = this.#options;
    const published = bare ? name : `${name}.gz`;
    const sources: Source[] = [];
    for (const mirror of mirrors) {
      sources.push(this.#mirror(mirror, published, false));
      // A mirror of the user's own may hold the files uncompressed.
      if (!bare) sources.push(this.#mirror(mirror, name, true));
    }
    if (!offline)
      for (const mirror of this.#entry.mirrors) sources.push(this.#mirror(mirror, published, false));
    if (this.#entry.npm !== null && !bare) sources.push(this.#installed(this.#entry.npm, name));
    return sources;
  }

  #mirror(mirror: string, file: string, onlyIfMissing: boolean): Source {
    const url = fileUnder(mirror, file);
    if (url === null) {
      return { where: mirror, file, onlyIfMissing, give: refuseUrl };
    }
    // Without credentials and query: those are not for messages.
    const where = url.protocol === "file:" ? url.href : `${url.origin}${url.pathname}`;
    if (url.protocol === "file:") {
      return {
        where,
        file,
        onlyIfMissing,
        give: async (partial, report) => await copy(fileURLToPath(url), partial, report),
      };
    }
    return {
      where,
      file,
      onlyIfMissing,
      give: async (partial, report) => await this.#download(url, partial, report),
    };
  }

  async #download(url: URL, partial: string, progress: Report): Promise<void> {
    if (this.#options.offline) throw new SourceError("other", "not tried, because of --offline");
    if (this.#client === null) {
      const { HttpClient } = await import("./http.ts");
      this.#client = new HttpClient(this.#settings);
    }
    await this.#client.download({ url, partial, signal: this.#options.signal, progress });
  }

  #installed({ package: name, folder }: NonNullable<CatalogEntry["npm"]>, file: string): Source {
    const give: Source["give"] = async (partial, report) => {
      let manifest: string;
      try {
        manifest = createRequire(new URL("package.json", this.#settings.npmRoot)).resolve(
          `${name}/package.json`,
        );
      } catch (error) {
        throw new SourceError("missing", `is not installed (npm install ${name})`, error);
      }
      await copy(join(dirname(manifest), folder, file), partial, report);
    };
    return { where: `npm package ${name}`, file, onlyIfMissing: false, give };
  }
}

async function refuseUrl(): Promise<never> {
  throw new SourceError("other", "is no http:, https: or file: URL");
}

/** The URL of a file under a base URL, whose query (an access token, say) is kept. */
function fileUnder(base: string, file: string): URL | null {
  if (!URL.canParse(base)) return null;
  const url = new URL(base);
  if (!["http:", "https:", "file:"].includes(url.protocol)) return null;
  url.pathname = `${url.pathname.replace(/\/$/, "")}/${file}`;
  return url;
}

async function isReadable(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function copy(from: string, partial: string, report: Report): Promise<void> {
  await discardPartial(partial);
  try {
    // To copy a named pipe would wait for its writer.
    await (await openRegular(from)).handle.close();
    await copyFile(from, partial, constants.COPYFILE_FICLONE);
  } catch (error) {
    if (await isReadable(from)) throw new CacheError(error);
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new SourceError(
      missing ? "missing" : "other",
      missing ? "there is no such file" : messageOf(error),
      error,
    );
  }
  const { size } = await stat(partial);
  report(size, size);
}
