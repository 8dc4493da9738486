import { createHash, type Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { createGunzip } from "node:zlib";

import { DatasetError, InterruptedError, messageOf } from "../errors.ts";
import { NO_FILE, openRegular } from "../files/regular.ts";
import type { Digest } from "./catalog.ts";
import { grouped } from "../grouped.ts";
import { datasetError, type Subject } from "./idx.ts";

/** A file to read, and how messages speak of it. */
export interface DataFile extends Subject {
  readonly path: string;
}

export interface ContentSummary {
  /** Size of the uncompressed content. */
  readonly bytes: number;
  /** sha256 of the uncompressed content. */
  readonly sha256: string;
  /** Whether the file was gzipped. */
  readonly gzipped: boolean;
  /** Digest of the file itself, by the algorithm that was asked for. */
  readonly archive: string | null;
}

/** What was handed on of a file's uncompressed content, from its start. */
export interface Reading {
  readonly bytes: number;
  readonly sha256: string;
  /** Whether it was read to its end. */
  readonly whole: boolean;
}

export interface ContentOptions {
  readonly signal: AbortSignal;
  /** Digest the file itself too. */
  readonly archive?: Digest["algorithm"] | undefined;
  /** Upper bound of one read, in bytes. */
  readonly blockBytes?: number;
  /** Called once nothing more is read. */
  readonly onRead?: (reading: Reading) => void;
}

const BLOCK_BYTES = 1 << 20;
const GZIP_MAGIC = [0x1f, 0x8b] as const;

/** The reason of an abort as this program's own error. */
export function interruption(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof InterruptedError ? reason : new InterruptedError("interrupted", { cause: reason });
}

/**
 * The uncompressed content of a file, gzipped or not, in pieces that are valid until the next one is asked for. Memory
 * is a few blocks, whatever the file's size. The generator returns size and digests.
 * @throws DatasetError where the file cannot be read or its gzip data is damaged, InterruptedError on an abort
 */
export async function* readContent(
  file: DataFile,
  { signal, archive, blockBytes = BLOCK_BYTES, onRead }: ContentOptions,
): AsyncGenerator<Uint8Array, ContentSummary, undefined> {
  const { handle, size } = await openFile(file);
  const [content, itself] = [createHash("sha256"), archive === undefined ? null : createHash(archive)];
  const blocks = readBlocks(handle, Math.min(blockBytes, size + 1), itself);
  let bytes = 0;
  let gzipped = false;
  let whole = false;
  try {
    const first = await blocks.next();
    if (!first.done) {
      gzipped = first.value[0] === GZIP_MAGIC[0] && first.value[1] === GZIP_MAGIC[1];
      const all = startingWith(first.value, blocks);
      for await (const piece of gzipped ? gunzipped(all, file, size) : all) {
        if (signal.aborted) throw interruption(signal);
        content.update(piece);
        bytes += piece.length;
        yield piece;
      }
    }
    whole = true;
    return { bytes, sha256: content.copy().digest("hex"), gzipped, archive: itself?.digest("hex") ?? null };
  } catch (error) {
    throw error instanceof Error && "syscall" in error ? unreadable(file, error) : error;
  } finally {
    onRead?.({ bytes, sha256: content.digest("hex"), whole });
    await blocks.return();
    await handle.close();
  }
}

async function openFile(file: DataFile): Promise<{ handle: FileHandle; size: number }> {
  try {
    return await openRegular(file.path);
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: Subject, error: unknown): DatasetError {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "EISDIR") return datasetError(file, "is a folder, expected a file", error);
  if (code === NO_FILE) return datasetError(file, "is no regular file, and it is read more than once", error);
  if (code === "ENOENT" || code === "ENOTDIR") return datasetError(file, "does not exist", error);
  if (code === "EACCES" || code === "EPERM")
    return datasetError(file, "may not be read (permission denied)", error);
  return datasetError(file, `cannot be read (${messageOf(error)})`, error);
}

/** Reads ahead by one block, so that reading and digesting overlap. Two buffers take turns. */
async function* readBlocks(handle: FileHandle, blockBytes: number, digest: Hash | null) {
  let [current, next] = [Buffer.allocUnsafeSlow(blockBytes), Buffer.allocUnsafeSlow(blockBytes)];
  let reading = handle.read(current, 0, blockBytes, null);
  try {
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return;
      reading = handle.read(next, 0, blockBytes, null);
      digest?.update(current.subarray(0, bytesRead));
      yield current.subarray(0, bytesRead);
      [current, next] = [next, current];
    }
  } finally {
    // The handle may be closed only when no read is under way; its failure no longer matters.
    await reading.catch(() => null);
  }
}

async function* startingWith(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

async function* gunzipped(
  blocks: AsyncIterable<Buffer>,
  file: Subject,
  compressedBytes: number,
): AsyncGenerator<Buffer> {
  // A large output chunk is what makes zlib fast; a small file does not need it.
  const gunzip = createGunzip({ chunkSize: Math.min(BLOCK_BYTES, Math.max(1 << 14, compressedBytes * 16)) });
  const closed = new Promise<void>((resolve) => gunzip.once("close", resolve));
  let fed = 0;
  const feed = async (): Promise<void> => {
    for await (const block of blocks) {
      fed += block.length;
      // The buffer is reused after this, so that the write must be over; a destroyed stream forgets to say so.
      const written = new Promise<void>((resolve) => gunzip.write(block, () => resolve()));
      await Promise.race([written, closed]);
      if (gunzip.destroyed) return;
    }
    gunzip.end();
  };
  const feeding = feed().catch((error: unknown) => void gunzip.destroy(error as Error));
  try {
    for await (const piece of gunzip as AsyncIterable<Buffer>) yield piece;
    await feeding;
    if (gunzip.bytesWritten < fed) {
      throw datasetError(file, `has ${grouped(fed - gunzip.bytesWritten)} bytes after its gzip data`);
    }
  } catch (error) {
    throw damagedGzip(file, error);
  } finally {
    gunzip.destroy();
    await feeding;
  }
}

function damagedGzip(file: Subject, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "Z_BUF_ERROR") return datasetError(file, "is cut short: its gzip data ends early", error);
  if (code.startsWith("Z_")) {
    return datasetError(
      file,
      `is corrupt: its gzip data cannot be decompressed (${messageOf(error)})`,
      error,
    );
  }
  return error;
}
