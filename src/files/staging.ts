import { randomUUID } from "node:crypto";
import { rmdirSync, rmSync } from "node:fs";
import { access, constants, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { ReportError } from "../errors.ts";
import { makeFolder, removeEmpty } from "../folders.ts";
import { holderOf, stateOf, thisProcess } from "./process.mjs";
import { reasonOf, reporting } from "./write-errors.ts";

/** A folder inside the output folder, in which a run's files are until they are moved into place. */
export interface Staging {
  readonly path: string;
  /** Removes it, and the folders around it that were made for it and hold nothing. */
  remove(): Promise<void>;
}

const PARTIAL = /^\.partial-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** In there: which process it is of. */
const OWNER = ".process.json";
/** Where the process cannot be asked after: a run writes its predictions all the time, so that one of these was killed. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/**
 * Makes a staging folder. It goes away with `remove`, or where the process ends through `atHardExit`.
 *
 * @throws ReportError where the output folder cannot be made or written to.
 */
export async function makeStaging(
  folder: string,
  atHardExit: Set<() => void>,
  warn: (message: string) => void,
): Promise<Staging> {
  const path = newName(folder);
  let made: readonly string[] = [];
  try {
    made = await makeFolder(folder);
    await access(folder, constants.W_OK);
    await mkdir(path);
    await writeFile(join(path, OWNER), JSON.stringify(thisProcess()));
  } catch (error) {
    await rm(path, { recursive: true, force: true }).catch(() => {});
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
  await sweep(folder, warn);
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true });
      await removeEmpty(made);
      atHardExit.delete(removeNow);
    },
  };
}

function newName(folder: string): string {
  return join(folder, `.partial-${randomUUID()}`);
}

/** Whether a folder of any name was made by `makeStaging`. */
export function isStaging(path: string): boolean {
  return holderOf(join(path, OWNER)) !== null;
}

/** Removes a staging folder that was renamed. If it is killed over this, the next run takes the rest for a killed one's. */
export async function removeStaging(folder: string, path: string): Promise<void> {
  const doomed = newName(folder);
  await reporting(path, () => rename(path, doomed));
  await rm(doomed, { recursive: true, force: true });
}

/** Removes what killed runs left. Whatever hinders that does not concern this run. */
async function sweep(folder: string, warn: (message: string) => void): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!PARTIAL.test(name)) continue;
    const path = join(folder, name);
    if (!(await isAbandoned(path).catch(() => false))) continue;
    await rm(path, { recursive: true, force: true }).then(
      () => warn(`${folder}: removed what a run that was killed had left there`),
      () => {},
    );
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  const owner = holderOf(join(path, OWNER));
  const state = owner === null ? "unknown" : stateOf(owner);
  return state === "unknown" ? Date.now() - (await newestChange(path)) > ABANDONED_MS : state === "gone";
}

/** When a folder or a file in it last changed. A folder's own time stands still while its files grow. */
async function newestChange(folder: string): Promise<number> {
  const names = await readdir(folder);
  const found = await Promise.all(
    [folder, ...names.map((name) => join(folder, name))].map((path) => stat(path)),
  );
  return Math.max(...found.map(({ mtimeMs }) => mtimeMs));
}
