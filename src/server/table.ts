import { RequestError, type Numbers } from "../scorer/protocols/service.ts";
import { isNumberStart, isSpace, LITERALS, mayGoOn, shown, UNFINISHED, wordAt } from "./bytes.ts";
import { GrowingBlocks, type BlockOptions } from "./blocks.ts";
import { NumberReader } from "./number.ts";
import { SeenNumbers } from "./seen.ts";

const SPACE = 0x20;
const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** Rows, height, width and channels are four. */
const MOST_DEPTH = 6;
/** What rounds to infinity as float32. */
const FLOAT32_END = 2 ** 128 - 2 ** 103;

/** Of all requests: what one sends, others send too. Apart, because a float32's nearest double is not always the text's. */
const SEEN = { float32: new SeenNumbers(), float64: new SeenNumbers() } as const;

/**
 * Reads one JSON list of numbers, or of lists of them that are all of the same length, into blocks of typed arrays. It stops
 * at what does not fit, with a `refusal` by row and column; what is no JSON is refused at once.
 */
export class TableReader {
  done = false;
  /** Why this is no table, although it may be JSON. */
  refusal: RequestError | null = null;
  readonly #name: string;
  readonly #options: BlockOptions;
  readonly #reader: NumberReader;
  readonly #limit: number;
  readonly #blocks: GrowingBlocks;
  /** Lists that are open, outermost first: how many elements each has so far. */
  readonly #counts: number[] = [0];
  /** How many elements the lists of each depth have. */
  readonly #sizes: number[] = [];
  /** At which depth the numbers stand; 0 before the first. */
  #leaves = 0;
  /** What comes next: an element; an element or the end of a list that has none yet; a comma or an end. */
  #expected: "element" | "first" | "separator" = "first";

  /** Begins behind the list's bracket. @param name what the list is called in messages */
  constructor(options: BlockOptions, name: string) {
    const single = options.element === "float32";
    this.#name = name;
    this.#options = options;
    this.#reader = new NumberReader(single);
    this.#limit = single ? FLOAT32_END : Infinity;
    this.#blocks = new GrowingBlocks(options);
  }

  /** Lists that have begun and not ended, where the table is refused. */
  get openLists(): number {
    return this.#counts.length;
  }

  /** What comes next there. */
  get expected(): "value" | "value or ]" | ", or ]" {
    return ({ element: "value", first: "value or ]", separator: ", or ]" } as const)[this.#expected];
  }

  /** The numbers, once all are read. */
  numbers(): Numbers {
    return { blocks: this.#blocks.all(), dims: this.#sizes };
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
    while (at < bytes.length && !this.done && this.refusal === null) {
      const byte = bytes[at]!;
      if (this.#expected !== "separator" && isNumberStart(byte)) {
        const end = this.#numbers(bytes, at);
        if (end === at && (this.#reader.end === UNFINISHED || this.refusal !== null)) return at;
        at = end;
      } else if (isSpace(byte)) at++;
      else if (byte === COMMA && this.#expected === "separator") {
        this.#expected = "element";
        at++;
      } else if (byte === CLOSE && this.#expected !== "element") {
        this.#close();
        at++;
      } else if (byte === OPEN && this.#expected !== "separator") {
        if (!this.#open()) return at;
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
    if (this.#leaves !== depth && !this.#startLeaves(depth)) return start;
    const reader = this.#reader;
    const seen = SEEN[this.#options.element];
    const limit = this.#limit;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const blocks = this.#blocks;
    let { block, filled } = blocks;
    let at = start;
    this.#expected = "element";
    // Both hold what stands in the block, and what of it is counted.
    let from = filled;
    do {
      if (filled === block.length) {
        this.#count(depth, filled, from);
        blocks.grow();
        ({ block, filled } = blocks);
        from = filled;
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
    this.#blocks.filled = filled;
  }

  #startLeaves(depth: number): boolean {
    if (this.#leaves !== 0 || this.#sizes.length > depth)
      return this.#refuse(`is a number, where lists were before`);
    this.#leaves = depth;
    return true;
  }

  #open(): boolean {
    const depth = this.#counts.length;
    if (depth === this.#leaves) return this.#refuse("is a list, where numbers were before");
    if (depth === MOST_DEPTH) return this.#refuse(`is nested more than ${MOST_DEPTH} deep`);
    this.#counts[depth - 1]! += 1;
    this.#counts.push(0);
    this.#expected = "first";
    return true;
  }

  #close(): void {
    const depth = this.#counts.length;
    const count = this.#counts.pop()!;
    const size = (this.#sizes[depth - 1] ??= count);
    this.#expected = "separator";
    this.done = depth === 1;
    if (count === size) return;
    // The list itself is meant, which its parent has counted.
    this.#counts[depth - 2]! -= 1;
    const one = depth === this.#leaves ? "number" : "element";
    this.#refuse(`has ${count} ${one}${count === 1 ? "" : "s"}, but those before it have ${size}`);
  }

  /** @throws RequestError where it is no JSON either */
  #refuseElement(bytes: Uint8Array, at: number): void {
    const byte = bytes[at]!;
    const word = shown(bytes, at);
    if (byte === 0x22) this.#refuse("is a string, but must be a number");
    else if (byte === 0x7b) this.#refuse("is an object, but must be a number");
    else if (this.#reader.end > 0 && isNumberStart(byte))
      this.#refuse(`is ${word}, which is too large for ${this.#options.element}`);
    else {
      this.#refuse(`is ${word}, but must be a number`);
      if (!LITERALS.has(word)) throw this.refusal!;
    }
  }

  /** With the place of the element that comes next. */
  #refuse(what: string): false {
    this.refusal = new RequestError(
      400,
      `${this.#name}: ${placeIn(this.#counts, this.#sizes.length > 1)} ${what}`,
    );
    return false;
  }
}

/**
 * The element that comes next, in words.
 *
 * @param counts how many elements each open list has; a parent has counted the list that is being read
 * @param ofRows whether the outermost list is one of rows
 */
function placeIn(counts: readonly number[], ofRows: boolean): string {
  const names = ["row", ...(counts.length > 2 ? ["line", "column", "channel"] : ["column"])];
  const index = (depth: number): number => counts[depth]! - (depth < counts.length - 1 ? 1 : 0);
  if (counts.length === 1) return ofRows ? `row ${index(0)}` : `element ${index(0)}`;
  return counts.map((_, depth) => `${names[depth] ?? "element"} ${index(depth)}`).join(", ");
}
