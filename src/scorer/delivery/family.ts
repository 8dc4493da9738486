/**
 * After how many images in a row, each sent by itself and refused for the same reason, others that were refused together
 * with them are not sent by themselves any more.
 */
const ENOUGH = 5;

/** Images that were refused by themselves, one after the other and for the same reason. */
export class Refusals {
  #label: string | null = null;
  #count = 0;

  note(label: string): void {
    this.#count = this.#label === label ? this.#count + 1 : 1;
    this.#label = label;
  }

  forget(): void {
    this.#count = 0;
  }

  /** Whether it is no use to look for an image that is not refused. */
  enough(label: string): boolean {
    return this.#label === label && this.#count >= ENOUGH;
  }
}

/** The images of a request that was refused for what is in it, and was split to find out which of them it is. */
export class Family {
  readonly images: number;
  readonly refusals = new Refusals();
  /** Whether any of them has been answered. */
  answered = false;
  /** Once it is no use to look on: why its other images have no answer. */
  verdict: string | null = null;
  /** Retries that are left for parts of it that may be refused or not: a part's own number times the halvings. */
  #spare: number;

  constructor(images: number, patience: number) {
    this.images = images;
    this.#spare = 2 * patience * (Math.ceil(Math.log2(images)) + 1);
  }

  /** Takes one of the retries, where there is one left. */
  spend(): boolean {
    if (this.#spare === 0) return false;
    this.#spare--;
    return true;
  }

  /** Says of the images that were not sent by themselves why not. */
  giveUp(reason: string): string {
    this.verdict = `${reason} (in a request of ${this.images} images; not sent by itself, since ${ENOUGH} single images in a row were refused for the same reason)`;
    return this.verdict;
  }
}
