import type { Family } from "./family.ts";
import { fitting, type RequestLimits } from "./fitting.ts";
import type { RequestSize } from "./size.ts";
import { pieceOf, type Call, type Piece } from "./work.ts";

const NONE: readonly never[] = [];

export type QueueSettings<Item> = Omit<RequestLimits<Item>, "maxItems" | "maxBytes">;

/** What is to be sent: that of earlier calls first, and of a call what was sent before first. */
export class Queue<Item, A> {
  readonly #settings: QueueSettings<Item>;
  readonly #size: RequestSize;
  readonly #calls = new Set<Call<Item, A>>();
  #waiting: { readonly piece: Piece<Item, A>; readonly at: number }[] = [];
  /** Given up for now: sent again if the service comes back. */
  #held: { readonly piece: Piece<Item, A>; readonly reason: string }[] = [];

  constructor(settings: QueueSettings<Item>, size: RequestSize) {
    this.#settings = settings;
    this.#size = size;
  }

  get calls(): ReadonlySet<Call<Item, A>> {
    return this.#calls;
  }

  /** When the first waiting piece is due; Infinity without one. */
  get due(): number {
    let due = Infinity;
    for (const { at } of this.#waiting) if (at < due) due = at;
    return due;
  }

  add(call: Call<Item, A>): void {
    this.#calls.add(call);
  }

  remove(call: Call<Item, A>): void {
    this.#calls.delete(call);
    call.ready.length = 0;
    this.#waiting = this.#waiting.filter(({ piece }) => piece.call !== call);
    this.#held = this.#held.filter(({ piece }) => piece.call !== call);
  }

  /** Has a piece sent again at a time. */
  wait(piece: Piece<Item, A>, at: number): void {
    this.#waiting.push({ piece, at });
  }

  /** Makes ready what has waited long enough. */
  wake(now: number): void {
    if (this.due > now) return;
    const due = this.#waiting.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    this.#waiting = this.#waiting.filter(({ at }) => at > now);
    for (const { piece } of due) piece.call.ready.push(piece);
  }

  /** @param reason why it has no answer, should it not be sent again */
  hold(piece: Piece<Item, A>, reason: string): void {
    this.#held.push({ piece, reason });
  }

  /** @returns what was held, and is no more */
  release(): readonly { readonly piece: Piece<Item, A>; readonly reason: string }[] {
    if (this.#held.length === 0) return NONE;
    const held = this.#held;
    this.#held = [];
    return held;
  }

  /** Takes out what is left of a family but single images that were sent before. */
  takeFamily(family: Family): Piece<Item, A>[] {
    const taken: Piece<Item, A>[] = [];
    const take = (piece: Piece<Item, A>): boolean => {
      if (piece.family !== family || (piece.attempts > 0 && piece.end - piece.start === 1)) return false;
      taken.push(piece);
      return true;
    };
    for (const { ready } of this.#calls) ready.splice(0, Infinity, ...ready.filter((piece) => !take(piece)));
    this.#waiting = this.#waiting.filter(({ piece }) => !take(piece));
    return taken;
  }

  /**
   * Takes out what goes next; null where there is nothing to send now.
   *
   * @param mostWaiting with so many pieces waiting no new ones are begun: they would only fail, too
   */
  next(mostWaiting: number): Piece<Item, A> | null {
    const full = this.#waiting.length >= mostWaiting;
    for (const call of this.#calls) {
      const piece = call.ready.shift();
      if (piece !== undefined) return this.#fitting(piece);
      if (full || call.next === call.items.length) continue;
      const start = call.next;
      call.next = this.#fit(call, start, call.items.length);
      return pieceOf(call, start, call.next);
    }
    return null;
  }

  /** Bytes of a request. */
  bytes({ call, start, end }: Piece<Item, A>): number {
    let bytes = this.#settings.overheadBytes;
    for (let i = start; i < end; i++) bytes += this.#settings.bytesOf(call.items[i]!);
    return bytes;
  }

  /** The piece, or its beginning where requests have become smaller since it was made. */
  #fitting(piece: Piece<Item, A>): Piece<Item, A> {
    const { call, start, end, family } = piece;
    const fit = this.#fit(call, start, end);
    if (fit === end) return piece;
    call.ready.unshift(pieceOf(call, fit, end, family));
    return pieceOf(call, start, fit, family);
  }

  #fit({ items }: Call<Item, A>, start: number, end: number): number {
    return fitting(items, start, end, {
      ...this.#settings,
      maxItems: this.#size.items,
      maxBytes: this.#size.bytes,
    });
  }
}
