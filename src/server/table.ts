import { RequestError, type NumberBlock, type Numbers } from "../scorer/protocols/service.ts";
import { isNumberStart, isSpace, mayGoOn, shown, UNFINISHED, wordAt } from "./bytes.ts";
import { NumberReader } from "./number.ts";
import { SeenNumbers } from "./seen.ts";

const SPACE = 0x20;
const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** Rows, height, width and channels are four. */
const MOST_DEPTH = 6;
/** Rows in one block of memory. */
const BLOCK_ROWS = 256;
/** What rounds to infinity as float32. */
const FLOAT32_END = 2 ** 128 - 2 ** 103;

export interface TableOptions {
  /** What the model takes. */
  readonly element: "float32" | "float64";
  /** Numbers in an image, so that no image lies across two blocks. */
  readonly rowSize: number;
  /** How long the body may be, to make the first block as large as it needs to be; null where that is not known. */
  readonly bytes: number | null;
}

/** Of all requests: what one sends, others send too. Apart, because a float32's nearest double is not always the text's. */
const SEEN = { float32: new SeenNumbers(), float64: new SeenNumbers() } as const;

/**
 * Reads one JSON list of numbers, or of lists of them that are all of the same length, into blocks of typed arrays. What
 * does not fit is refused at once, by its row and column.
 */
export class TableReader {
  done = false;
  readonly #name: string;
  readonly #options: TableOptions;
  readonly #reader: NumberReader;
  readonly #limit: number;
  readonly #blocks: NumberBlock[] = [];
  #block: NumberBlock;
  #filled = 0;
  /** Lists that are open, outermost first: how many elements each has so far. */
  readonly #counts: number[] = [];
  /** How many elements the lists of each depth have. */
  readonly #sizes: number[] = [];
  /** At which depth the numbers stand; 0 before the first. */
  #leaves = 0;
  /** What comes next: an element; an element or the end of a list that has none yet; a comma or an end. */
  #expected: "element" | "first" | "separator" = "element";

  /** @param name what the list is called in messages */
  constructor(options: TableOptions, name: string) {
    const single = options.element === "float32";
    this.#name = name;
    this.#options = options;
    this.#reader = new NumberReader(single);
    this.#limit = single ? FLOAT32_END : Infinity;
    // A number and its comma are two bytes at least.
    const rows = Math.ceil((options.bytes ?? Infinity) / 2 / options.rowSize);
    this.#block = this.#newBlock(Math.max(1, Math.min(rows, BLOCK_ROWS)));
  }

