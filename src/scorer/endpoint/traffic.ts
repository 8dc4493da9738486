import { randomUUID } from "node:crypto";

import type { RequestRecord } from "../../types.ts";

/** A request that is under way. */
export interface Sent {
  /** X-Request-Id */
  readonly id: string;
  end(outcome: string, bytesReceived: number): void;
}

/** The requests for scores: each gets an identity, and whoever listens is told how it went. */
export interface TrafficLog {
  /** What the identities of this run's requests begin with. */
  readonly run: string;
  observe(listener: (record: RequestRecord) => void): void;
  begin(images: number, bytesSent: number): Sent;
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
    begin(images, bytesSent) {
      count += 1;
      underWay += 1;
      const [id, concurrent, sentAt] = [`${run}-${count}`, underWay, now()];
      const told = listener;
      return {
        id,
        end(outcome, bytesReceived) {
          underWay -= 1;
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
        },
      };
    },
  };
}
