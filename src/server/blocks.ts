import type { NumberBlock } from "../scorer/protocols/service.ts";

export interface BlockOptions {
  /** What the model takes. */
  readonly element: "float32" | "float64";
  /** Numbers in an image, so that no image lies across two blocks. */
  readonly rowSize: number;
  /** How long the body may be, so that no block is larger than it could fill; null where that is not known. */
  readonly bytes: number | null;
}

/** Rows in one block, once so many have come. */
const MOST_ROWS = 256;
/** Numbers in the first block, and how many times as many the next one has. */
const FIRST_LENGTH = 16;
const GROWTH = 32;

/** Numbers in typed arrays that grow with what is in them: a short list takes little memory. */
export class GrowingBlocks {
  /** The one that numbers go into: zeros from `filled` on. */
  block: NumberBlock;
  filled = 0;
  readonly #full: NumberBlock[] = [];
  readonly #mostLength: number;
  readonly #element: BlockOptions["element"];

  constructor({ element, rowSize, bytes }: BlockOptions) {
    // A number and its comma are two bytes at least.
    const rows = Math.ceil((bytes ?? Infinity) / 2 / rowSize);
    this.#element = element;
    this.#mostLength = Math.max(1, Math.min(rows, MOST_ROWS)) * rowSize;
    this.block = this.#ofLength(Math.min(FIRST_LENGTH, this.#mostLength));
  }

  all(): readonly NumberBlock[] {
    return this.filled === 0 ? this.#full : [...this.#full, this.block.subarray(0, this.filled)];
  }

  /** Makes room where the block is full: a larger one with the same numbers, or one more. */
  grow(): void {
    const { block } = this;
    if (block.length < this.#mostLength) {
      this.block = this.#ofLength(Math.min(block.length * GROWTH, this.#mostLength));
      this.block.set(block);
    } else {
      this.#full.push(block);
      this.block = this.#ofLength(this.#mostLength);
      this.filled = 0;
    }
  }

  #ofLength(length: number): NumberBlock {
    return this.#element === "float32" ? new Float32Array(length) : new Float64Array(length);
  }
}
