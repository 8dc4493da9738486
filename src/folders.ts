import { mkdirSync, statSync } from "node:fs";
import { mkdir, rmdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a folder with those above it. Unlike `mkdir` with `recursive` it also returns where a file system refuses new
 * folders as missing (/proc).
 *
 * @returns the folders that it made, the outermost first
 */
export async function makeFolder(folder: string): Promise<readonly string[]> {
  if (await isFolder(folder)) return [];
  const above = dirname(folder) === folder ? [] : await makeFolder(dirname(folder));
  try {
    await mkdir(folder);
    return [...above, folder];
  } catch (error) {
    // Another process may have been as quick.
    if (await isFolder(folder)) return above;
    await removeEmpty(above);
    throw error;
  }
}

/** The same before it returns, for what must be on disk at once. What it has made stays where it fails. */
export function makeFolderNow(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return;
  if (dirname(folder) !== folder) makeFolderNow(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process may have been as quick.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** Removes folders from the last to the first, up to one that holds something. */
export async function removeEmpty(folders: readonly string[]): Promise<void> {
  try {
    for (const folder of folders.toReversed()) await rmdir(folder);
  } catch {
    // What holds something stays, and so does all that is around it.
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}
