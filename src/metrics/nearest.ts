/**
 * The names that a misspelt one may have meant: those of which it is the first words, else the few at the smallest edit
 * distance; none where all are far off.
 */
export function nearest(misspelt: string, names: readonly string[]): string[] {
  const wanted = misspelt.toLowerCase();
  const begun = names.filter((name) => /^[-_]/.test(afterStart(name.toLowerCase(), wanted)));
  if (begun.length > 0) return begun.slice(0, MOST);
  const tolerance = Math.max(1, Math.floor(wanted.length / 3));
  const distances = names.map((name) => editDistance(wanted, name.toLowerCase()));
  const smallest = Math.min(...distances);
  return smallest > tolerance ? [] : names.filter((_, i) => distances[i] === smallest).slice(0, MOST);
}

const MOST = 3;

function afterStart(name: string, start: string): string {
  return start !== "" && name.startsWith(start) ? name.slice(start.length) : "";
}

/** How many letters to insert, remove, replace or exchange with the next one (optimal string alignment). */
export function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const exchanged = swapped ? before[j - 2]! + 1 : Infinity;
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1, exchanged));
    }
    [before, row] = [row, next];
  }
  return row[to.length]!;
}
