import { createHash, randomUUID } from "node:crypto";
import {
  access,
  constants,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
  type FileHandle,
} from "node:fs/promises";
import { dirname, join } from "node:path";

import { messageOf, ReportError } from "../errors.ts";
import { manifest, readManifest, type ManifestFile } from "../report/manifest.ts";

/**
 * A run's files, written into a folder beside their places and moved there all at the end: whoever looks into the
 * output folder sees the earlier run's files or this run's, and after a failure or Ctrl-C the earlier run's still.
 */
export interface Output {
  /** Writes one file. Its path is relative to the output folder, with forward slashes. */
  write(path: string, content: string | Uint8Array): Promise<void>;
  /** Opens a file that is written in pieces. */
  stream(path: string): Promise<{ write(text: string): Promise<void>; end(): Promise<void> }>;
  /** Moves all files into place, with manifest.json, and removes what an earlier run's manifest lists beyond them. */
  commit(): Promise<readonly ManifestFile[]>;
  /** Removes everything that was not committed. */
  discard(): Promise<void>;
}

/** Writes a file so that it is either whole or as it was. @throws ReportError */
export async function writeFileWhole(path: string, content: Uint8Array): Promise<void> {
  const partial = `${path}.partial-${randomUUID()}`;
  try {
    await reporting(path, async () => {
      await writeFile(partial, content, { flag: "wx" });
      await rename(partial, path);
    });
  } finally {
    await rm(partial, { force: true });
  }
}

/** @throws ReportError where the folder cannot be made or written to: asked before scoring begins. */
export async function openOutput(folder: string): Promise<Output> {
  const staging = join(folder, `.partial-${randomUUID()}`);
  const files: ManifestFile[] = [];
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
    await mkdir(staging);
  } catch (error) {
    throw new ReportError(`${folder}: cannot write the report there: ${reasonOf(error)}`, { cause: error });
  }

  async function create(path: string): Promise<FileHandle> {
    const target = join(staging, path);
    await mkdir(dirname(target), { recursive: true });
    return open(target, "wx");
  }

  const output: Output = {
    async write(path, content) {
      await reporting(join(folder, path), async () => {
        const file = await create(path);
        try {
          await file.writeFile(content);
        } finally {
          await file.close();
        }
        const bytes = typeof content === "string" ? Buffer.from(content) : content;
        files.push({ path, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });
      });
    },
    async stream(path) {
      const file = await reporting(join(folder, path), () => create(path));
      const hash = createHash("sha256");
      let bytes = 0;
      return {
        write: (text) =>
          reporting(join(folder, path), async () => {
            const buffer = Buffer.from(text);
            hash.update(buffer);
            bytes += buffer.length;
            await file.writeFile(buffer);
          }),
        async end() {
          await file.close();
          files.push({ path, bytes, sha256: hash.digest("hex") });
        },
      };
    },
    async commit() {
      await output.write("manifest.json", manifest(files));
      const stale = await staleFiles(folder, files);
      for (const { path } of files)
        await reporting(join(folder, path), () => moveInto(staging, folder, path));
      for (const path of stale) await rm(join(folder, path), { force: true });
      await rm(staging, { recursive: true, force: true });
      return files;
    },
    discard: () => rm(staging, { recursive: true, force: true }),
  };
  return output;
}

/** Like `mkdir` with `recursive`, which never returns where a file system refuses new folders as missing (/proc). */
async function makeFolder(folder: string): Promise<void> {
  if ((await stat(folder).catch(() => null))?.isDirectory()) return;
  if (dirname(folder) !== folder) await makeFolder(dirname(folder));
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    // Another process may have been as quick.
    if (error.code !== "EEXIST") throw error;
  });
}

async function moveInto(staging: string, folder: string, path: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await rename(join(staging, path), join(folder, path));
}

/** What the manifest of an earlier run in this folder lists and this run does not write: its pictures would mislead. */
async function staleFiles(folder: string, files: readonly ManifestFile[]): Promise<string[]> {
  const current = new Set(files.map(({ path }) => path));
  try {
    const earlier = readManifest(await readFile(join(folder, "manifest.json"), "utf8"));
    const listed = earlier.map(({ path }) => path).filter((path) => !current.has(path) && isInside(path));
    const kept: string[] = [];
    for (const path of listed) if ((await stat(join(folder, path))).isFile()) kept.push(path);
    return kept;
  } catch {
    return [];
  }
}

/** A manifest is a file like any other: a path in it must not lead out of the folder. */
function isInside(path: string): boolean {
  return !path.startsWith("/") && !path.split(/[\\/]/).includes("..") && !/^[a-z]:/i.test(path);
}

async function reporting<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new ReportError(`${path}: cannot write it: ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "permission denied: choose another folder with --out, or change the folder's permissions";
    case "EEXIST":
    case "ENOTDIR":
      return "a file of that name is in the way: choose another folder with --out";
    case "EISDIR":
      return "a folder of that name is in the way: remove it or choose another folder with --out";
    case "ENOENT":
      return "the folder cannot be made: choose another one with --out";
    case "ENOSPC":
      return "the disk is full: free some space or choose another folder with --out";
    default:
      return messageOf(error);
  }
}
