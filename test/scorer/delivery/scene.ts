import { setImmediate } from "node:timers/promises";

import { seededRandom } from "../../../src/random.ts";
import {
  createDelivery,
  Watchdog,
  type Delivery,
  type DeliverySettings,
} from "../../../src/scorer/delivery/delivery.ts";
import type { NoAnswer, Outcome } from "../../../src/scorer/outcome.ts";

/** Time that passes only when nothing else can happen. As with real timers, too long ones ring after 1 ms. */
export class Clock {
  time = 0;
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();

  readonly now = (): number => this.time;

  readonly sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const sleeper = { at: this.time + (ms < 2 ** 31 ? ms : 1), wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
    });
  };

  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** Lets time pass until the promise is settled. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const end = (): void => void (settled = true);
    promise.then(end, end);
    for (;;) {
      await setImmediate();
      if (settled) return await promise;
      const [next] = [...this.#sleepers].sort((a, b) => a.at - b.at);
      if (next === undefined) throw new Error("Nothing can happen any more, and the promise is not settled");
      this.#sleepers.delete(next);
      this.time = next.at;
      next.wake();
    }
  }
}

export interface SentRequest {
  readonly items: readonly number[];
  readonly at: number;
  /** Requests under way, with this one. */
  readonly active: number;
}

export interface Scene {
  readonly delivery: Delivery<number, number>;
  readonly clock: Clock;
  readonly requests: SentRequest[];
  readonly retried: string[];
  /** Delivers, while time passes as needed. */
  readonly deliver: (
    items: readonly number[],
    signal?: AbortSignal,
  ) => Promise<readonly (number | NoAnswer)[]>;
}

/** What a service does with a request, counted from 0, after how many ms (10 where it is not said). */
export type Service = (
  items: readonly number[],
  order: number,
) => Outcome<number> | [Outcome<number>, number];

/** A delivery to a service under a clock that stands still but for sleeps. Images are numbers, and answered times ten. */
export function scene(
  service: Service,
  settings: Partial<DeliverySettings<number, number>> = {},
  clock = new Clock(),
): Scene {
  const requests: SentRequest[] = [];
  const retried: string[] = [];
  let active = 0;
  const delivery = createDelivery<number, number>({
    attempt: async (items, signal) => {
      signal.throwIfAborted();
      active++;
      try {
        requests.push({ items, at: clock.time, active });
        const done = service(items, requests.length - 1);
        const [outcome, ms] = Array.isArray(done) ? done : [done, 10];
        await clock.sleep(ms, signal);
        return outcome;
      } finally {
        active--;
      }
    },
    bytesOf: () => 10,
    overheadBytes: 5,
    maxBytes: Infinity,
    maxItems: 100,
    concurrency: 1,
    retries: 3,
    slowMs: Infinity,
    watchdog: new Watchdog(Infinity, clock.now),
    random: seededRandom(1),
    sleep: clock.sleep,
    now: clock.now,
    onRetry: (label) => retried.push(label),
    ...settings,
  });
  const never = new AbortController().signal;
  const deliver = async (items: readonly number[], signal = never) =>
    await clock.run(delivery.deliver(items, signal));
  return { delivery, clock, requests, retried, deliver };
}

export const range = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, i) => start + i);

export const answered = (items: readonly number[]): Outcome<number> => ({
  kind: "answered",
  answers: items.map((item) => item * 10),
});

type Retry = Extract<Outcome<number>, { kind: "retry" }>;

export const retry = (more: Partial<Retry> = {}): Retry => ({
  kind: "retry",
  label: "503",
  reason: "the service answered 503",
  afterMs: null,
  overloaded: false,
  patience: null,
  ...more,
});

export const refused: Outcome<number> = {
  kind: "refused",
  label: "400",
  reason: "the service answered 400: bad pixels",
};

export const smaller: Outcome<number> = {
  kind: "smaller",
  label: "413",
  reason: "the service answered 413: too large",
};

/** The sizes of requests, in order. */
export const sizes = ({ requests }: Scene): number[] => requests.map(({ items }) => items.length);
