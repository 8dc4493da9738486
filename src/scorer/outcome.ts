import type { ScorerError } from "../errors.ts";

/** Why a request was sent again, as metrics.json counts it: a status such as `429`, or a word. */
export type RetryReason = string;

/** What came of one request for some images. */
export type Outcome<A> =
  /** For each image its answer, or in words why it has none. */
  | { readonly kind: "answered"; readonly answers: readonly (A | NoAnswer)[] }
  /** It may pass: sent again after a pause, `retries` times. */
  | {
      readonly kind: "retry";
      readonly label: RetryReason;
      /** In words for users, as it stands in `failures` where all retries came to nothing. */
      readonly reason: string;
      /** What the server asked for; null where it did not. */
      readonly afterMs: number | null;
      /** The server cannot keep up: fewer requests at once. */
      readonly overloaded: boolean;
      /** After how many retries splitting is tried, null: as many as any. */
      readonly patience: number | null;
      readonly request?: string;
    }
  /** The request is too large, or took too long: smaller ones from now on. */
  | {
      readonly kind: "smaller";
      readonly label: RetryReason;
      readonly reason: string;
      readonly request?: string;
    }
  /** Refused for what is in it: splitting finds the image. */
  | {
      readonly kind: "refused";
      readonly label: RetryReason;
      readonly reason: string;
      readonly request?: string;
    }
  /** Nothing can be scored, whatever the images. */
  | { readonly kind: "fatal"; readonly error: ScorerError; readonly status?: number };

/** An image without an answer. */
export interface NoAnswer {
  readonly failed: string;
  /** X-Request-Id of the last request for it: that of the outcome that the reason comes from. */
  readonly request?: string;
}
