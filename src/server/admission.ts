import type { IncomingMessage } from "node:http";

import { announcedBytes, isGzip, tooLarge } from "./body.ts";

export interface Limits {
  readonly maxRequestBytes: number;
  /** Requests for scores at once. */
  readonly concurrency: number;
}

/** Requests for scores that are under way, to the last byte of their answers. */
export interface Load {
  requests: number;
  /** Of these, such whose body is not all there. */
  reading: number;
  /** Of their bodies, come so far and not yet scored. */
  bytes: number;
}

/** Why a request is not let in. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Bodies under way may together hold so many of the largest ones. */
const MOST_LARGE_BODIES = 4;
const NOTHING = {} as const;
export const TOO_MANY = "too many requests at once: try again later";
export const RETRY = { "Retry-After": "1" } as const;

export const holdsTooMuch = ({ maxRequestBytes }: Limits, bytes: number): boolean =>
  bytes > MOST_LARGE_BODIES * maxRequestBytes;

/** Judges a request for scores by what is known of it before its body. */
export function refusalOf(request: IncomingMessage, limits: Limits, load: Load): Refusal | null {
  const announced = announcedBytes(request) ?? 0;
  if (announced > limits.maxRequestBytes) {
    const { status, message } = tooLarge(limits.maxRequestBytes);
    return { status, message, headers: NOTHING };
  }
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (!isGzip(request) && !/^identity$/i.test(encoding)) {
    const message = `the body's Content-Encoding is ${encoding.slice(0, 40)}: send it as gzip, or as it is`;
    return { status: 415, message, headers: { "Accept-Encoding": "gzip" } };
  }
  // Others' announcements do not count: who sends nothing takes nothing.
  const full = load.requests >= limits.concurrency || holdsTooMuch(limits, load.bytes + announced);
  return full ? { status: 429, message: TOO_MANY, headers: RETRY } : null;
}

/** Two readers of such a request may take it for one of different hosts. */
export function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (/^host$/i.test(rawHeaders[i]!)) hosts += 1;
  return hosts > 1;
}
