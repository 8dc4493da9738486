import { access, constants, lstat, mkdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import { ReportError } from "../errors.ts";
import { foreignFiles, isAsWritten, linkOnTheWay, MANIFEST, readListed } from "./earlier.ts";
import { LockError, takeLock, type Lock } from "./lock.mjs";
import type { ManifestFile } from "./manifest.ts";
import { isStaging, removeStaging } from "./staging.ts";
import { failure, reasonOf, reporting } from "./write-errors.ts";

/** The staging folder under this name: what is in it is to be moved into place, by this process or the next one. */
const COMMIT = ".commit";
const LOCK = ".lock";
/** In there: the manifest of the report that gives way, until it is known to be gone. */
const EARLIER = ".earlier-manifest.json";

export interface CommitOptions {
  /** Overwrite files that are not an earlier run's. */
  readonly force: boolean;
  /** Ends the wait for another process. */
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

/**
 * Moves a run's staged files, with their manifest, into the output folder, and removes what an earlier run left there. One
 * process at a time, so that after two runs into one folder all files, and the manifest's digests, are one run's.
 *
 * A killed process leaves no mixture that passes for a report. Renaming the staging folder is what decides: before, the
 * earlier report stands untouched; afterwards `completeCommit` ends the work, from wherever it was. The earlier manifest
 * goes before the first file is moved, and the new one comes last.
 *
 * @throws ReportError; where something is in a file's way, or a folder cannot be moved into, nothing is moved at all.
 */
export async function commitFiles(
  staging: string,
  folder: string,
  files: readonly ManifestFile[],
  options: CommitOptions,
): Promise<void> {
  await alone(folder, options, async (lock) => {
    await completeEarlier(folder, lock, options);
    await checkWays(folder, files);
    if (!options.force) {
      const paths = [...files.map(({ path }) => path), MANIFEST];
      refuseForeign(folder, await foreignFiles(folder, paths, "content"));
    }
    lock.check();
    await reporting(folder, () => rename(staging, join(folder, COMMIT)));
    const lost = await moveFiles(folder, lock, files);
    if (lost.length > 0)
      throw new ReportError(
        `${folder}: ${lost.join(", ")} was deleted by another program before it could be moved there: run again`,
      );
  });
}

/**
 * Ends what a killed run had begun to move, and says so.
 *
 * @throws ReportError where it cannot, or where something that is no lock has the lock's name
 */
export async function completeCommit(folder: string, options: CommitOptions): Promise<void> {
  if (!(await exists(join(folder, COMMIT))) && !(await exists(join(folder, LOCK)))) return;
  await alone(folder, options, (lock) => completeEarlier(folder, lock, options));
}

/** @throws ReportError where there are any */
export function refuseForeign(folder: string, foreign: readonly string[]): void {
  if (foreign.length === 0) return;
  throw new ReportError(
    `${folder} holds files that no earlier run has written, or that were edited since: ${foreign.join(", ")}: ` +
      "move them away, choose another folder with --out, or overwrite them with --force",
  );
}

async function completeEarlier(folder: string, lock: Lock, { warn }: CommitOptions): Promise<void> {
  const commit = join(folder, COMMIT);
  if (!(await exists(commit))) return;
  const files = await readListed(join(commit, MANIFEST));
  if (!isStaging(commit) || (files === null && (await exists(join(commit, MANIFEST)))))
    throw new ReportError(`${commit} is in the way: delete it, or choose another folder with --out`);
  // The manifest is the last to be moved: without it all is in place, and only clearing up was left.
  if (files === null) return await removeStaging(folder, commit);
  const lost: string[] = [];
  for (const file of files) {
    const staged = { ...file, path: `${COMMIT}/${file.path}` };
    if (!(await isAsWritten(folder, staged)) && !(await isAsWritten(folder, file))) lost.push(file.path);
  }
  if (lost.length === 0) {
    await checkWays(folder, files);
    await moveFiles(folder, lock, files);
  } else await removeStaging(folder, commit);
  const told = `${folder}: a run was killed while it moved its report into place`;
  const undone = `${lost.join(", ")} is not as it wrote it, and what it had not moved yet is removed`;
  warn(lost.length === 0 ? `${told}: completed now` : `${told}: ${undone}`);
}

/**
 * Moves what is in the commit's folder into place, from wherever an earlier attempt has ended.
 *
 * @returns files that are neither there nor in place, without which there is no manifest
 */
async function moveFiles(folder: string, lock: Lock, files: readonly ManifestFile[]): Promise<string[]> {
  const commit = join(folder, COMMIT);
  const lost: string[] = [];
  const move = async (from: string, to: string): Promise<boolean> => {
    lock.check();
    return await reporting(to, () => rename(from, to).then(() => true, absent));
  };
  await move(join(folder, MANIFEST), join(commit, EARLIER));
  for (const file of files) {
    const moved = await move(join(commit, file.path), join(folder, file.path));
    if (!moved && !(await isAsWritten(folder, file))) lost.push(file.path);
  }
  if (lost.length === 0) {
    await removeStale(folder, files, (await readListed(join(commit, EARLIER))) ?? []);
    await move(join(commit, MANIFEST), join(folder, MANIFEST));
  }
  await removeStaging(folder, commit);
  return lost;
}

function absent(error: NodeJS.ErrnoException): boolean {
  if (error.code === "ENOENT") return false;
  throw error;
}

/**
 * Removes what the manifest of an earlier run in this folder lists and this run does not write: its pictures would
 * mislead. A file that was edited since is the user's own, and stays.
 */
async function removeStale(
  folder: string,
  files: readonly ManifestFile[],
  earlier: readonly ManifestFile[],
): Promise<void> {
  const current = new Set([...files.map(({ path }) => path), MANIFEST]);
  const stale = earlier.filter(({ path }) => !current.has(path));
  for (const file of stale)
    if (await isAsWritten(folder, file)) await rm(join(folder, file.path), { force: true });
  for (const path of new Set(stale.map((file) => dirname(file.path)))) {
    // A folder that holds anything else stays.
    if (path !== "." && (await linkOnTheWay(folder, path)) === null)
      await rmdir(join(folder, path)).catch(() => {});
  }
}

/** @throws ReportError where a file could not be moved into place */
async function checkWays(folder: string, files: readonly ManifestFile[]): Promise<void> {
  const { dev } = await reporting(folder, () => stat(folder));
  const checked = new Set<string>();
  for (const path of [...files.map((file) => file.path), MANIFEST]) {
    const target = join(folder, path);
    await reporting(target, async () => {
      if (!checked.has(dirname(path))) await checkFolder(folder, dirname(path), dev);
      checked.add(dirname(path));
      if (await isFolder(target)) throw failure("EISDIR", `${target} is a folder`);
    });
  }
}

/** Makes a folder for files of the report, and throws where none could be moved there: from the same device, and inside. */
async function checkFolder(folder: string, path: string, device: number): Promise<void> {
  const link = path === "." ? null : await linkOnTheWay(folder, path);
  if (link !== null) throw failure("ELOOP", `${link} is a symbolic link`);
  const target = join(folder, path);
  await mkdir(target, { recursive: true });
  await access(target, constants.W_OK);
  if ((await stat(target)).dev !== device) throw failure("EXDEV", `${target} is on another device`);
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isDirectory() ?? false;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null;
}

async function alone(
  folder: string,
  { signal, warn }: CommitOptions,
  work: (lock: Lock) => Promise<void>,
): Promise<void> {
  let lock: Lock | null = null;
  try {
    lock = await takeLock(join(folder, LOCK), { signal, onWait: warn });
    if (lock !== null) await work(lock);
  } catch (error) {
    if (error instanceof LockError)
      throw new ReportError(`${error.message}; or choose another folder with --out`, { cause: error });
    if (error instanceof Error && "syscall" in error)
      throw new ReportError(`${folder}: cannot write the report there: ${reasonOf(error)}`, { cause: error });
    throw error;
  } finally {
    lock?.release();
  }
}
