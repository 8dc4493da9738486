import { stepsOfBins, stepsOfScores, type Steps } from "./steps.ts";
import { addInto } from "./sums.ts";

/** How many scores are kept before they are counted into bins: 16 MB, 200,000 images of ten classes. */
export const EXACT_SCORES = 2_000_000;

const CHUNK_ROWS = 2048;

// Bins are narrow near 0 and near 1, where the scores of a good model are: 2^9 equal parts of every octave from 2^-64
// to 1/2, the same mirrored from 1/2 to 1, and one bin each for exactly 0 and exactly 1.
const OCTAVES = 64;
const PART_BITS = 9;
const HALF = ((OCTAVES - 1) << PART_BITS) + 1;
/** Bins a class. */
export const BINS = 2 * HALF + 1;

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
  #rows = 0;
  #chunks: Chunk[] = [];
  /** classes×bins×2: negatives and positives. Null while every score is kept. */
  #bins: Uint32Array | null = null;

  constructor(classes: number, exactScores: number) {
    this.#classes = classes;
    this.#rowLimit = Math.floor(exactScores / classes);
  }

  /** True while every score is kept. */
  get exact(): boolean {
    return this.#bins === null;
  }

  /** @param scores n×classes, each in 0 … 1 */
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
    const sorted = new Float64Array(this.#rows);
    let positives = 0;
    let negatives = sorted.length;
    for (const { truth, scores, rows } of this.#chunks) {
      for (let row = 0, at = c; row < rows; row++, at += this.#classes) {
        sorted[truth[row] === c ? positives++ : --negatives] = scores[at]!;
      }
    }
    return stepsOfScores(sorted.subarray(0, positives).sort(), sorted.subarray(positives).sort());
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
    for (let row = 0, at = 0; row < truth.length; row++) {
      for (let c = 0; c < classes; c++, at++) {
        bins[2 * (c * BINS + binOf(scores[at]!)) + (truth[row] === c ? 1 : 0)]! += 1;
      }
    }
  }
}

const number = new Float64Array(1);
const words = new Uint32Array(number.buffer);
/** The word with the sign, the exponent and the first 20 bits of the fraction. */
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;
const SMALLEST = ((1023 - OCTAVES) << PART_BITS) - 1;

/** The bin of a score: never lower for a higher score. */
export function binOf(score: number): number {
  return score < 0.5 ? distanceBin(score) : BINS - 1 - distanceBin(1 - score);
}

/** The bin of a distance of 0 … 1/2 from the nearer end: 0 for none, 1 for all below the smallest octave. */
function distanceBin(distance: number): number {
  if (distance === 0) return 0;
  number[0] = distance;
  return Math.max(1, (words[HIGH]! >>> (20 - PART_BITS)) - SMALLEST);
}
