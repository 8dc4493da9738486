import { stepsOfBins, stepsOfScores, type Steps } from "./steps.ts";
import { addInto } from "./sums.ts";

/** How many scores are kept before they are counted into bins: 16 MB, 200,000 images of ten classes. */
export const EXACT_SCORES = 2_000_000;

const CHUNK_ROWS = 2048;

// A score's bin is that of its distance from the nearer of 0 and 1, because a good model's scores crowd at both. Equal
// parts of every octave (2^-i to 2^-i+1) are bins: many where classes are confused, fewer farther out.
const FAR_OCTAVE = 64;
const NEAR_OCTAVE = 10;
const FAR_PART_BITS = 8;
const NEAR_PART_BITS = 11;
/** Distances from 2^-64 to 2^-10. */
const FAR_BINS = (FAR_OCTAVE - NEAR_OCTAVE) << FAR_PART_BITS;
/** Distances from 2^-10 to 1/2. */
const NEAR_BINS = (NEAR_OCTAVE - 1) << NEAR_PART_BITS;
/** Bins a class: one for exactly 0, those up to 1/2, one for 1/2, and the same mirrored up to exactly 1. */
export const BINS = 2 * (1 + FAR_BINS + NEAR_BINS) + 1;

/** probabilities: in 0 … 1, but for rounding; logits: any numbers, −Infinity too. */
export type ScoreKind = "probabilities" | "logits";

/** Images whose scores are kept together. */
interface Chunk {
  /** rows×classes */
  readonly scores: Float64Array;
  readonly truth: Uint8Array;
  rows: number;
}

/**
 * The scores that rank images, a class at a time: every one of them up to a limit, and from there on counts in bins,
 * so that memory does not grow. Which of the two depends on the number of images alone, not on batches or shards.
 */
export class ScoreStore {
  readonly #classes: number;
  readonly #rowLimit: number;
  readonly #binOf: (score: number) => number;
  #rows = 0;
  #chunks: Chunk[] = [];
  /** classes×bins×2: negatives and positives. Null while every score is kept. */
  #bins: Uint32Array | null = null;

  constructor(classes: number, exactScores: number, kind: ScoreKind = "probabilities") {
    this.#classes = classes;
    this.#binOf = kind === "logits" ? logitBin : binOf;
    this.#rowLimit = Math.floor(exactScores / classes);
  }

  /** True while every score is kept. */
  get exact(): boolean {
    return this.#bins === null;
  }

  /** @param scores n×classes */
  add(truth: Uint8Array, scores: Float64Array): void {
    this.#rows += truth.length;
    if (this.#rows > this.#rowLimit) this.#countInto(this.#switchToBins(), truth, scores);
    else this.#keep(truth, scores);
  }

  merge(other: ScoreStore): void {
    if (other.#bins) {
      this.#rows += other.#rows;
      addInto(this.#switchToBins(), other.#bins);
    } else {
      for (const { truth, scores, rows } of other.#chunks) {
        this.add(truth.subarray(0, rows), scores.subarray(0, rows * this.#classes));
      }
    }
  }

  /** The class's images in the order of its score. */
  steps(c: number): Steps {
    if (this.#bins) return stepsOfBins(this.#bins.subarray(c * BINS * 2, (c + 1) * BINS * 2));
    const ofClass = new Float64Array(this.#rows);
    let positives = 0;
    let negatives = ofClass.length;
    for (const { truth, scores, rows } of this.#chunks) {
      for (let row = 0, at = c; row < rows; row++, at += this.#classes) {
        ofClass[truth[row] === c ? positives++ : --negatives] = scores[at]!;
      }
    }
    return stepsOfScores(ofClass.subarray(0, positives).sort(), ofClass.subarray(positives));
  }

  #keep(truth: Uint8Array, scores: Float64Array): void {
    const classes = this.#classes;
    for (let row = 0; row < truth.length;) {
      let chunk = this.#chunks.at(-1);
      if (!chunk || chunk.rows === CHUNK_ROWS) {
        chunk = {
          scores: new Float64Array(CHUNK_ROWS * classes),
          truth: new Uint8Array(CHUNK_ROWS),
          rows: 0,
        };
        this.#chunks.push(chunk);
      }
      const end = Math.min(truth.length, row + CHUNK_ROWS - chunk.rows);
      chunk.truth.set(truth.subarray(row, end), chunk.rows);
      chunk.scores.set(scores.subarray(row * classes, end * classes), chunk.rows * classes);
      chunk.rows += end - row;
      row = end;
    }
  }

  #switchToBins(): Uint32Array {
    if (this.#bins) return this.#bins;
    const bins = (this.#bins = new Uint32Array(this.#classes * BINS * 2));
    for (const { truth, scores, rows } of this.#chunks)
      this.#countInto(bins, truth.subarray(0, rows), scores);
    this.#chunks = [];
    return bins;
  }

  #countInto(bins: Uint32Array, truth: Uint8Array, scores: Float64Array): void {
    const classes = this.#classes;
    const binOf = this.#binOf;
    for (let row = 0, at = 0; row < truth.length; row++) {
      for (let c = 0; c < classes; c++, at++) {
        bins[2 * (c * BINS + binOf(scores[at]!)) + (truth[row] === c ? 1 : 0)]! += 1;
      }
    }
  }
}

/** The bin of a probability: never lower for a higher one. */
export function binOf(score: number): number {
  if (score >= 1) return BINS - 1;
  return score < 0.5 ? distanceBin(score) : BINS - 1 - distanceBin(1 - score);
}

const MIDDLE = (BINS - 1) / 2;

/**
 * The bin of a logit: never lower for a higher one. The bins of one that is positive are equal parts of every octave
 * from 2^-16 to 2^15, two more for what is smaller and larger, and mirrored for negative ones; −Infinity is alone.
 */
export function logitBin(score: number): number {
  if (score === -Infinity) return 0;
  number[0] = Math.abs(score);
  const bits = Math.max(LOGIT_START, Math.min(words[HIGH]!, LOGIT_END - 1)) - LOGIT_START;
  const distance = score === 0 ? 0 : 1 + (bits >>> (20 - LOGIT_PART_BITS));
  return score < 0 ? MIDDLE - distance : MIDDLE + distance;
}

const number = new Float64Array(1);
const words = new Uint32Array(number.buffer);
/** The word with the sign, the exponent and the first 20 bits of the fraction. */
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;
const FAR_START = (1023 - FAR_OCTAVE) << 20;
const NEAR_START = (1023 - NEAR_OCTAVE) << 20;
const LOGIT_PART_BITS = 10;
const LOGIT_START = (1023 - 16) << 20;
const LOGIT_END = (1023 + 15) << 20;

/** The bin of a distance of 0 … 1/2: 0 for none, and the smallest octave's first for all below it. */
function distanceBin(distance: number): number {
  if (distance === 0) return 0;
  number[0] = distance;
  const bits = words[HIGH]!;
  if (bits >= NEAR_START) return 1 + FAR_BINS + ((bits - NEAR_START) >>> (20 - NEAR_PART_BITS));
  return bits < FAR_START ? 1 : 1 + ((bits - FAR_START) >>> (20 - FAR_PART_BITS));
}
