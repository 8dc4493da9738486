/**
 * After how many images in a row, each sent by itself and refused for the same reason, others that were refused together
 * with them are not sent by themselves any more: where none at all has been answered.
 */
const ENOUGH = 5;

/** The images of a request that was refused for what is in it, and was split to find out which of them it is. */
export class Family {
  readonly #images: number;
  readonly #label: string;
  readonly #reason: string;
  /** Whether any of them has been answered. */
  answered = false;
  /** Once it is no use to look on: why its other images have no answer. */
  #verdict: string | null = null;
  /** Single images that were refused for what the request was refused for, one after the other. */
  #refused = 0;
  /** Retries that are left for parts of which it is not clear whether they are refused. */
  #spare: number;

  constructor(
    images: number,
    { label, reason }: { readonly label: string; readonly reason: string },
    patience: number,
  ) {
    this.#images = images;
    this.#label = label;
    this.#reason = reason;
    // Twice what finding one image takes.
    this.#spare = 2 * patience * (Math.ceil(Math.log2(images)) + 1);
  }

  get verdict(): string | null {
    return this.#verdict;
  }

  /** Takes one of the retries, where there is one left. */
  spend(): boolean {
    if (this.#spare === 0) return false;
    this.#spare--;
    return true;
  }

  /** Counts a single image that was refused. @returns whether it is no use to look for one that is not */
  hopeless(label: string): boolean {
    this.#refused = label === this.#label ? this.#refused + 1 : 0;
    return !this.answered && this.#verdict === null && this.#refused >= ENOUGH;
  }

  /** Ends the search. @returns why the images that were not sent by themselves have no answer */
  giveUp(): string {
    const why = `not sent by itself, since ${ENOUGH} single images in a row were refused for the same reason`;
    this.#verdict = `${this.#reason} (in a request of ${this.#images} images; ${why})`;
    return this.#verdict;
  }
}
