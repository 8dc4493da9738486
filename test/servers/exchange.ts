import { setTimeout as sleep } from "node:timers/promises";

import { add } from "./counts.ts";
import type { Tally } from "./counts.ts";
import { digestsOf } from "./digest.ts";
import { FAULTS, spoil } from "./faults.ts";
import type { Fault, FaultPlan } from "./faults.ts";
import type { Images } from "./images.ts";
import type { Model } from "./model.ts";
import { ModelError } from "./service.ts";
import type { Exchange, Scores } from "./service.ts";

/** What all requests of a server share. */
export interface Shared {
  readonly model: Model;
  readonly plan: FaultPlan;
  readonly faults: readonly Fault[];
  readonly tally: Tally;
  readonly delayMs: number;
  readonly imageDelayMs: number;
}

/** The request is answered with its fault: scoring it is of no use. */
export class Faulted extends Error {
  override readonly name = "Faulted";
}

/** One request while it is handled: counts its images, and lets its fault in. */
export class Handling implements Exchange {
  /** The fault that it met. */
  fault: Fault | null = null;
  digests: readonly string[] = [];
  readonly #shared: Shared;
  #planned: Fault | null;

  constructor(shared: Shared, planned: Fault | null) {
    this.#shared = shared;
    this.#planned = planned;
  }

  async score(images: Images): Promise<Scores> {
    const { model, tally, delayMs, imageDelayMs } = this.#shared;
    const digests = digestsOf(images.values, images.values.length / images.n);
    this.digests = [...this.digests, ...digests];
    tally.images += images.n;
    for (const digest of digests) add(tally.received, digest);
    const bad = this.#badImage(digests);
    if (bad !== null) {
      this.fault = bad;
      throw new ModelError("boom with detail");
    }
    this.decide();
    if (this.fault !== null && FAULTS[this.fault.name] === "before") throw new Faulted();
    const scores = await model.run(images);
    const delay = delayMs + imageDelayMs * images.n;
    if (delay > 0) await sleep(delay);
    return this.fault !== null && FAULTS[this.fault.name] === "answer" ? spoil(scores, this.fault) : scores;
  }

  echo(id: string): string {
    return this.fault?.name === "wrong-id" ? `not-${id}` : id;
  }

  /** Lets the planned fault happen, where its limits allow. */
  decide(): Fault | null {
    const planned = this.#planned;
    this.#planned = null;
    if (planned !== null && this.#shared.plan.allows(planned, this.digests)) this.fault = planned;
    return this.fault;
  }

  /** The planned fault, before its limits were looked at. */
  get planned(): Fault | null {
    return this.#planned;
  }

  #badImage(digests: readonly string[]): Fault | null {
    const isBad = ({ name, value }: Fault): boolean =>
      name === "bad-image" &&
      String(value)
        .split(" ")
        .some((digest) => digests.includes(digest));
    return this.#shared.faults.find(isBad) ?? null;
  }
}
