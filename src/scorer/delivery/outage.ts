import { ScorerError } from "../../errors.ts";

/** After how many requests in a row that came to nothing the service is taken to be gone; fewer at a lower concurrency. */
const GONE = 4;

/** Whether the service is there at all. */
export class Outage {
  readonly #concurrency: number;
  readonly #retries: number;
  #signs = 0;
  #lost = 0;

  constructor({ concurrency, retries }: { readonly concurrency: number; readonly retries: number }) {
    this.#concurrency = concurrency;
    this.#retries = retries;
  }

  /** How many times the service answered or refused: signs that it is there. */
  get signs(): number {
    return this.#signs;
  }

  sign(): void {
    this.#signs++;
    this.#lost = 0;
  }

  /**
   * Counts a request all of whose attempts came to nothing, with no sign of the service since the first of them.
   *
   * @throws ScorerError where there were too many of them
   */
  lost(reason: string): void {
    this.#lost++;
    if (this.#lost < Math.min(GONE, Math.max(2, this.#concurrency))) return;
    const attempts = this.#retries === 0 ? "" : `, each sent ${this.#retries + 1} times`;
    throw new ScorerError(
      `the service stopped answering: ${this.#lost} requests in a row came to nothing${attempts}; the last reason was: ${reason}. Once it answers again, run the same command again: it goes on from there`,
    );
  }
}
