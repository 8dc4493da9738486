import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

import { openPromise, type Entry } from "yauzl";

/** A member to take out of a zip, and the file to write it to. */
export interface Extraction {
  readonly member: string;
  readonly path: string;
}

/** Takes members out of a zip; each file appears whole or not at all. @throws Error where the zip is damaged or lacks one */
export async function extract(
  zipPath: string,
  extractions: readonly Extraction[],
  signal: AbortSignal,
): Promise<void> {
  const zip = await openPromise(zipPath, { autoClose: false, lazyEntries: true });
  try {
    const members = new Map<string, Entry>();
    for await (const entry of zip.eachEntry() as AsyncIterable<Entry>) members.set(entry.fileName, entry);
    for (const { member, path } of extractions) {
      const entry = members.get(member);
      if (entry === undefined) throw new Error(`${zipPath} has no member ${member}`);
      const partial = `${path}.extracting`;
      try {
        await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(partial), { signal });
        await rename(partial, path);
      } finally {
        await rm(partial, { force: true });
      }
    }
  } finally {
    zip.close();
  }
}
