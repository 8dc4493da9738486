import type { NumberBlock } from "../scorer/protocols/service.ts";

const SPACE = 0x20;
const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;

/** Texts of so many bytes, their comma included, are kept: three words of eight bytes cover them. */
const SHORTEST = 8;
const LONGEST = 24;
/** Pixels have 256 values: in so many places, few of them meet. */
const PLACE_BITS = 11;
/** Of a place: three words of text, and the number. */
const WORDS = 4;
const VALUE = 3;

/**
 * Reads the numbers that images are made of: whole ones of up to three digits, zeros above all, and those whose text was
 * read before, because images have few different ones, of some 18 digits each. Eight bytes are compared at a time, as if
 * they were doubles: JSON's characters make none that is zero or NaN, so that equal doubles are equal bytes.
 */
export class SeenNumbers {
  /** Where `read` stopped: at what something else must read. */
  at = 0;
  /** How many numbers the block has then. */
  filled = 0;
  // NaN equals no text.
  readonly #words = new Float64Array(WORDS << PLACE_BITS).fill(NaN);
  readonly #lengths = new Int32Array(1 << PLACE_BITS);

  /**
   * Goes on with numbers that a comma follows, until one is unknown, the block is full or the bytes are near their end.
   *
   * @param view of `bytes`
   * @param block zeros from `filled` on
   */
  read(bytes: Uint8Array, view: DataView, start: number, block: NumberBlock, filled: number): void {
    const words = this.#words;
    const lengths = this.#lengths;
    const last = bytes.length - LONGEST;
    let at = start;
    while (at <= last && filled < block.length) {
      const end = wholeEnd(bytes, at);
      if (end > 0) {
        const next = bytes[end] === SPACE ? end + 1 : end;
        if (bytes[at] === ZERO) {
          const count = Math.min(repeats(view, at, next - at), block.length - filled);
          filled += count;
          at += count * (next - at);
        } else {
          block[filled++] = wholeNumber(bytes, at);
          at = next;
        }
        continue;
      }
      const place = placeOf(view, at);
      const word = place * WORDS;
      const length = lengths[place]!;
      if (
        words[word] !== view.getFloat64(at, true) ||
        words[word + 1] !== view.getFloat64(at + middle(length), true) ||
        words[word + 2] !== view.getFloat64(at + length - 8, true)
      )
        break;
      block[filled++] = words[word + VALUE]!;
      at += length;
      if (bytes[at] === SPACE) at++;
    }
    this.at = at;
    this.filled = filled;
  }

  /** @param end where the number's text, which starts at `at`, has its comma */
  keep(view: DataView, at: number, end: number, value: number): void {
    const length = end + 1 - at;
    if (length < SHORTEST || length > LONGEST || at + LONGEST > view.byteLength) return;
    const place = placeOf(view, at);
    const word = place * WORDS;
    this.#words[word] = view.getFloat64(at, true);
    this.#words[word + 1] = view.getFloat64(at + middle(length), true);
    this.#words[word + 2] = view.getFloat64(at + length - 8, true);
    this.#words[word + VALUE] = value;
    this.#lengths[place] = length;
  }
}

/** Where the word in the middle starts, which overlaps the others in a short text. */
function middle(length: number): number {
  return length >= 16 ? 8 : length - 8;
}

/** By the characters behind `0.`, which tell pixels apart. */
function placeOf(view: DataView, at: number): number {
  return Math.imul(view.getUint32(at + 2, true), 0x9e3779b1) >>> (32 - PLACE_BITS);
}

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= ZERO + 9;

/** Behind the comma of a whole number of up to three digits, as `253,` or `253.0,`; 0 for anything else. */
function wholeEnd(bytes: Uint8Array, start: number): number {
  if (!isDigit(bytes[start]!)) return 0;
  let at = start + 1;
  if (bytes[start] !== ZERO && isDigit(bytes[at]!) && isDigit(bytes[++at]!)) at++;
  if (bytes[at] === POINT && bytes[at + 1] === ZERO) at += 2;
  return bytes[at] === COMMA ? at + 1 : 0;
}

function wholeNumber(bytes: Uint8Array, start: number): number {
  let value = 0;
  for (let at = start; isDigit(bytes[at]!); at++) value = value * 10 + bytes[at]! - ZERO;
  return value;
}

/** How many times at least the `width` bytes, seven at most, stand there one after the other. */
function repeats(view: DataView, start: number, width: number): number {
  const last = view.byteLength - 8;
  let at = start + width;
  while (at <= last && view.getFloat64(at, true) === view.getFloat64(at - width, true)) at += 8;
  return ((at - start) / width) | 0;
}
