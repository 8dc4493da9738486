import type { Random } from "../../random.ts";

const BASE_MS = 200;
const CAP_MS = 10_000;

/**
 * How long to wait before a request is sent again: exponential backoff with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), on top of what the service asked for.
 *
 * @param failures how many times it failed, from 1
 * @param afterMs what the service asked for, null where it did not
 * @returns milliseconds; never less than `afterMs`
 */
export function backoff(failures: number, afterMs: number | null, random: Random): number {
  // Past 2^30 the power would be no shift's business, and the cap is reached long before.
  const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(failures - 1, 30));
  return Math.max(0, afterMs ?? 0) + random.below(ceiling + 1);
}
