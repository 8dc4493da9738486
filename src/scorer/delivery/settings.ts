import type { RequestLimits } from "./fitting.ts";
import type { Random } from "../../random.ts";
import type { NoAnswer, Outcome, RetryReason } from "../outcome.ts";
import type { Watchdog } from "./watchdog.ts";

export interface DeliverySettings<Item, A> extends RequestLimits<Item> {
  /** Sends one request for these images. Never rejects but where the signal is aborted. */
  readonly attempt: (items: readonly Item[], signal: AbortSignal) => Promise<Outcome<A>>;
  /** The most requests under way at once; fewer where the service cannot keep up. */
  readonly concurrency: number;
  /** How many times a request is sent again after it failed for what may pass. */
  readonly retries: number;
  /** An answered request that took longer makes later ones smaller. */
  readonly slowMs: number;
  /** Ends the run where the service has answered nothing for too long. */
  readonly watchdog: Watchdog;
  readonly random: Random;
  /** Rejects where the signal is aborted. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Milliseconds from any fixed moment. */
  readonly now?: () => number;
  /** Told of every attempt that was not answered and led to another. */
  readonly onRetry?: (label: RetryReason) => void;
}

export interface Delivery<Item, A> {
  /**
   * Gets an answer for each image, or in words why it has none, in the images' order. Several calls may run at once:
   * requests of earlier ones go first.
   *
   * @param onAnswered told of the images of a request that have answers as soon as they come; what it throws is fatal
   * @throws the error of a fatal outcome; ScorerError where the service stopped answering, or wants to be asked later than the watchdog
   *   allows; the signal's reason
   */
  deliver(
    items: readonly Item[],
    signal: AbortSignal,
    onAnswered?: (items: readonly Item[], answers: readonly A[]) => void,
  ): Promise<readonly (A | NoAnswer)[]>;
  /** What a request may hold now, and how many may be under way. */
  readonly limits: () => { readonly items: number; readonly bytes: number; readonly concurrency: number };
}

/** Whether an image has no answer. */
export function isNoAnswer(answer: unknown): answer is NoAnswer {
  return typeof answer === "object" && answer !== null && "failed" in answer;
}
