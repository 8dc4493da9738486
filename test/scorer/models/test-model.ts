import type { Preprocessing, Scale, ScoreMeaning } from "../../../src/types.ts";

export interface ModelFiles {
  readonly bytes: Uint8Array;
  /** Files that must stand beside the model, by name. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

/** A model, and all that there is to know about it in order to score it right. */
export interface TestModel {
  readonly build: () => ModelFiles;
  /** How to feed it. An input of whole numbers takes `raw`. */
  readonly feed: Preprocessing;
  /** Other scales under which a few hundred images score no worse, so that nothing can tell which is meant. */
  readonly indifferent?: readonly Scale[];
  /** Copies of the grey image that the input holds; 1 unless given. */
  readonly channels?: 1 | 3;
  /** [height, width] of the images that it scores, cut from the middle of MNIST's; [28, 28] unless given. */
  readonly shape?: readonly [number, number];
  /** Sizes of one image in the input, where dimensions of 1 stand otherwise than in the layout. */
  readonly sizes?: readonly number[];
  readonly fixedBatch?: number;
  /** The output to read, and what its numbers are. `names`: what a string label says for class 0, 1, … */
  readonly answer: {
    readonly output: string;
    readonly meaning: ScoreMeaning;
    readonly names?: readonly string[];
    /** What a sequence of maps beside it holds, which the runtime does not hand out. */
    readonly unzipped?: ScoreMeaning;
  };
  /** Fewest and most of t10k's 10,000 images that it gets right. */
  readonly correct: readonly [low: number, high: number];
  /** What a warning must say of it, for a model that is not simply right. */
  readonly flaw?: Flaw;
}

export type Flaw =
  | "permuted classes"
  | "saturated"
  | "not a number"
  | "constant prediction"
  | "class never predicted"
  | "at chance";

/** What the bundled model gets right, and give or take two images that rounding decides. */
export const RIGHT = [9202, 9202] as const;
export const ROUNDED = [9200, 9204] as const;

export const flatUnit: Preprocessing = { scale: "unit", layout: "flat", invert: false, transpose: false };
