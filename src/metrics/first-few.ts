/** The first few of many in an order of their own; of equals, those that came first. Memory is bounded by the few. */
export class FirstFew<T> {
  readonly #most: number;
  readonly #compare: (a: T, b: T) => number;
  readonly #kept: T[] = [];

  constructor(most: number, compare: (a: T, b: T) => number) {
    this.#most = most;
    this.#compare = compare;
  }

  /** @param copied makes of an item that is kept what stays; the item itself unless given */
  offer(item: T, copied: (item: T) => T = (kept) => kept): void {
    const kept = this.#kept;
    let [low, high] = [0, kept.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(kept[middle]!, item) <= 0) low = middle + 1;
      else high = middle;
    }
    if (low === this.#most) return;
    kept.splice(low, 0, copied(item));
    if (kept.length > this.#most) kept.pop();
  }

  /** In their order. */
  items(): readonly T[] {
    return [...this.#kept];
  }
}
