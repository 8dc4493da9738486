import { createHash, randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { access, constants, mkdir, open, rm, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";

import { ReportError } from "../errors.ts";
import { makeFolder } from "../folders.ts";
import { manifest, type ManifestFile } from "../report/manifest.ts";
import { commitFiles } from "./commit.ts";
import { reasonOf, reporting } from "./write-errors.ts";

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

/**
 * Opens an output folder before scoring begins, so that a mistake in it costs no time. What is written until `commit`
 * also goes away where the process ends through `atHardExit`.
 *
 * @throws ReportError where the folder cannot be made or written to.
 */
export async function openOutput(folder: string, atHardExit: Set<() => void>): Promise<Output> {
  const staging = join(folder, `.partial-${randomUUID()}`);
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
    await mkdir(staging);
  } catch (error) {
    throw new ReportError(`${folder}: cannot write the report there: ${reasonOf(error)}`, { cause: error });
  }
  const files: ManifestFile[] = [];
  const streams = new Set<FileHandle>();
  const removeNow = (): void => rmSync(staging, { recursive: true, force: true });
  atHardExit.add(removeNow);

  async function create(path: string): Promise<FileHandle> {
    const target = join(staging, path);
    await mkdir(dirname(target), { recursive: true });
    return open(target, "wx");
  }

  async function discard(): Promise<void> {
    for (const file of streams) await file.close().catch(() => {});
    await rm(staging, { recursive: true, force: true });
    atHardExit.delete(removeNow);
  }

  async function write(path: string, content: string | Uint8Array): Promise<void> {
    await reporting(join(folder, path), async () => {
      const file = await create(path);
      try {
        await file.writeFile(content);
      } finally {
        await file.close();
      }
    });
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    files.push({ path, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });
  }

  return {
    write,
    async stream(path) {
      const file = await reporting(join(folder, path), () => create(path));
      streams.add(file);
      const hash = createHash("sha256");
      let bytes = 0;
      return {
        async write(text) {
          const buffer = Buffer.from(text);
          hash.update(buffer);
          bytes += buffer.length;
          await reporting(join(folder, path), () => file.writeFile(buffer));
        },
        async end() {
          streams.delete(file);
          await reporting(join(folder, path), () => file.close());
          files.push({ path, bytes, sha256: hash.digest("hex") });
        },
      };
    },
    async commit() {
      await write("manifest.json", manifest(files));
      await commitFiles(staging, folder, files);
      await discard();
      return files;
    },
    discard,
  };
}
