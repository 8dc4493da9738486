import { closeSync, fstatSync, openSync, readSync } from "node:fs";

import { Places } from "./places.ts";
import { HEADER_BYTES, isIntact, KEY_BYTES, readAnswer, recordBytes, type StoredAnswer } from "./records.ts";

/** About how much is read at once. */
const CHUNK_BYTES = 1 << 20;

interface EarlierFile {
  readonly fd: number;
  /** Of its first record, counted over all files. */
  readonly first: number;
  readonly records: number;
}

/** What earlier runs' journals hold. Only where each answer is stays in memory; what is spoilt is passed over. */
export class Earlier {
  readonly #classes: number;
  readonly #files: EarlierFile[] = [];
  readonly #record: Buffer;
  #places: Places;

  /** @param expected the header that a journal must have */
  constructor(paths: readonly string[], expected: Buffer, classes: number) {
    this.#classes = classes;
    this.#record = Buffer.alloc(recordBytes(classes));
    let records = 0;
    for (const path of paths) {
      const file = openFile(path, expected, this.#record.length, records);
      if (file === null) continue;
      this.#files.push(file);
      records += file.records;
    }
    this.#places = new Places(records);
    for (const file of this.#files) this.#index(file);
  }

  /** Images that there are answers for. */
  get size(): number {
    return this.#places.size;
  }

  get(key: Buffer): StoredAnswer | null {
    const place = this.#places.get(key);
    if (place === null) return null;
    const { fd, first } = this.#files.findLast((file) => file.first <= place)!;
    const record = this.#record;
    if (!readFully(fd, record, HEADER_BYTES + (place - first) * record.length)) return null;
    // Once more: it may have changed since, and the table knows but half of the key.
    if (!isIntact(record) || !record.subarray(0, KEY_BYTES).equals(key)) return null;
    return readAnswer(record, this.#classes);
  }

  close(): void {
    this.#places = new Places(0);
    for (const { fd } of this.#files.splice(0)) closeSync(fd);
  }

  #index({ fd, first, records }: EarlierFile): void {
    const size = this.#record.length;
    const perChunk = Math.max(1, Math.floor(CHUNK_BYTES / size));
    const chunk = Buffer.alloc(Math.min(perChunk, records) * size);
    for (let start = 0; start < records; start += perChunk) {
      const count = Math.min(perChunk, records - start);
      const bytes = chunk.subarray(0, count * size);
      if (!readFully(fd, bytes, HEADER_BYTES + start * size)) return;
      for (let i = 0; i < count; i++) {
        const record = bytes.subarray(i * size, (i + 1) * size);
        if (isIntact(record)) this.#places.set(record, first + start + i);
      }
    }
  }
}

/** Null where it is none of these journals, or cannot be read: what it held is asked for again. */
function openFile(path: string, expected: Buffer, size: number, first: number): EarlierFile | null {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return null;
  }
  const start = Buffer.alloc(HEADER_BYTES);
  if (readFully(fd, start, 0) && start.equals(expected))
    return { fd, first, records: Math.floor((fstatSync(fd).size - HEADER_BYTES) / size) };
  closeSync(fd);
  return null;
}

/** False where it cannot be read, or ends before. */
function readFully(fd: number, bytes: Buffer, position: number): boolean {
  try {
    let done = 0;
    while (done < bytes.length) {
      const read = readSync(fd, bytes, done, bytes.length - done, position + done);
      if (read === 0) return false;
      done += read;
    }
    return true;
  } catch {
    return false;
  }
}
