import type { Outcome } from "../outcome.ts";
import type { HttpFailure } from "./failure.ts";
import type { HttpReply } from "./transport.ts";

/** What a request without a reply means for its images. Pure. */
export declare function outcomeOfFailure(failure: HttpFailure): Outcome<never>;

/**
 * What a status other than 200 means for its request's images. Pure.
 *
 * @param errorText the service's own words, redacted; null where it gives none
 * @param now milliseconds since 1970, for a Retry-After that is a date
 */
export declare function outcomeOfStatus(
  reply: HttpReply,
  errorText: string | null,
  now: number,
): Outcome<never>;
