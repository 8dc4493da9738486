import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { readManifest, type ManifestFile } from "../report/manifest.ts";
import { reporting } from "./write-errors.ts";

/** Moving takes milliseconds: a lock so old is that of a process that was killed. */
const STALE_LOCK_MS = 10_000;
const LOCK_POLL_MS = 20;

/**
 * Moves a run's staged files into the output folder, and removes what an earlier run left there. One process at a time,
 * so that after two runs into one folder all files, and the manifest's digests, are one run's.
 *
 * @throws ReportError; where something is in a file's way, nothing is moved at all.
 */
export async function commitFiles(
  staging: string,
  folder: string,
  files: readonly ManifestFile[],
): Promise<void> {
  await alone(folder, async () => {
    for (const { path } of files) await reporting(join(folder, path), () => clearWay(join(folder, path)));
    const stale = await staleFiles(folder, files);
    for (const { path } of files)
      await reporting(join(folder, path), () => rename(join(staging, path), join(folder, path)));
    for (const path of stale) await rm(join(folder, path), { force: true });
    for (const path of new Set(stale.map((file) => dirname(file)))) {
      // A folder that holds anything else stays.
      if (path !== ".") await rmdir(join(folder, path)).catch(() => {});
    }
  });
}

async function clearWay(target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  if (await isOf("isDirectory", target)) {
    throw Object.assign(new Error(`${target} is a folder`), { code: "EISDIR" });
  }
}

async function isOf(kind: "isDirectory" | "isFile", path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.[kind]() ?? false;
}

async function alone(folder: string, work: () => Promise<void>): Promise<void> {
  const lock = join(folder, ".lock");
  while (!(await reporting(folder, () => taken(lock)))) await sleep(LOCK_POLL_MS);
  try {
    await work();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

/** Takes the lock, which is a folder because making one either succeeds or finds another's. */
async function taken(lock: string): Promise<boolean> {
  try {
    await mkdir(lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const made = await stat(lock).catch(() => null);
    if (made !== null && Date.now() - made.mtimeMs > STALE_LOCK_MS) await rmdir(lock).catch(() => {});
    return false;
  }
}

/**
 * What the manifest of an earlier run in this folder lists and this run does not write: its pictures would mislead. A
 * file that was edited since is the user's own, and stays.
 */
async function staleFiles(folder: string, files: readonly ManifestFile[]): Promise<string[]> {
  const current = new Set(files.map(({ path }) => path));
  const stale: string[] = [];
  for (const file of await earlierFiles(folder)) {
    if (!current.has(file.path) && (await isAsWritten(join(folder, file.path), file))) stale.push(file.path);
  }
  return stale;
}

async function earlierFiles(folder: string): Promise<ManifestFile[]> {
  try {
    return readManifest(await readFile(join(folder, "manifest.json"), "utf8"));
  } catch {
    // No earlier run, or a manifest that says nothing reliable.
    return [];
  }
}

async function isAsWritten(path: string, { sha256 }: ManifestFile): Promise<boolean> {
  if (!(await isOf("isFile", path))) return false;
  const content = await readFile(path).catch(() => null);
  return content !== null && createHash("sha256").update(content).digest("hex") === sha256;
}
