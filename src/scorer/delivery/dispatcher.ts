import { setMaxListeners } from "node:events";

import type { NoAnswer, Outcome } from "../outcome.ts";
import { Alarm, sleepByTimer } from "./alarm.ts";
import { backoff } from "./backoff.ts";
import { Concurrency } from "./concurrency.ts";
import { Family } from "./family.ts";
import { Outage } from "./outage.ts";
import { Queue } from "./queue.ts";
import { isNoAnswer, type Delivery, type DeliverySettings } from "./settings.ts";
import { RequestSize } from "./size.ts";
import { callOf, isImpatient, noAnswer, split, type Call, type Piece } from "./work.ts";

type Retry = Extract<Outcome<never>, { kind: "retry" }>;

/** Sends what is queued, and decides from the outcomes what is sent next. */
export class Dispatcher<Item, A> implements Delivery<Item, A> {
  readonly #settings: DeliverySettings<Item, A>;
  readonly #now: () => number;
  readonly #size: RequestSize;
  readonly #concurrency: Concurrency;
  readonly #queue: Queue<Item, A>;
  readonly #alarm: Alarm;
  readonly #outage: Outage;
  #active = 0;
  #sent = 0;
  #pausedUntil = -Infinity;
  /** Why a whole request was refused, as far as was tried, while nothing has been answered since. */
  #hopeless: string | null = null;
  #broken: { readonly error: unknown } | null = null;

  constructor(settings: DeliverySettings<Item, A>) {
    this.#settings = settings;
    this.#now = settings.now ?? (() => performance.now());
    this.#size = new RequestSize(settings);
    this.#concurrency = new Concurrency(settings.concurrency);
    this.#outage = new Outage(settings);
    this.#queue = new Queue(settings, this.#size);
    this.#alarm = new Alarm(settings.sleep ?? sleepByTimer, this.#now, () => this.#pump());
  }

  readonly limits: Delivery<Item, A>["limits"] = () => {
    const { items, bytes } = this.#size;
    return { items, bytes, concurrency: this.#concurrency.limit };
  };

  async deliver(
    items: readonly Item[],
    signal: AbortSignal,
    onAnswered?: (items: readonly Item[], answers: readonly A[]) => void,
  ): Promise<readonly (A | NoAnswer)[]> {
    signal.throwIfAborted();
    if (this.#broken !== null) throw this.#broken.error;
    if (items.length === 0) return [];
    return await new Promise((resolve, reject) => {
      const controller = new AbortController();
      // Each of its requests listens to it, which is no leak.
      setMaxListeners(0, controller.signal);
      const stop = (): void => {
        this.#end(call);
        reject(signal.reason);
        controller.abort(signal.reason);
        this.#pump();
      };
      const unhear = (): void => signal.removeEventListener("abort", stop);
      const call = callOf(items, controller, { onAnswered, resolve, reject, unhear });
      signal.addEventListener("abort", stop);
      this.#queue.add(call);
      this.#settings.watchdog.watch(1);
      this.#pump();
    });
  }

  #pump(): void {
    try {
      const now = this.#now();
      this.#queue.wake(now);
      const paused = now < this.#pausedUntil;
      if (!paused) this.#sendAll();
      // Nothing is left that could show whether the service comes back.
      if (!paused && this.#active === 0 && this.#queue.due === Infinity)
        for (const { piece, reason } of this.#queue.release()) this.#fail(piece, reason);
      const due = paused ? this.#pausedUntil : this.#queue.due;
      this.#alarm.set(this.#queue.calls.size === 0 ? Infinity : due);
    } catch (error) {
      this.#stop(error);
    }
  }

  #sendAll(): void {
    while (this.#active < this.#concurrency.limit) {
      const piece = this.#queue.next(Math.max(2, this.#concurrency.limit));
      if (piece === null) return;
      this.#active++;
      void this.#send(piece);
    }
  }

  async #send(piece: Piece<Item, A>): Promise<void> {
    const { call, start, end } = piece;
    const order = ++this.#sent;
    const sentAt = this.#now();
    if (piece.attempts++ === 0) piece.signs = this.#outage.signs;
    try {
      const outcome = await this.#settings.attempt(call.items.slice(start, end), call.controller.signal);
      if (!call.over) this.#settle(piece, outcome, order, this.#now() - sentAt);
    } catch (error) {
      if (!call.over) this.#stop(error);
    }
    this.#active--;
    this.#pump();
  }

  #settle(piece: Piece<Item, A>, outcome: Outcome<A>, order: number, elapsedMs: number): void {
    if ("request" in outcome && outcome.request !== undefined) piece.request = outcome.request;
    switch (outcome.kind) {
      case "answered":
        this.#size.answered(piece.end - piece.start, elapsedMs);
        this.#concurrency.answered(this.#active);
        this.#alive();
        return this.#answer(piece, outcome.answers);
      case "retry":
        this.#settings.watchdog.failed(outcome, outcome.patience !== null && piece.end - piece.start > 1);
        this.#pausedUntil = Math.max(this.#pausedUntil, this.#now() + (outcome.afterMs ?? 0));
        if (outcome.overloaded) this.#concurrency.overloaded(order, this.#sent);
        return this.#retry(piece, outcome);
      case "smaller":
        this.#settings.watchdog.alive();
        if (piece.end - piece.start === 1) return this.#fail(piece, outcome.reason);
        this.#size.tooLarge(this.#queue.bytes(piece));
        // It is cut when it is taken from the queue.
        piece.call.ready.unshift(piece);
        return this.#settings.onRetry?.(outcome.label);
      case "refused":
        this.#alive();
        return this.#refuse(piece, outcome, 0);
      case "fatal":
        return this.#stop(outcome.error);
    }
  }

