import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, constants, mkdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { readManifest, type ManifestFile } from "../report/manifest.ts";
import { reporting } from "./write-errors.ts";

const MANIFEST = "manifest.json";

/** Moving takes milliseconds: a lock so old is that of a process that was killed. */
const STALE_LOCK_MS = 10_000;
const LOCK_POLL_MS = 20;

/**
 * Moves a run's staged files into the output folder, and removes what an earlier run left there. One process at a time,
 * so that after two runs into one folder all files, and the manifest's digests, are one run's.
 *
 * @param files in the order in which they are moved: manifest.json last
 * @throws ReportError; where something is in a file's way, or a folder cannot be moved into, nothing is moved at all.
 */
export async function commitFiles(
  staging: string,
  folder: string,
  files: readonly ManifestFile[],
): Promise<void> {
  await alone(folder, async () => {
    const { dev } = await reporting(folder, () => stat(staging));
    for (const { path } of files) {
      await reporting(join(folder, path), () => checkWay(join(folder, path), dev));
    }
    const stale = await staleFiles(folder, files);
    // Should moving fail halfway after all, the mixture has no manifest by which it could pass for a report.
    await reporting(join(folder, MANIFEST), () => rm(join(folder, MANIFEST), { force: true }));
    for (const { path } of files)
      await reporting(join(folder, path), () => rename(join(staging, path), join(folder, path)));
    for (const path of stale) await rm(join(folder, path), { force: true });
    for (const path of new Set(stale.map((file) => dirname(file)))) {
      // A folder that holds anything else stays.
      if (path !== ".") await rmdir(join(folder, path)).catch(() => {});
    }
  });
}

/** Makes a file's folder, and throws where the file could not be moved there from the same device. */
async function checkWay(target: string, device: number): Promise<void> {
  const folder = dirname(target);
  await mkdir(folder, { recursive: true });
  await access(folder, constants.W_OK);
  if ((await stat(folder)).dev !== device) throw failure("EXDEV", `${folder} is on another device`);
  if (await isFolder(target)) throw failure("EISDIR", `${target} is a folder`);
}

function failure(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
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
    return readManifest(await readFile(join(folder, MANIFEST), "utf8"));
  } catch {
    // No earlier run, or a manifest that says nothing reliable.
    return [];
  }
}

async function isAsWritten(path: string, { bytes, sha256 }: ManifestFile): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  // Its size tells most edits, and saves reading predictions.csv, which may be large: read in pieces otherwise.
  if (found === null || !found.isFile() || found.size !== bytes) return false;
  const hash = createHash("sha256");
  try {
    for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  } catch {
    return false;
  }
  return hash.digest("hex") === sha256;
}
