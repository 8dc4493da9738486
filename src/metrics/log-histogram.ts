/** Bins a doubling: each is 1.1 % wide, so that its middle is within 0.6 % of whatever is in it. */
const BINS_PER_DOUBLING = 64;
/** From 1 ns to 35 years in milliseconds; what lies outside is counted in the first or the last bin. */
const LOWEST = -20 * BINS_PER_DOUBLING;
const HIGHEST = 40 * BINS_PER_DOUBLING;

/**
 * Positive numbers counted into bins of equal ratio, with their exact extremes and mean: memory is bounded whatever
 * their number, and a quantile is within 1 % of the exact one. The idea is HdrHistogram's and DDSketch's (Masson, Rim
 * and Lee, VLDB 2019).
 */
export class LogHistogram {
  /** Bin → numbers in it. */
  readonly #counts = new Map<number, number>();
  #sum = 0;
  #min = Infinity;
  #max = -Infinity;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Infinity while it is empty. */
  get min(): number {
    return this.#min;
  }

  /** −Infinity while it is empty. */
  get max(): number {
    return this.#max;
  }

  get mean(): number {
    return this.#sum / this.#count;
  }

  add(value: number): void {
    const bin = binOf(value);
    this.#counts.set(bin, (this.#counts.get(bin) ?? 0) + 1);
    this.#sum += value;
    this.#count += 1;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
  }

  merge(other: LogHistogram): void {
    for (const [bin, count] of other.#counts) this.#counts.set(bin, (this.#counts.get(bin) ?? 0) + count);
    this.#sum += other.#sum;
    this.#count += other.#count;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  /**
   * For each share, ascending, the smallest number that at least so many are not above (the nearest rank).
   *
   * @example // of 1, 2, 3 and 4: quantiles([0.5]) is [2] to 1 %
   */
  quantiles(shares: readonly number[]): number[] {
    const bins = [...this.#counts].sort(([a], [b]) => a - b);
    let [at, below] = [0, 0];
    return shares.map((share) => {
      const rank = Math.max(1, Math.ceil(share * this.#count));
      while (below + bins[at]![1] < rank) below += bins[at++]![1];
      if (rank === 1) return this.#min;
      if (rank === this.#count) return this.#max;
      const middle = 2 ** ((bins[at]![0] + 0.5) / BINS_PER_DOUBLING);
      return Math.min(this.#max, Math.max(this.#min, middle));
    });
  }

  /** Counts in at most `most` bins of equal ratio, `low` < number ≤ `high`, from the first that holds any to the last. */
  bins(most: number): { low: number; high: number; count: number }[] {
    if (this.#count === 0) return [];
    const used = [...this.#counts.keys()];
    const [first, last] = [Math.min(...used), Math.max(...used)];
    let width = 1;
    while (Math.floor(last / width) - Math.floor(first / width) >= most) width *= 2;
    const start = Math.floor(first / width);
    const counts = Array.from({ length: Math.floor(last / width) - start + 1 }, () => 0);
    for (const [bin, count] of this.#counts) counts[Math.floor(bin / width) - start]! += count;
    return counts.map((count, i) => ({
      low: edge((start + i) * width),
      high: edge((start + i + 1) * width),
      count,
    }));
  }
}

function edge(bin: number): number {
  return 2 ** (bin / BINS_PER_DOUBLING);
}

/** Bin b holds the numbers in (edge(b), edge(b + 1)]. */
function binOf(value: number): number {
  const bin = Math.ceil(Math.log2(value) * BINS_PER_DOUBLING) - 1;
  // The logarithm's rounding may put a number at an edge on its other side.
  const exact = value <= edge(bin) ? bin - 1 : value > edge(bin + 1) ? bin + 1 : bin;
  return Math.min(HIGHEST, Math.max(LOWEST, exact));
}
