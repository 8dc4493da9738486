/** Shorter keys stand in ordinary words, too: there they are taken for one only where they stand alone. */
export const SHORT_KEY = 8;

/** A function that takes keys out of a text, wherever its sender put them. */
export function redaction(keys: readonly string[]): (text: string) => string {
  if (keys.length === 0) return (text) => text;
  // A key that is the start of another would leave the rest of it.
  const longestFirst = keys.toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(patternOf).join("|"), "g");
  return (text) => text.replaceAll(pattern, "[key]");
}

function patternOf(key: string): string {
  const literal = key.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  return key.length < SHORT_KEY ? `(?<!\\w)${literal}(?!\\w)` : literal;
}
