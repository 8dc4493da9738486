import { constants, type BigIntStats } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";

/** As `open` to read, but a pipe, a socket or a device, which may never answer or never end, is an error of this code. */
export const NO_FILE = "ENOTFILE";

/** Not on Windows, which has no named pipes in its folders. */
const AT_ONCE = constants.O_NONBLOCK ?? 0;

/** Opens a file to read it. @throws an error with the system's `code`, EISDIR for a folder, or `NO_FILE` */
export async function openRegular(path: string): Promise<{ handle: FileHandle; size: number }> {
  const handle = await open(path, constants.O_RDONLY | AT_ONCE);
  try {
    const stats = await handle.stat();
    if (stats.isFile()) return { handle, size: stats.size };
    throw Object.assign(new Error(`${path} is no regular file`), {
      code: stats.isDirectory() ? "EISDIR" : NO_FILE,
    });
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A file's whole content. @throws as `openRegular` */
export async function readRegular(path: string): Promise<Buffer> {
  const { handle } = await openRegular(path);
  try {
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** Changes when a file is written to or replaced; also with a new name or mode, so that its content has the last word. */
export function fingerprint({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}
