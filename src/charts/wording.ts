/**
 * A share (0–1) as `86.2 %`. What is not all never reads `100 %`, and what is not nothing never `0 %`: it gets the
 * decimals that show the difference.
 */
export function percent(share: number, decimals = 1): string {
  return `${rounded(share * 100, 100, decimals)} %`;
}

/** A number between 0 and 1 as `0.981`. What is not 1 never reads 1, and what is not 0 never 0. */
export function score(value: number, decimals = 3): string {
  return rounded(value, 1, decimals);
}

/** The longest that a figure may become to keep apart from 0 and the whole; anything closer is a rounding error. */
const MOST_DECIMALS = 8;

function rounded(value: number, whole: number, decimals: number): string {
  for (let more = decimals; more <= MOST_DECIMALS; more++) {
    const text = value.toFixed(more);
    if (Number(text) !== 0 && Number(text) !== whole) return text;
  }
  return String(Math.round(value / whole) * whole);
}

/** `10,000` */
export function wholeNumber(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/gu, ",");
}

/** `1 image`, `2,000 images`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${wholeNumber(value)} ${value === 1 ? one : many}`;
}

/** `5`, `5 and 8`, `3, 5 and 8`. */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
