import { wilson } from "../statistics/wilson.ts";
import type { Estimate } from "../types.ts";

/** A number that is undefined in this run. */
export const UNDEFINED: Estimate = { value: null, interval: null };

/** A number without an interval; null where it is undefined, a division 0/0 among them. */
export function pointEstimate(value: number | null): Estimate {
  return value === null || Number.isNaN(value) ? UNDEFINED : { value, interval: null };
}

/** successes / n with its Wilson interval; undefined for n = 0. */
export function proportion(successes: number, n: number): Estimate {
  return n === 0 ? UNDEFINED : { value: successes / n, interval: wilson(successes, n) };
}
