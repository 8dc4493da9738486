import { setTimeout as timeout } from "node:timers/promises";

export const sleepByTimer = async (ms: number, signal: AbortSignal): Promise<void> => {
  await timeout(ms, undefined, { signal });
};

/** The longest that a timer counts correctly: longer ones ring at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** One timer that rings at the time it was last set to. It may ring early: whoever hears it looks at the clock. */
export class Alarm {
  readonly #sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly #now: () => number;
  readonly #ring: () => void;
  #at = Infinity;
  #sleeping: AbortController | null = null;

  constructor(
    sleep: (ms: number, signal: AbortSignal) => Promise<void>,
    now: () => number,
    ring: () => void,
  ) {
    this.#sleep = sleep;
    this.#now = now;
    this.#ring = ring;
  }

  /** @param at on the clock; Infinity: never */
  set(at: number): void {
    if (at === this.#at) return;
    this.#at = at;
    this.#sleeping?.abort();
    this.#sleeping = null;
    if (at === Infinity) return;
    const sleeping = new AbortController();
    this.#sleeping = sleeping;
    const ms = Math.min(LONGEST_MS, Math.max(0, Math.ceil(at - this.#now())));
    void this.#sleep(ms, sleeping.signal).then(
      () => this.#rung(sleeping),
      () => {},
    );
  }

  #rung(sleeping: AbortController): void {
    // Set anew between the end of the sleep and this.
    if (this.#sleeping !== sleeping) return;
    this.#at = Infinity;
    this.#sleeping = null;
    this.#ring();
  }
}
