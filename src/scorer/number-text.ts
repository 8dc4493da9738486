/** Arrays that a request's numbers may stand in: what they are rounded to. */
export type RowNumbers = Float32Array | Float64Array | Uint8Array;

/**
 * Each number as the shortest decimal text that a reader turns back into the very same number, whether it reads it as a
 * double first or rounds it to the element type at once.
 */
export function numberTexts(values: RowNumbers): string[] {
  const text = values instanceof Float32Array ? singleText : String;
  return Array.from(values, text);
}

/** Enough digits to tell any two float32 apart. */
const MOST_DIGITS = 9;

/**
 * The shortest text of a float32. Some doubles lie halfway between two float32, where a text just beside one is first
 * rounded onto it and then to the wrong side; so it must stay clear of both halves.
 */
function singleText(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const [low, high] = halves(value);
  for (let digits = 1; digits < MOST_DIGITS; digits++) {
    const number = Number(value.toPrecision(digits));
    if (low < number && number < high) return String(number);
  }
  return String(Number(value.toPrecision(MOST_DIGITS)));
}

const single = new Float32Array(1);
const bits = new Int32Array(single.buffer);

/** What lies halfway between a float32 (not a whole number) and its two neighbours, lower one first; exact as doubles. */
function halves(value: number): [low: number, high: number] {
  single[0] = value;
  const pattern = bits[0]!;
  const [outer, inner] = [pattern + 1, pattern - 1].map((next) => {
    bits[0] = next;
    return (value + single[0]!) / 2;
  });
  return value > 0 ? [inner!, outer!] : [outer!, inner!];
}
