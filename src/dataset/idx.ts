import { grouped } from "../grouped.ts";
import { DatasetError } from "../errors.ts";

/** How messages name a file, and what they advise for it. */
export interface Subject {
  readonly name: string;
  readonly advice: string;
}

/** The element types of IDX by their code: name, size in bytes, and how a big-endian value is read. */
export const IDX_TYPES = {
  0x08: { name: "ubyte", bytes: 1, integer: true, read: (view: DataView, at: number) => view.getUint8(at) },
  0x09: { name: "byte", bytes: 1, integer: true, read: (view: DataView, at: number) => view.getInt8(at) },
  0x0b: { name: "short", bytes: 2, integer: true, read: (view: DataView, at: number) => view.getInt16(at) },
  0x0c: { name: "int", bytes: 4, integer: true, read: (view: DataView, at: number) => view.getInt32(at) },
  0x0d: {
    name: "float",
    bytes: 4,
    integer: false,
    read: (view: DataView, at: number) => view.getFloat32(at),
  },
  0x0e: {
    name: "double",
    bytes: 8,
    integer: false,
    read: (view: DataView, at: number) => view.getFloat64(at),
  },
} as const;

export type IdxType = (typeof IDX_TYPES)[keyof typeof IDX_TYPES];

export interface IdxHeader {
  readonly type: IdxType;
  /** Count of records, then the shape of one. */
  readonly dimensions: readonly number[];
  /** Size of one record. */
  readonly recordBytes: number;
  /** Size of the whole uncompressed file, header included. */
  readonly totalBytes: number;
}

const MAX_RECORDS = 2 ** 31;
const MAX_SIDE = 4096;
const MAX_DIMENSIONS = 4;
const PREAMBLE_BYTES = 4;
const EMPTY = new Uint8Array(0);

/** [10000, 28, 28] → `10,000 × 28 × 28`. */
export function shapeText(dimensions: readonly number[]): string {
  return dimensions.map(grouped).join(" × ");
}

/**
 * Reads an IDX file from consecutive pieces of its uncompressed content, cut anywhere. It holds back only the header's
 * bytes and allocates nothing by what the header claims.
 */
export class IdxReader {
  header: IdxHeader | null = null;
  readonly #subject: Subject;
  #head: Uint8Array = EMPTY;
  #received = 0;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /**
   * Takes the next piece and gives the part of it that belongs to records: a view, not a copy.
   * @throws DatasetError where the header is wrong, or the content goes on after the last record
   */
  push(chunk: Uint8Array): Uint8Array {
    this.#received += chunk.length;
    let records = chunk;
    if (this.header === null) {
      records = this.#takeHeader(chunk);
      if (this.header === null) return EMPTY;
    }
    if (this.#received > this.header.totalBytes) {
      throw this.#error(
        `goes on after the ${grouped(this.header.totalBytes)} bytes that its header promises`,
      );
    }
    return records;
  }

  /** Says that no more is to come. @throws DatasetError where something is missing */
  end(): void {
    if (this.#received === 0) throw this.#error("is empty (0 bytes)");
    if (this.header === null) {
      const start = this.#head;
      if (start.length >= 2) this.#checkStart(start);
      throw this.#error(`is cut short: ${grouped(this.#received)} bytes are less than an IDX header`);
    }
    if (this.#received < this.header.totalBytes) {
      const [got, expected] = [grouped(this.#received), grouped(this.header.totalBytes)];
      throw this.#error(`is cut short: it holds ${got} bytes, but its header promises ${expected}`);
    }
  }

  #takeHeader(chunk: Uint8Array): Uint8Array {
    // Chunks of real files hold the whole header, so that this copies a few bytes once.
    const limit = PREAMBLE_BYTES * (MAX_DIMENSIONS + 1);
    const held = this.#head.length;
    const head = new Uint8Array(Math.min(limit, held + chunk.length));
    head.set(this.#head);
    head.set(chunk.subarray(0, head.length - held), held);
    this.#head = head;
    if (head.length < PREAMBLE_BYTES) return EMPTY;
    this.#checkStart(head);
    this.#checkPreamble(head);
    const headerBytes = PREAMBLE_BYTES * (1 + (head[3] ?? 0));
    if (head.length < headerBytes) return EMPTY;
    this.header = this.#parse(head, headerBytes);
    return chunk.subarray(headerBytes - held);
  }

  #checkStart(head: Uint8Array): void {
    const text = String.fromCharCode(...head).trimStart();
    if (text.startsWith("<") || text.startsWith("ï»¿<"))
      throw this.#error("is a web page (HTML or XML), not IDX data");
    if (text.startsWith("vers")) throw this.#error("is a Git LFS pointer, not the data it points to");
    if (head[0] !== 0 || head[1] !== 0) {
      const start = [...head.subarray(0, PREAMBLE_BYTES)]
        .map((byte) => byte.toString(16).padStart(2, "0"))
        .join(" ");
      throw this.#error(
        `is not an IDX file: it begins with the bytes ${start}, expected 00 00, type, dimensions`,
      );
    }
  }

  #checkPreamble(head: Uint8Array): void {
    const [, , code = 0, count = 0] = head;
    if (!(code in IDX_TYPES)) {
      const known = Object.entries(IDX_TYPES).map(([known, { name }]) => `${hex(Number(known))} ${name}`);
      throw this.#error(`has the unknown IDX type ${hex(code)}, expected one of ${known.join(", ")}`);
    }
    if (count < 1 || count > MAX_DIMENSIONS) {
      throw this.#error(`claims ${count} dimensions, expected 1 to ${MAX_DIMENSIONS}`);
    }
  }

  #parse(head: Uint8Array, headerBytes: number): IdxHeader {
    const type = IDX_TYPES[head[2] as keyof typeof IDX_TYPES];
    const view = new DataView(head.buffer);
    const dimensions: number[] = [];
    for (let at = PREAMBLE_BYTES; at < headerBytes; at += 4) dimensions.push(view.getUint32(at));
    const recordBytes = dimensions.slice(1).reduce((product, side) => product * side, type.bytes);
    const totalBytes = headerBytes + recordBytes * (dimensions[0] ?? 0);
    this.#checkDimensions(dimensions, totalBytes);
    return { type, dimensions, recordBytes, totalBytes };
  }

  #checkDimensions(dimensions: readonly number[], totalBytes: number): void {
    const [count = 0, ...sides] = dimensions;
    if (dimensions.includes(0))
      throw this.#error(`claims dimensions of ${shapeText(dimensions)}, where none may be 0`);
    if (count > MAX_RECORDS) {
      throw this.#error(`claims ${grouped(count)} records, at most ${grouped(MAX_RECORDS)} can be read`);
    }
    if (sides.some((side) => side > MAX_SIDE)) {
      throw this.#error(
        `claims dimensions of ${shapeText(dimensions)}, at most ${grouped(MAX_SIDE)} a side can be read`,
      );
    }
    if (!Number.isSafeInteger(totalBytes)) {
      throw this.#error(`claims dimensions of ${shapeText(dimensions)}, more than can be read`);
    }
  }

  #error(problem: string): DatasetError {
    return datasetError(this.#subject, problem);
  }
}

/** `NAME PROBLEM: ADVICE`, or `NAME PROBLEM` where there is nothing to advise. */
export function datasetError(subject: Subject, problem: string, cause?: unknown): DatasetError {
  const advice = subject.advice === "" ? "" : `: ${subject.advice}`;
  return new DatasetError(`${subject.name} ${problem}${advice}`, cause === undefined ? {} : { cause });
}

function hex(code: number): string {
  return `0x${code.toString(16).padStart(2, "0")}`;
}
