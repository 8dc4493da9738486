const WHOLE = 100;

/** A share as a percentage: `4.6 %`. What is not none or all never reads `0 %` or `100 %`. */
export function percent(share: number, digits = 1): string {
  if (share === 0 || share === 1) return `${share * WHOLE} %`;
  const step = 10 ** -digits;
  const text = (share * WHOLE).toFixed(digits);
  if (Number(text) === 0) return `< ${step.toFixed(digits)} %`;
  if (Number(text) === WHOLE) return `> ${(WHOLE - step).toFixed(digits)} %`;
  return `${text} %`;
}

/** A whole number with a comma every three digits: `10,000`. */
export function count(n: number): string {
  return String(n).replace(/\B(?=(?:\d{3})+$)/gu, ",");
}

/** A whole number with its noun: `1 image`, `892 images`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** A list as prose: `3`, `3 and 5`, `3, 5 and 8`. */
export function listed(items: readonly string[]): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}
