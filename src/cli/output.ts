import { createHash } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";

import { manifest, type ManifestFile } from "../report/manifest.ts";
import { commitFiles } from "./commit.ts";
import { makeStaging } from "./staging.ts";
import { reporting } from "./write-errors.ts";

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
  const staging = await makeStaging(folder, atHardExit);
  const files: ManifestFile[] = [];
  const unfinished = new Set<StagedFile>();

  async function stream(path: string): Promise<StagedFile> {
    const file = await stagedFile(join(staging.path, path), join(folder, path), (written) => {
      unfinished.delete(file);
      files.push({ path, ...written });
    });
    unfinished.add(file);
    return file;
  }

  async function write(path: string, content: string | Uint8Array): Promise<void> {
    const file = await stream(path);
    await file.write(content);
    await file.end();
  }

  async function discard(): Promise<void> {
    for (const file of unfinished) await file.abandon();
    await staging.remove();
  }

  return {
    write,
    stream,
    async commit() {
      await write("manifest.json", manifest(files));
      await commitFiles(staging.path, folder, files);
      await discard();
      return files;
    },
    discard,
  };
}

interface StagedFile {
  write(content: string | Uint8Array): Promise<void>;
  end(): Promise<void>;
  /** Closes it as it is. */
  abandon(): Promise<void>;
}

/** A file that is digested while it is written. @param target where it will be, as errors name it */
async function stagedFile(
  path: string,
  target: string,
  onEnd: (written: Omit<ManifestFile, "path">) => void,
): Promise<StagedFile> {
  const file = await reporting(target, async () => {
    await mkdir(dirname(path), { recursive: true });
    return open(path, "wx");
  });
  const hash = createHash("sha256");
  let bytes = 0;
  return {
    async write(content) {
      const piece = typeof content === "string" ? Buffer.from(content) : content;
      hash.update(piece);
      bytes += piece.length;
      await reporting(target, () => file.writeFile(piece));
    },
    async end() {
      await reporting(target, () => file.close());
      onEnd({ bytes, sha256: hash.digest("hex") });
    },
    abandon: () => file.close().catch(() => {}),
  };
}
