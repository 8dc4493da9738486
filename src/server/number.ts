import { UNFINISHED } from "./bytes.ts";

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const SMALL_E = 0x65;

const NUMBER_MARKS = new Set(Buffer.from("+-.eE"));

/** Powers of ten that a double holds exactly. */
const TENS = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
/** Decimal digits that a double's 53 bits hold, whichever they are. */
const EXACT_DIGITS = 15;
/** Digits that a mantissa collects before its value is too far off to be told from its neighbours. */
const MOST_DIGITS = 18;
/** Bound on the relative error of a mantissa of up to 18 digits, scaled by one exact power of ten. */
const ERROR = 2e-15;

/** The bytes are no JSON number. */
export const MALFORMED = -2;

/**
 * Reads JSON numbers from bytes, several times faster than `JSON.parse`, because it makes no strings and no lists. Each is
 * what `Number(text)` is, or its nearest float32 where `single` is asked for: IEEE 754 division rounds correctly where
 * mantissa and power of ten are exact, and elsewhere a float32 has digits to spare.
 */
export class NumberReader {
  /** Where the number that was read ends, or UNFINISHED, or MALFORMED. */
  end = 0;
  readonly #single: boolean;

  constructor(single: boolean) {
    this.#single = single;
  }

  /** @param start its first byte, a digit or a minus */
  read(bytes: Uint8Array, start: number): number {
    const negative = bytes[start] === MINUS;
    const integer = negative ? start + 1 : start;
    let at = integer;
    let digit = 0;
    // Two whole numbers of up to nine digits: adding digits to a double takes several times as long.
    let high = 0;
    let low = 0;
    let digits = 0;
    let point = 0;
    for (;;) {
      digit = bytes[at]! - ZERO;
      if (digit >= 0 && digit <= 9) {
        // Zeros before the first other digit carry nothing.
        if (digits < 9) high = (high * 10 + digit) | 0;
        else low = (low * 10 + digit) | 0;
        if (digits !== 0 || digit !== 0) digits++;
        at++;
        if (digits <= MOST_DIGITS) continue;
        return this.#slowly(bytes, start);
      }
      if (bytes[at] !== POINT || point !== 0) break;
      if (!isInteger(bytes, integer, at)) return this.#stop(MALFORMED);
      point = ++at;
    }
    if (at >= bytes.length) return this.#stop(UNFINISHED);
    const scale = point === 0 ? 0 : at - point;
    if (point === 0 ? !isInteger(bytes, integer, at) : scale === 0) return this.#stop(MALFORMED);
    if (scale >= TENS.length || (bytes[at]! | 0x20) === SMALL_E) return this.#slowly(bytes, start);
    this.end = at;
    const value = (digits > 9 ? high * TENS[digits - 9]! + low : high) / TENS[scale]!;
    if (digits > EXACT_DIGITS && !this.#isSafe(value)) return this.#slowly(bytes, start);
    return negative ? -value : value;
  }

  #stop(end: number): number {
    this.end = end;
    return NaN;
  }

  /** Whether all that `value` may stand for is one float32. */
  #isSafe(value: number): boolean {
    return this.#single && Math.fround(value * (1 - ERROR)) === Math.fround(value * (1 + ERROR));
  }

  /** Seldom needed for pixels. */
  #slowly(bytes: Uint8Array, start: number): number {
    let text = "";
    let at = start;
    for (; at < bytes.length && isNumberByte(bytes[at]!); at++) text += String.fromCharCode(bytes[at]!);
    if (at === bytes.length) return this.#stop(UNFINISHED);
    if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return this.#stop(MALFORMED);
    this.end = at;
    return Number(text);
  }
}

/** One digit or more, without a zero before others. */
function isInteger(bytes: Uint8Array, start: number, end: number): boolean {
  return end > start && (bytes[start] !== ZERO || end === start + 1);
}

function isNumberByte(byte: number): boolean {
  return (byte >= ZERO && byte <= ZERO + 9) || NUMBER_MARKS.has(byte);
}
