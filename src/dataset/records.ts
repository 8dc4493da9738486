import type { Digest } from "./catalog.ts";
import type { ContentSummary, DataFile } from "./content.ts";
import { datasetError, IdxReader, type IdxHeader } from "./idx.ts";
import { changedError, readSteadily, type Readings } from "./readings.ts";

/** What a file is held to. */
export interface Expectation {
  /** sha256 of the uncompressed content, or null. */
  readonly content: string | null;
  /** Digest of the gzipped file, or null. */
  readonly archive: Digest | null;
}

export const UNPUBLISHED: Expectation = { content: null, archive: null };

const FIRST_ALLOCATION_BYTES = 1 << 20;
const PEEK_BYTES = 1 << 12;

/** The header of an IDX file. @throws DatasetError */
export async function readHeader(
  file: DataFile,
  readings: Readings,
  signal: AbortSignal,
): Promise<IdxHeader> {
  const reader = new IdxReader(file);
  for await (const piece of readSteadily(file, readings, { signal, blockBytes: PEEK_BYTES })) {
    reader.push(piece);
    if (reader.header !== null) return reader.header;
  }
  reader.end();
  throw datasetError(file, "has no IDX header");
}

/** Reads the records of one IDX file in order, a number at a time, and holds the content to its published digest. */
export class RecordStream {
  readonly header: IdxHeader;
  readonly #file: DataFile;
  readonly #expected: Expectation;
  readonly #reader: IdxReader;
  readonly #content: AsyncGenerator<Uint8Array, ContentSummary, undefined>;
  #rest: Uint8Array = new Uint8Array(0);
  #summary: ContentSummary | null = null;

  constructor(
    file: DataFile,
    header: IdxHeader,
    expected: Expectation,
    readings: Readings,
    signal: AbortSignal,
  ) {
    this.header = header;
    this.#file = file;
    this.#expected = expected;
    this.#reader = new IdxReader(file);
    // Where both digests are known the content's is enough, because it holds for every copy.
    const archive = expected.content === null ? expected.archive?.algorithm : undefined;
    this.#content = readSteadily(file, readings, { signal, archive });
  }

  /**
   * The next `count` records' bytes in a buffer of their own. Room is made as data arrives, never by what the header
   * claims. @throws DatasetError where the file ends before
   */
  async read(count: number): Promise<Uint8Array> {
    const wanted = count * this.header.recordBytes;
    let records = room(Math.min(wanted, FIRST_ALLOCATION_BYTES));
    let filled = 0;
    while (filled < wanted) {
      if (this.#rest.length === 0 && !(await this.#pull())) {
        this.#reader.end();
        throw changedError(this.#file);
      }
      const taken = Math.min(this.#rest.length, wanted - filled);
      if (filled + taken > records.length) {
        const larger = room(Math.min(wanted, Math.max(2 * records.length, filled + taken)));
        larger.set(records.subarray(0, filled));
        records = larger;
      }
      records.set(this.#rest.subarray(0, taken), filled);
      this.#rest = this.#rest.subarray(taken);
      filled += taken;
    }
    return records;
  }

  /** Reads to the end: nothing may follow the last record, and the digest must match. @throws DatasetError */
  async finish(): Promise<ContentSummary> {
    while (await this.#pull());
    this.#reader.end();
    const summary = this.#summary;
    if (summary === null) throw new Error("the content has no summary at its end");
    verifyDigest(this.#file, this.#expected, summary);
    return summary;
  }

  /** Lets go of the file; to be called in any case. */
  async close(): Promise<void> {
    await this.#content.return(undefined as never);
  }

  async #pull(): Promise<boolean> {
    const next = await this.#content.next();
    if (next.done) {
      this.#summary ??= next.value;
      return false;
    }
    const first = this.#reader.header === null;
    this.#rest = this.#reader.push(next.value);
    if (first && this.#reader.header !== null && !sameShape(this.#reader.header, this.header)) {
      throw changedError(this.#file);
    }
    return true;
  }
}

/** Memory that is not cleared first, because all of it is written before it is handed on. */
function room(bytes: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer);
}

function sameShape(a: IdxHeader, b: IdxHeader): boolean {
  return a.type === b.type && a.dimensions.join() === b.dimensions.join();
}

/** @throws DatasetError where a published digest is known and the content has another */
export function verifyDigest(file: DataFile, expected: Expectation, summary: ContentSummary): void {
  const fail = (what: string, got: string, wanted: string): void => {
    if (got !== wanted) {
      throw datasetError(file, `does not match its published digest (${what} got ${got} expected ${wanted})`);
    }
  };
  if (expected.content !== null) fail("sha256", summary.sha256, expected.content);
  else if (expected.archive !== null && summary.gzipped && summary.archive !== null) {
    fail(`${expected.archive.algorithm} of the .gz`, summary.archive, expected.archive.hex);
  }
}
