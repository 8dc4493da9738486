import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";

import { fingerprint } from "../files/regular.ts";
import { DatasetError, InterruptedError } from "../errors.ts";
import {
  readContent,
  type ContentOptions,
  type ContentSummary,
  type DataFile,
  type Reading,
} from "./content.ts";
import { datasetError } from "./idx.ts";

/**
 * All that a run has read of its files. A run reads some of them more than once, and for long: where one was written to
 * or replaced meanwhile, by its size, times and identity, its content must still be what was read, each time.
 */
export class Readings {
  readonly #files = new Map<string, { fingerprint: string | null; readonly readings: Reading[] }>();

  /** @throws DatasetError where the file holds something else than was read of it */
  async check(file: DataFile, signal: AbortSignal): Promise<void> {
    const found = await fingerprintOf(file);
    const known = this.#files.get(file.path);
    if (known === undefined) this.#files.set(file.path, { fingerprint: found, readings: [] });
    else if (known.fingerprint !== found) {
      for (const reading of known.readings)
        if (!(await stillHolds(file, reading, signal))) throw changedError(file);
      known.fingerprint = found;
    }
  }

  add({ path }: DataFile, reading: Reading): void {
    this.#files.get(path)?.readings.push(reading);
  }

  /** What is wrong with data that changed is that it changed. */
  async explain(error: unknown, files: readonly DataFile[]): Promise<unknown> {
    if (!(error instanceof DatasetError)) return error;
    for (const file of files) {
      const known = this.#files.get(file.path);
      if (known !== undefined && known.fingerprint !== (await fingerprintOf(file)))
        return changedError(file, error);
    }
    return error;
  }
}

/** `readContent`, held to what else is read of the file. @throws DatasetError also where it has changed */
export async function* readSteadily(
  file: DataFile,
  readings: Readings,
  options: ContentOptions,
): AsyncGenerator<Uint8Array, ContentSummary, undefined> {
  await readings.check(file, options.signal);
  try {
    const onRead = (reading: Reading): void => readings.add(file, reading);
    const summary = yield* readContent(file, { ...options, onRead });
    await readings.check(file, options.signal);
    return summary;
  } catch (error) {
    throw await readings.explain(error, [file]);
  }
}

export function changedError(file: DataFile, cause?: unknown): DatasetError {
  const advice = "run again once no other program writes to it";
  return datasetError({ name: file.name, advice }, "changed while it was read", cause);
}

async function stillHolds(
  file: DataFile,
  { bytes, sha256, whole }: Reading,
  signal: AbortSignal,
): Promise<boolean> {
  const hash = createHash("sha256");
  let left = bytes;
  try {
    for await (const piece of readContent(file, { signal })) {
      if (whole && piece.length > left) return false;
      hash.update(piece.subarray(0, left));
      left -= Math.min(left, piece.length);
      if (left === 0 && !whole) break;
    }
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    return false;
  }
  return hash.digest("hex") === sha256;
}

/** Null where it is gone, or cannot be looked at. */
async function fingerprintOf({ path }: DataFile): Promise<string | null> {
  return await stat(path, { bigint: true }).then(fingerprint, () => null);
}
