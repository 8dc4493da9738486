/** The names that a misspelt one may have meant: the few at the smallest edit distance, none where all are far off. */
export function nearest(misspelt: string, names: readonly string[]): string[] {
  const wanted = misspelt.toLowerCase();
  const tolerance = Math.max(1, Math.floor(wanted.length / 3));
  const distances = names.map((name) => editDistance(wanted, name.toLowerCase()));
  const smallest = Math.min(...distances);
  return smallest > tolerance ? [] : names.filter((_, i) => distances[i] === smallest).slice(0, 3);
}

/** Levenshtein's distance: how many letters to insert, remove or replace. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
