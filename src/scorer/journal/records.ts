import { createHash, hash } from "node:crypto";
import { crc32 } from "node:zlib";

/** What a service answered for an image. */
export interface StoredAnswer {
  readonly label: number;
  /** k, as the service gave them; null where it gives labels only. */
  readonly scores: Float64Array | null;
}

/**
 * A journal's bytes, little-endian. A header, and records that are all of one size, so that a spoilt one costs no other:
 *
 *     header  magic (8), version u32, classes u32, SHA-256 of the binding (32), CRC-32 of all before it
 *     record  key (16), label u16, 1 with scores u16, scores k × f64, CRC-32 of all before it
 */
const MAGIC = Buffer.from("\x89scored\n", "latin1");
const VERSION = 2;

export const HEADER_BYTES = 52;
export const KEY_BYTES = 16;
const CRC_BYTES = 4;
const ANSWER_BYTES = 4;

export const recordBytes = (classes: number): number => KEY_BYTES + ANSWER_BYTES + 8 * classes + CRC_BYTES;

/** All that answers depend on but the images and how they are fed, as 32 bytes: the order of keys does not matter. */
export function bindingDigest(binding: unknown, classes: number): Buffer {
  return createHash("sha256")
    .update(JSON.stringify([VERSION, classes, binding], sortKeys))
    .digest();
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function header(binding: Buffer, classes: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(VERSION, 8);
  bytes.writeUInt32LE(classes, 12);
  binding.copy(bytes, 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER_BYTES - CRC_BYTES)), HEADER_BYTES - CRC_BYTES);
  return bytes;
}

/** Makes keys, each of how an image is fed, its index and its pixels: the first 16 bytes of a SHA-256. */
export class Keys {
  readonly #ways = new Map<string, Buffer>();
  #scratch = Buffer.alloc(0);

  key(way: string, index: number, pixels: Uint8Array): Buffer {
    const length = 32 + 4 + pixels.length;
    if (this.#scratch.length !== length) this.#scratch = Buffer.alloc(length);
    this.#scratch.set(this.#digest(way));
    this.#scratch.writeUInt32LE(index, 32);
    this.#scratch.set(pixels, 36);
    return hash("sha256", this.#scratch, "buffer").subarray(0, KEY_BYTES);
  }

  #digest(way: string): Buffer {
    let digest = this.#ways.get(way);
    if (digest === undefined) {
      digest = createHash("sha256").update(way).digest();
      this.#ways.set(way, digest);
    }
    return digest;
  }
}

/** Writes a record into zeroed bytes of its size. */
export function writeRecord(bytes: Buffer, key: Buffer, { label, scores }: StoredAnswer): void {
  key.copy(bytes);
  bytes.writeUInt16LE(label, KEY_BYTES);
  bytes.writeUInt16LE(scores === null ? 0 : 1, KEY_BYTES + 2);
  if (scores !== null)
    for (let c = 0, at = KEY_BYTES + ANSWER_BYTES; c < scores.length; c++, at += 8)
      bytes.writeDoubleLE(scores[c]!, at);
  const end = bytes.length - CRC_BYTES;
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end)), end);
}

/** Whether a record's bytes are as they were written. */
export function isIntact(bytes: Buffer): boolean {
  const end = bytes.length - CRC_BYTES;
  return crc32(bytes.subarray(0, end)) === bytes.readUInt32LE(end);
}

/** The answer in an intact record. */
export function readAnswer(bytes: Buffer, classes: number): StoredAnswer {
  const label = bytes.readUInt16LE(KEY_BYTES);
  if (bytes.readUInt16LE(KEY_BYTES + 2) === 0) return { label, scores: null };
  const scores = new Float64Array(classes);
  for (let c = 0; c < classes; c++) scores[c] = bytes.readDoubleLE(KEY_BYTES + ANSWER_BYTES + 8 * c);
  return { label, scores };
}
