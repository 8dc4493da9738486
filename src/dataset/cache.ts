import { stat } from "node:fs/promises";
import { join } from "node:path";

import type { CatalogEntry, CatalogFile } from "./catalog.ts";

/** Where a data set stands in the download cache. */
export function cacheFolder(dataDir: string, entry: CatalogEntry): string {
  return join(dataDir, entry.folder);
}

/** The path of a file in a cache folder, uncompressed or gzipped, however it came there; null where it is missing. */
export async function cachedFile(folder: string, file: CatalogFile): Promise<string | null> {
  for (const name of [file.name, `${file.name}.gz`]) {
    const path = join(folder, name);
    if (await exists(path)) return path;
  }
  return null;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    // Any other failure is for the reader to report: the file is there.
    return !["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
  }
}