  #answer(piece: Piece<Item, A>, answers: readonly (A | NoAnswer)[]): void {
    const { call, start, end, family } = piece;
    if (answers.length !== end - start)
      throw new Error(`${answers.length} answers were read for ${end - start} images`);
    const answered: Item[] = [];
    const known: A[] = [];
    for (const [i, answer] of answers.entries()) {
      if (isNoAnswer(answer)) continue;
      answered.push(call.items[start + i]!);
      known.push(answer);
    }
    if (known.length > 0) {
      this.#hopeless = null;
      if (family !== null) family.answered = true;
      call.onAnswered?.(answered, known);
    }
    this.#fill(piece, (i) => answers[i]!);
  }

  #retry(piece: Piece<Item, A>, outcome: Retry): void {
    const single = piece.end - piece.start === 1;
    const { retries, random, onRetry, watchdog } = this.#settings;
    const { patience } = outcome;
    const impatient = patience !== null && (watchdog.isOver || isImpatient(piece, patience));
    if (piece.attempts <= retries && !impatient) {
      onRetry?.(outcome.label);
      this.#queue.wait(piece, this.#now() + backoff(piece.attempts, outcome.afterMs, random));
    } else if (patience !== null && !single) {
      if (outcome.overloaded) this.#size.tooSlow(piece.end - piece.start);
      this.#refuse(piece, outcome, patience);
    } else if (patience === null || outcome.overloaded) this.#lose(piece, outcome);
    else this.#refuse(piece, outcome, patience);
  }

  /** All retries came to nothing: for this request alone, or for as long as the service is away. */
  #lose(piece: Piece<Item, A>, { reason }: Retry): void {
    if (piece.signs !== this.#outage.signs) return this.#fail(piece, reason);
    this.#outage.lost(reason);
    if (piece.earlier === null) this.#queue.hold(piece, reason);
    else this.#fail(piece, reason);
  }

  /** The service is there: what was lost while it was away gets another round. */
  #alive(): void {
    this.#outage.sign();
    this.#settings.watchdog.alive();
    for (const { piece } of this.#queue.release()) {
      piece.earlier = piece.attempts;
      piece.attempts = 0;
      piece.unclear = 0;
      piece.call.ready.push(piece);
    }
  }

  /** Splits it, unless it is a single image or has been found to be no use. */
  #refuse(piece: Piece<Item, A>, failure: Pick<Retry, "label" | "reason">, patience: number): void {
    const { label, reason } = failure;
    const images = piece.end - piece.start;
    if (images === 1) {
      this.#fail(piece, reason);
      if (piece.family?.hopeless(label) === true) this.#giveUp(piece.family, label);
      return;
    }
    const family = piece.family ?? new Family(images, failure, patience);
    if (!family.answered && family.verdict === null && this.#hopeless === label) this.#giveUp(family, label);
    const failed = family.verdict;
    if (failed !== null) return this.#fill(piece, () => noAnswer(piece, failed));
    this.#settings.onRetry?.(label);
    piece.call.ready[this.#settings.watchdog.isOver ? "unshift" : "push"](...split(piece, family));
  }

  #giveUp(family: Family, label: string): void {
    this.#hopeless = label;
    const failed = family.giveUp();
    for (const piece of this.#queue.takeFamily(family)) this.#fill(piece, () => noAnswer(piece, failed));
  }

  #fail(piece: Piece<Item, A>, reason: string): void {
    const attempts = piece.attempts + (piece.earlier ?? 0);
    const failed = attempts === 1 ? reason : `${reason} (after ${attempts} attempts)`;
    this.#fill(piece, () => noAnswer(piece, failed));
  }

  #fill({ call, start, end }: Piece<Item, A>, answer: (i: number) => A | NoAnswer): void {
    for (let i = start; i < end; i++) call.answers[i] = answer(i - start);
    call.open -= end - start;
    if (call.open > 0) return;
    this.#end(call);
    call.resolve(call.answers);
  }

  #end(call: Call<Item, A>): void {
    call.over = true;
    call.unhear();
    this.#queue.remove(call);
    this.#settings.watchdog.watch(-1);
  }

  /** Ends all calls, and all that come. */
  #stop(error: unknown): void {
    this.#broken ??= { error };
    for (const call of this.#queue.calls) {
      this.#end(call);
      call.reject(error);
      call.controller.abort(error);
    }
    this.#alarm.set(Infinity);
  }
}
