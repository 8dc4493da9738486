import { ScorerError } from "../../errors.ts";
import { grouped } from "../../grouped.ts";
import type { RetryReason } from "../outcome.ts";

/** Services name whole minutes, which may begin a little after the last answer. */
const LEEWAY = 1.1;
const GO_ON = "run the same command again: it goes on from there";

interface Failed {
  readonly label: RetryReason;
  readonly reason: string;
  /** How long the service asks to wait; null where it does not. */
  readonly afterMs: number | null;
}

/**
 * Ends a run whose service has answered nothing for too long, whatever it does instead. All deliveries of a run share one,
 * and time in which there is nothing to deliver does not count.
 */
export class Watchdog {
  readonly #limitMs: number;
  readonly #now: () => number;
  /** When it last answered; as much later as there was nothing to deliver. */
  #since: number;
  #idleSince: number;
  #calls = 0;
  /** Requests that came to nothing since then. */
  readonly #failed = new Map<RetryReason, number>();

  /** @param limitMs how long it may answer nothing */
  constructor(limitMs: number, now: () => number) {
    this.#limitMs = limitMs;
    this.#now = now;
    this.#since = now();
    this.#idleSince = this.#since;
  }

  /** There is a call more, or less, with something to deliver. */
  watch(calls: 1 | -1): void {
    if (this.#calls === 0) this.#since += this.#now() - this.#idleSince;
    this.#calls += calls;
    if (this.#calls === 0) this.#idleSince = this.#now();
  }

  /** It answered, or refused what was sent. */
  alive(): void {
    this.#since = this.#now();
    this.#failed.clear();
  }

  /**
   * @param mayShrink its images can be asked for in smaller requests, which may still be answered in time
   * @throws ScorerError where it has answered nothing for too long, or asks to wait for longer than is left
   */
  failed({ label, reason, afterMs }: Failed, mayShrink: boolean): void {
    this.#failed.set(label, (this.#failed.get(label) ?? 0) + 1);
    if (this.isOver && !mayShrink) throw this.#error(reason);
    if (afterMs === null || this.#silentMs + afterMs <= this.#limitMs * LEEWAY) return;
    throw new ScorerError(
      `the service asks to wait for ${seconds(afterMs)} (${reason}), but a run ends after ${seconds(this.#limitMs)} without an answer: ` +
        `${GO_ON} once that time is over, or with a longer --wait`,
    );
  }

  /** Whether it has answered nothing for too long. One request alone may have met a service that was still waking up. */
  get isOver(): boolean {
    return this.#silentMs >= this.#limitMs && this.#count > 1;
  }

  /** @param reason why the last request came to nothing */
  #error(reason: string): ScorerError {
    const counts = [...this.#failed].sort(([, a], [, b]) => b - a);
    const seen = counts.map(([label, count]) => `${grouped(count)} × ${label}`).join(", ");
    return new ScorerError(
      `no request has been answered for ${seconds(this.#silentMs)}: ${seen}; the last reason was: ${reason}. ` +
        `Once the service answers again, ${GO_ON}. A run without an answer goes on for longer with --wait`,
    );
  }

  get #silentMs(): number {
    return this.#now() - this.#since;
  }

  get #count(): number {
    return [...this.#failed.values()].reduce((sum, count) => sum + count, 0);
  }
}

function seconds(ms: number): string {
  return `${grouped(Number((ms / 1000).toFixed(1)))} s`;
}
