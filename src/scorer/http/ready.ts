import type { HttpReply } from "./transport.ts";

export interface Waiting {
  /** How long to wait in all: `--wait`. */
  readonly limitMs: number;
  /** Told before each pause, with the last answer in words. */
  readonly onWait: (answer: string, waitedMs: number) => void;
  /** Milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Waits until a service is ready: the first of its readiness paths that exists answers 2xx.
 *
 * @throws ScorerError where it is not ready within the limit; the signal's reason where it is aborted
 */
export declare function waitUntilReady(
  ask: (path: string) => Promise<HttpReply>,
  paths: readonly string[],
  waiting: Waiting,
): Promise<void>;
