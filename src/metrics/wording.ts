/** `92.0 %` */
export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** A mean loss with two digits that say something: `2.81`, `0.035`. */
export function loss(value: number): string {
  if (value >= 0.1 || value === 0) return value.toFixed(2);
  return value < 0.0001 ? "below 0.0001" : value.toFixed(1 - Math.floor(Math.log10(value)));
}

/** `a`, `a and b`, `a, b and c`, `a, b, c and 4 more`. */
export function listed(names: readonly string[], most = names.length): string {
  const shown = names.length > most ? names.slice(0, most) : names;
  const rest = names.length - shown.length;
  const last = rest > 0 ? `${rest} more` : shown.at(-1);
  const others = rest > 0 ? shown : shown.slice(0, -1);
  return others.length === 0 ? (last ?? "") : `${others.join(", ")} and ${last}`;
}
