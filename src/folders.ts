import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Makes a folder with those above it. Unlike `mkdir` with `recursive` it also returns where a file system refuses new folders as missing (/proc). */
export async function makeFolder(folder: string): Promise<void> {
  if (await isFolder(folder)) return;
  if (dirname(folder) !== folder) await makeFolder(dirname(folder));
  try {
    await mkdir(folder);
  } catch (error) {
    // Another process may have been as quick.
    if (!(await isFolder(folder))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}
