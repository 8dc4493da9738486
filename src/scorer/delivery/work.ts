import type { NoAnswer } from "../outcome.ts";
import type { Family } from "./family.ts";

/** One call of `deliver`: its images, and what came of them so far. */
export interface Call<Item, A> {
  readonly items: readonly Item[];
  readonly answers: (A | NoAnswer)[];
  readonly onAnswered: ((items: readonly Item[], answers: readonly A[]) => void) | undefined;
  /** Aborts its requests. */
  readonly controller: AbortController;
  readonly resolve: (answers: readonly (A | NoAnswer)[]) => void;
  readonly reject: (reason: unknown) => void;
  /** Stops listening to the caller's signal. */
  readonly unhear: () => void;
  /** The first image that is in no piece yet. */
  next: number;
  /** Images without answer or reason. */
  open: number;
  /** Pieces that can be sent, before any new ones. */
  readonly ready: Piece<Item, A>[];
  /** Settled: what still comes for it is of no interest. */
  over: boolean;
}

/** Consecutive images of a call that go into one request: from `start` up to, but without, `end`. */
export interface Piece<Item, A> {
  readonly call: Call<Item, A>;
  readonly start: number;
  readonly end: number;
  /** Null until it is split. */
  readonly family: Family | null;
  attempts: number;
  /** Attempts that failed in a way that splitting may mend. */
  unclear: number;
  /** Of an earlier round, before the service was found to be answering again; null in the first. */
  earlier: number | null;
  /** How many signs of life the service had given when this round's first attempt was sent. */
  signs: number;
  /** X-Request-Id of the last request for these images. */
  request: string | undefined;
}

export function pieceOf<Item, A>(
  call: Call<Item, A>,
  start: number,
  end: number,
  family: Family | null = null,
  request?: string,
): Piece<Item, A> {
  return { call, start, end, family, attempts: 0, unclear: 0, earlier: null, signs: 0, request };
}

/** How a piece whose content was refused is split: in halves, at first with a single image before them. */
export function split<Item, A>(piece: Piece<Item, A>, family: Family): Piece<Item, A>[] {
  const { call, start, end } = piece;
  const bounds = [start];
  // Halves alone would ask for nearly every image before the first is found to be refused by itself.
  if (!family.answered && end - start > 2) bounds.push(start + 1);
  bounds.push(Math.ceil((bounds.at(-1)! + end) / 2), end);
  return bounds.slice(1).map((bound, i) => pieceOf(call, bounds[i]!, bound, family, piece.request));
}

/** Counts an attempt that failed in a way that splitting may mend. @returns whether that is to be tried now */
export function isImpatient<Item, A>(piece: Piece<Item, A>, patience: number): boolean {
  const { start, end, family } = piece;
  return ++piece.unclear > patience || (end - start > 1 && family !== null && !family.spend());
}

export function callOf<Item, A>(
  items: readonly Item[],
  controller: AbortController,
  ends: Pick<Call<Item, A>, "onAnswered" | "resolve" | "reject" | "unhear">,
): Call<Item, A> {
  const answers = Array.from<A | NoAnswer>({ length: items.length });
  return { ...ends, items, answers, controller, next: 0, open: items.length, ready: [], over: false };
}

/** With the last request for it, be it one for it and others. */
export function noAnswer({ request }: Pick<Piece<unknown, unknown>, "request">, failed: string): NoAnswer {
  return request === undefined ? { failed } : { failed, request };
}
