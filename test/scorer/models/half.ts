/** IEEE 754 binary16, written for the tests apart from the scorer's own, so that one can find the other's mistakes. */

/** The number that 16 bits stand for. */
export function fromHalf(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
}

/** Every finite half that is not negative, ascending: bits 0 … 0x7bff. */
const halves = Float64Array.from({ length: 0x7c00 }, (_, bits) => fromHalf(bits));

/** The bits of the nearest half (the even one of two that are as near). */
export function toHalf(value: number): number {
  const sign = value < 0 ? 0x8000 : 0;
  const size = Math.abs(value);
  let low = 0;
  let high = halves.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (halves[middle]! <= size) low = middle;
    else high = middle;
  }
  const below = size - halves[low]!;
  const above = halves[high]! - size;
  return sign | (below < above || (below === above && low % 2 === 0) ? low : high);
}
