import type { Random } from "../random.ts";

/**
 * How many of each class a sample of `size` takes: in proportion, what is left over going to the largest remainders
 * (of equal ones, to the earlier class).
 * @example quotas([50, 30, 20], 10) // [5, 3, 2]
 */
export function quotas(counts: readonly number[], size: number): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (size >= total) return [...counts];
  const shares = counts.map((count, index) => {
    const exact = BigInt(count) * BigInt(size);
    return { index, whole: Number(exact / BigInt(total)), remainder: exact % BigInt(total) };
  });
  let left = size - shares.reduce((sum, { whole }) => sum + whole, 0);
  const chosen = shares.map(({ whole }) => whole);
  shares.sort((a, b) => (a.remainder < b.remainder ? 1 : a.remainder > b.remainder ? -1 : a.index - b.index));
  for (const { index } of shares) if (left-- > 0) chosen[index] = (chosen[index] ?? 0) + 1;
  return chosen;
}

/**
 * Selection sampling (Knuth, TAOCP 2, algorithm 3.4.2 S), a class at a time: asked for every image in file order, it
 * takes exactly each class's quota, every subset being equally likely.
 */
export function selection(
  counts: readonly number[],
  quota: readonly number[],
  random: Random,
): (label: number) => boolean {
  const remaining = [...counts];
  const needed = [...quota];
  return (label) => {
    const among = remaining[label] ?? 0;
    const want = needed[label] ?? 0;
    remaining[label] = among - 1;
    if (want === 0 || random.below(among) >= want) return false;
    needed[label] = want - 1;
    return true;
  };
}
