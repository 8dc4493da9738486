/** How much larger requests become where smaller ones were answered fast: an eighth. */
const GROWTH = 8;

/** What a request may hold: less once the service refused a larger one or took too long. */
export class RequestSize {
  readonly #slowMs: number;
  readonly #overheadBytes: number;
  /** What fits the service: never grows again. */
  #bytes: number;
  readonly #items: number;
  /** What it answers in good time. */
  #timely = Infinity;

  constructor(limits: {
    readonly maxBytes: number;
    readonly maxItems: number;
    readonly overheadBytes: number;
    readonly slowMs: number;
  }) {
    this.#bytes = limits.maxBytes;
    this.#items = Math.max(1, Math.floor(limits.maxItems));
    this.#overheadBytes = limits.overheadBytes;
    this.#slowMs = limits.slowMs;
  }

  get items(): number {
    return Math.min(this.#items, this.#timely);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Measured against the refused request, so that others of its size that are under way change nothing more. Images say
   * nothing: how many fit depends on how they are written.
   */
  tooLarge(bytes: number): void {
    // Less than it had, whatever the overhead: sent again as it was it would be refused for ever.
    const less = Math.min(bytes - 1, this.#overheadBytes + half(bytes - this.#overheadBytes));
    this.#bytes = Math.min(this.#bytes, less);
  }

  answered(items: number, elapsedMs: number): void {
    if (elapsedMs > this.#slowMs) this.tooSlow(items);
    // Only a request of the present size shows that a larger one may do, and half the time leaves room for its growth.
    else if (elapsedMs <= this.#slowMs / 2 && items >= this.#timely && this.#timely < this.#items)
      this.#timely += Math.max(1, Math.floor(this.#timely / GROWTH));
  }

  tooSlow(items: number): void {
    this.#timely = Math.min(this.#timely, half(items));
  }
}

function half(amount: number): number {
  return Math.max(1, Math.floor(amount / 2));
}
