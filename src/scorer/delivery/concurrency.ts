/** Requests at once before anything is known of the service. */
const FIRST = 4;

/**
 * How many requests may be under way: about one more for each round of answers, half as many where the service cannot
 * keep up (additive increase, multiplicative decrease, as TCP's congestion avoidance: RFC 5681, section 3.1).
 */
export class Concurrency {
  readonly #most: number;
  #limit: number;
  /** The number of the last request that was sent when the limit last fell. */
  #fellAfter = 0;

  constructor(most: number) {
    this.#most = Math.max(1, Math.floor(most));
    this.#limit = Math.min(FIRST, this.#most);
  }

  /** A whole number, at least 1. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** @param active requests that were under way with the one that was answered */
  answered(active: number): void {
    // Answers while there is too little to do say nothing about what more requests would meet.
    if (active < this.limit) return;
    this.#limit = Math.min(this.#most, this.#limit + 1 / this.limit);
  }

  /**
   * The requests of one round all meet the same overload: it counts once.
   *
   * @param order the failed request's number, counted from 1 as they were sent
   * @param sent how many were sent by now
   */
  overloaded(order: number, sent: number): void {
    if (order <= this.#fellAfter) return;
    this.#limit = Math.max(1, this.#limit / 2);
    this.#fellAfter = sent;
  }
}
