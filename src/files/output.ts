import { createHash } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";

import { commitFiles, completeCommit, type CommitOptions } from "./commit.ts";
import { MANIFEST } from "./earlier.ts";
import { manifest, type ManifestFile } from "./manifest.ts";
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
  commit(): Promise<void>;
  /** Removes everything that was not committed. */
  discard(): Promise<void>;
}

export interface OutputOptions extends CommitOptions {
  /** Called where the process must end at once: what is not committed then goes away. */
  readonly atHardExit: Set<() => void>;
}

/**
 * Opens an output folder before scoring begins, so that a mistake in it costs no time. What a killed run had begun to
 * move into it is moved first.
 *
 * @throws ReportError where the folder cannot be made or written to, or the killed run's files cannot be moved
 */
export async function openOutput(folder: string, options: OutputOptions): Promise<Output> {
  const staging = await makeStaging(folder, options.atHardExit, options.warn);
  try {
    await completeCommit(folder, options);
  } catch (error) {
    await staging.remove();
    throw error;
  }
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
      const listed = [...files];
      await write(MANIFEST, manifest(listed));
      await commitFiles(staging.path, folder, listed, options);
      await discard();
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
      // A power cut after the commit must not leave it empty.
      await reporting(target, async () => {
        await file.sync();
        await file.close();
      });
      onEnd({ bytes, sha256: hash.digest("hex") });
    },
    abandon: () => file.close().catch(() => {}),
  };
}
