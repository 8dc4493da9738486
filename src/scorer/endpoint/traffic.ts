import { randomUUID } from "node:crypto";

import type { RequestRecord } from "../../types.ts";

/** A request that is under way. */
export interface Sent {
  /** It came to nothing on its connection, and goes out again at once on another. */
  lost(outcome: string): void;
  /** @param images those with an answer */
  end(outcome: string, bytesReceived: number, images: number): void;
}

/** The requests for scores: each gets an identity, and whoever listens is told how it went. */
export interface TrafficLog {
  /** What the identities of this run's requests begin with. */
  readonly run: string;
  observe(listener: (record: RequestRecord) => void): void;
  /** For the next request, sent as X-Request-Id. */
  identity(): string;
  begin(id: string, bytesSent: number): Sent;
}

/** @param now milliseconds */
export function trafficLog(now: () => number, run: string = randomUUID()): TrafficLog {
  let listener: ((record: RequestRecord) => void) | null = null;
  let observedSince = 0;
  let underWay = 0;
  let count = 0;
  return {
    run,
    observe(told) {
      listener = told;
      observedSince = now();
    },
    identity: () => `${run}-${(count += 1)}`,
    begin(id, bytesSent) {
      underWay += 1;
      const [concurrent, sentAt] = [underWay, now()];
      const told = listener;
      const tell = (outcome: string, bytesReceived: number, images: number): void =>
        told?.({
          id,
          images,
          startMs: sentAt - observedSince,
          elapsedMs: now() - sentAt,
          bytesSent,
          bytesReceived,
          outcome,
          concurrent,
        });
      return {
        lost: (outcome) => tell(outcome, 0, 0),
        end(outcome, bytesReceived, images) {
          underWay -= 1;
          tell(outcome, bytesReceived, images);
        },
      };
    },
  };
}
