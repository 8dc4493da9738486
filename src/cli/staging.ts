import { randomUUID } from "node:crypto";
import { rmdirSync, rmSync } from "node:fs";
import { access, constants, mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import { ReportError } from "../errors.ts";
import { makeFolder, removeEmpty } from "../folders.ts";
import { reasonOf } from "./write-errors.ts";

/** A folder inside the output folder, in which a run's files are until they are moved into place. */
export interface Staging {
  readonly path: string;
  /** Removes it, and the folders around it that were made for it and hold nothing. */
  remove(): Promise<void>;
}

const PARTIAL = /^\.partial-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** A run writes its predictions all the time: what rested for so long is of a process that was killed. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/**
 * Makes a staging folder. It goes away with `remove`, or where the process ends through `atHardExit`.
 *
 * @throws ReportError where the output folder cannot be made or written to.
 */
export async function makeStaging(folder: string, atHardExit: Set<() => void>): Promise<Staging> {
  const path = join(folder, `.partial-${randomUUID()}`);
  let made: readonly string[] = [];
  try {
    made = await makeFolder(folder);
    await access(folder, constants.W_OK);
    await mkdir(path);
  } catch (error) {
    await removeEmpty(made);
    throw new ReportError(`${folder}: cannot write the report there: ${reasonOf(error)}`, { cause: error });
  }
  const removeNow = (): void => {
    rmSync(path, { recursive: true, force: true });
    try {
      for (const empty of made.toReversed()) rmdirSync(empty);
    } catch {
      // It holds something by now, and so do those around it.
    }
  };
  atHardExit.add(removeNow);
  await sweep(folder);
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true });
      await removeEmpty(made);
      atHardExit.delete(removeNow);
    },
  };
}

/** Removes what killed runs left. Whatever hinders that does not concern this run. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!PARTIAL.test(name)) continue;
    const path = join(folder, name);
    const newest = await newestChange(path).catch(() => Infinity);
    if (Date.now() - newest > ABANDONED_MS) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

/** When a folder or a file in it last changed. A folder's own time stands still while its files grow. */
async function newestChange(folder: string): Promise<number> {
  const names = await readdir(folder);
  const found = await Promise.all(
    [folder, ...names.map((name) => join(folder, name))].map((path) => stat(path)),
  );
  return Math.max(...found.map(({ mtimeMs }) => mtimeMs));
}
