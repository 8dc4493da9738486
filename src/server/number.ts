import { UNFINISHED } from "./bytes.ts";

const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const SMALL_E = 0x65;

/** Powers of ten that a double holds exactly. */
const TENS = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
/** Decimal digits that a double's 53 bits hold, whichever they are. */
const EXACT_DIGITS = 15;
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

  /**
   * Two whole numbers of up to nine digits are collected, because adding digits to a double takes several times as long.
   *
   * @param start its first byte, a digit or a minus
   */
  read(bytes: Uint8Array, start: number): number {
    // Never past the end: one load from there would make all of them several times slower.
    const length = bytes.length;
    const negative = bytes[start] === MINUS;
    let at = negative ? start + 1 : start;
    if (at === length) return this.#stop(UNFINISHED);
    let digit = 0;
    let high = 0;
    let highDigits = 0;
    let low = 0;
    let lowDigits = 0;
    let scale = 0;
    if (bytes[at] === ZERO) at++;
    else {
      for (
        ;
        at < length && highDigits < 9 && (digit = bytes[at]! - ZERO) >= 0 && digit <= 9;
        at++, highDigits++
      )
        high = (high * 10 + digit) | 0;
      if (highDigits === 0) return this.#stop(MALFORMED);
    }
    if (at < length && bytes[at] === POINT) {
      const fraction = ++at;
      // Zeros before the first other digit carry nothing.
      if (high === 0) while (at < length && bytes[at] === ZERO) at++;
      for (
        ;
        at < length && highDigits < 9 && (digit = bytes[at]! - ZERO) >= 0 && digit <= 9;
        at++, highDigits++
      )
        high = (high * 10 + digit) | 0;
      for (
        ;
        at < length && lowDigits < 9 && (digit = bytes[at]! - ZERO) >= 0 && digit <= 9;
        at++, lowDigits++
      )
        low = (low * 10 + digit) | 0;
      scale = at - fraction;
    }
    if (at === length) return this.#stop(UNFINISHED);
    // More digits, an exponent, a point without digits.
    if (isNumberByte(bytes[at]!) || scale >= TENS.length || bytes[at - 1] === POINT)
      return this.#slowly(bytes, start);
    this.end = at;
    const mantissa = lowDigits === 0 ? high : high * TENS[lowDigits]! + low;
    const value = scale === 0 ? mantissa : mantissa / TENS[scale]!;
    if (highDigits + lowDigits > EXACT_DIGITS && !this.#isSafe(value)) return this.#slowly(bytes, start);
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

function isNumberByte(byte: number): boolean {
  return (
    (byte >= ZERO && byte <= ZERO + 9) ||
    byte === POINT ||
    (byte | 0x20) === SMALL_E ||
    byte === MINUS ||
    byte === PLUS
  );
}
