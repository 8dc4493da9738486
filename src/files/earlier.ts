import { createHash } from "node:crypto";
import { lstat } from "node:fs/promises";
import { dirname, join } from "node:path";

import { readManifest, type ManifestFile } from "./manifest.ts";
import { openRegular, readRegular } from "./regular.ts";

export const MANIFEST = "manifest.json";

const PIECE_BYTES = 1 << 20;

/** What a manifest lists; null where there is none, or one that says nothing reliable. */
export async function readListed(path: string): Promise<readonly ManifestFile[] | null> {
  try {
    return readManifest((await readRegular(path)).toString());
  } catch {
    return null;
  }
}

/**
 * Those of some files in an output folder that no run of this program has written, or that were edited since.
 *
 * @param look at their sizes alone, which is quick and tells nearly all edits, or at their contents
 */
export async function foreignFiles(
  folder: string,
  paths: readonly string[],
  look: "size" | "content",
): Promise<string[]> {
  const manifest = await readListed(join(folder, MANIFEST));
  const listed = new Map(manifest?.map((file) => [file.path, file]));
  const foreign: string[] = [];
  for (const path of paths) {
    // A folder of that name cannot be overwritten at all, which the commit says.
    if (["nothing", "folder"].includes(await kindOf(join(folder, path)))) continue;
    const file = listed.get(path);
    const isOurs = path === MANIFEST ? manifest !== null : file && (await isAsWritten(folder, file, look));
    if (!isOurs) foreign.push(path);
  }
  return foreign;
}

/** Whether a file is still what a manifest lists, in the folder itself: what a symbolic link leads to is not. */
export async function isAsWritten(
  folder: string,
  { path, bytes, sha256 }: ManifestFile,
  look: "size" | "content" = "content",
): Promise<boolean> {
  if ((await linkOnTheWay(folder, path)) !== null) return false;
  const hash = createHash("sha256");
  try {
    const { handle, size } = await openRegular(join(folder, path));
    try {
      // Its size tells most edits, and saves reading predictions.csv, which may be large: read in pieces otherwise.
      if (size !== bytes || look === "size") return size === bytes;
      const piece = Buffer.allocUnsafe(Math.min(size, PIECE_BYTES) + 1);
      for (let read = -1; read !== 0;) {
        read = (await handle.read(piece, 0, piece.length, null)).bytesRead;
        hash.update(piece.subarray(0, read));
      }
    } finally {
      await handle.close();
    }
  } catch {
    return false;
  }
  return hash.digest("hex") === sha256;
}

/** The first part of a path below the folder that is a symbolic link, the file itself included; null: none. */
export async function linkOnTheWay(folder: string, path: string): Promise<string | null> {
  const above = dirname(path) === "." ? null : await linkOnTheWay(folder, dirname(path));
  if (above !== null) return above;
  return (await kindOf(join(folder, path))) === "link" ? join(folder, path) : null;
}

async function kindOf(path: string): Promise<"nothing" | "link" | "folder" | "other"> {
  try {
    const stats = await lstat(path);
    if (stats.isDirectory()) return "folder";
    return stats.isSymbolicLink() ? "link" : "other";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR" ? "nothing" : "other";
  }
}