  /** The numbers, once all are read. */
  numbers(): Numbers {
    const last = this.#block.subarray(0, this.#filled);
    return { blocks: this.#filled === 0 ? this.#blocks : [...this.#blocks, last], dims: this.#sizes };
  }

  /**
   * Reads on.
   *
   * @param before bytes of the body before these
   * @returns where it stopped: after the list where it is `done`, otherwise where a token starts that is not all there
   * @throws RequestError where it is no table of numbers
   */
  read(bytes: Uint8Array, start: number, before: number): number {
    let at = start;
    while (at < bytes.length && !this.done) {
      const byte = bytes[at]!;
      if (this.#expected !== "separator" && isNumberStart(byte)) {
        const end = this.#numbers(bytes, at);
        if (end === at && this.#reader.end === UNFINISHED) return at;
        at = end;
      } else if (isSpace(byte)) at++;
      else if (byte === COMMA && this.#expected === "separator") {
        this.#expected = "element";
        at++;
      } else if (byte === CLOSE && this.#expected !== "element") {
        this.#close();
        at++;
      } else if (byte === OPEN && this.#expected !== "separator") {
        this.#open();
        at++;
      } else if (this.#expected === "separator") {
        throw new RequestError(
          400,
          `the body is no JSON: at byte ${before + at} stands ${shown(bytes, at)}, where , or ] is expected`,
        );
      } else if (mayGoOn(bytes, at, wordAt(bytes, at)) && wordAt(bytes, at) !== "") return at;
      else this.#refuseElement(bytes, at);
    }
    return at;
  }

  /**
   * Reads numbers that follow each other, with the state in local variables: all of a body but a few bytes is such runs.
   *
   * @returns where it stopped: at what is no number with a comma after it
   */
  #numbers(bytes: Uint8Array, start: number): number {
    const depth = this.#counts.length;
    if (this.#leaves !== depth) this.#startLeaves(depth);
    const reader = this.#reader;
    const seen = SEEN[this.#options.element];
    const limit = this.#limit;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let block = this.#block;
    let filled = this.#filled;
    let at = start;
    this.#expected = "element";
    // Both hold what stands in the block, and what of it is counted.
    let from = filled;
    do {
      if (filled === block.length) {
        this.#count(depth, filled, from);
        block = this.#nextBlock();
        filled = 0;
        from = 0;
      }
      seen.read(bytes, view, at, block, filled);
      if (seen.at > at) {
        at = seen.at;
        filled = seen.filled;
        continue;
      }
      const value = reader.read(bytes, at);
      const { end } = reader;
      if (end < 0 || !(value < limit && value > -limit)) {
        this.#count(depth, filled, from);
        // A minus may go on as -Infinity.
        if (end !== UNFINISHED && (end > 0 || !mayGoOn(bytes, at, wordAt(bytes, at))))
          this.#refuseElement(bytes, at);
        reader.end = UNFINISHED;
        return at;
      }
      block[filled++] = value;
      if (bytes[end] !== COMMA) {
        this.#expected = "separator";
        at = end;
        break;
      }
      seen.keep(view, at, end, value);
      at = end + 1;
      if (at < bytes.length && bytes[at] === SPACE) at++;
    } while (at < bytes.length && isNumberStart(bytes[at]!));
    this.#count(depth, filled, from);
    return at;
  }

  #count(depth: number, filled: number, from: number): void {
    this.#counts[depth - 1]! += filled - from;
    this.#filled = filled;
  }

  #nextBlock(): NumberBlock {
    this.#blocks.push(this.#block);
    this.#block = this.#newBlock(BLOCK_ROWS);
    this.#filled = 0;
    return this.#block;
  }

  #newBlock(rows: number): NumberBlock {
    const length = rows * this.#options.rowSize;
    return this.#options.element === "float32" ? new Float32Array(length) : new Float64Array(length);
  }

  #startLeaves(depth: number): void {
    if (this.#leaves !== 0 || this.#sizes.length > depth)
      throw this.#refusal(`is a number, where lists were before`);
    this.#leaves = depth;
  }

  #open(): void {
    const depth = this.#counts.length;
    if (depth > 0 && depth === this.#leaves) throw this.#refusal("is a list, where numbers were before");
    if (depth === MOST_DEPTH) throw this.#refusal(`is nested more than ${MOST_DEPTH} deep`);
    if (depth > 0) this.#counts[depth - 1]! += 1;
    this.#counts.push(0);
    this.#expected = "first";
  }

  #close(): void {
    const depth = this.#counts.length;
    const count = this.#counts.pop()!;
    const size = (this.#sizes[depth - 1] ??= count);
    if (count !== size) {
      // The list itself is meant, which its parent has counted.
      this.#counts[depth - 2]! -= 1;
      const one = depth === this.#leaves ? "number" : "element";
      throw this.#refusal(`has ${count} ${one}${count === 1 ? "" : "s"}, but those before it have ${size}`);
    }
    this.#expected = "separator";
    this.done = depth === 1;
  }

  #refuseElement(bytes: Uint8Array, at: number): never {
    const byte = bytes[at]!;
    if (byte === 0x22) throw this.#refusal("is a string, but must be a number");
    if (byte === 0x7b) throw this.#refusal("is an object, but must be a number");
    if (this.#reader.end > 0 && isNumberStart(byte))
      throw this.#refusal(`is ${wordAt(bytes, at)}, which is too large for ${this.#options.element}`);
    throw this.#refusal(`is ${shown(bytes, at)}, but must be a number`);
  }

  /** With the place of the element that comes next. */
  #refusal(what: string): RequestError {
    return new RequestError(400, `${this.#name}: ${this.#place()} ${what}`);
  }

  #place(): string {
    const counts = this.#counts;
    const names = ["row", ...(counts.length > 2 ? ["line", "column", "channel"] : ["column"])];
    // A parent has counted the list that is being read.
    const index = (depth: number): number => counts[depth]! - (depth < counts.length - 1 ? 1 : 0);
    if (counts.length === 0) return "the list";
    if (counts.length === 1) return this.#sizes.length > 1 ? `row ${index(0)}` : `element ${index(0)}`;
    return counts.map((_, depth) => `${names[depth] ?? "element"} ${index(depth)}`).join(", ");
  }
}
