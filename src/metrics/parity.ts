import type { Parity, ParityDifference, ScoredBatch, ScorerDescription } from "../types.ts";
import { proportion } from "./intervals.ts";
import { shownPixels } from "../large-images.ts";
import { FirstFew } from "./first-few.ts";
import { judge, type Differences, type Judgement } from "./parity-judgement.ts";
import { hasProbabilities, probabilityOf } from "./rows.ts";
import { checkSameImages, ParityEvidence } from "./parity-rows.ts";
import { parityStatement, type Likeness } from "./parity-wording.ts";

export type { Judgement } from "./parity-judgement.ts";
export type { Likeness } from "./parity-wording.ts";

/** What endpoint and model made of the same images, in numbers. */
export interface ParityCounts {
  readonly images: number;
  readonly agreeing: number;
  /** k×k images, rows the model's predictions, columns the endpoint's. */
  readonly predictions: readonly (readonly number[])[];
  /** Images that both, the endpoint alone, and the model alone got right. */
  readonly right: { readonly both: number; readonly endpoint: number; readonly model: number };
}

/** The running comparison behind `Parity`. Its memory does not grow with the number of images. */
export interface ParityTally {
  /**
   * Compares the same images; those that either has no answer for are left out by the caller.
   *
   * @throws RangeError where the two do not hold the same images in the same order
   */
  add(endpoint: ScoredBatch, model: ScoredBatch): void;
  counts(): ParityCounts;
  judgement(): Judgement;
  /** Of a probability; null where either gives labels only. */
  largestDifference(): number | null;
  /** Some of the images with the endpoint's answers to them: up to 200 that differ, and up to 200 that do not. */
  evidence(): ScoredBatch;
  /** @param likeness what is behind a skew; null where there is none, or it was not looked for */
  parity(model: ScorerDescription, likeness: Likeness | null): Parity;
}

/** Images that a report lists, and that the picture shows. */
const MOST_LISTED = 1_000;
const MOST_EXAMPLES = 30;

/** @param classes k class names @param shape [height, width] of the images */
export function createParityTally(classes: readonly string[], shape: readonly [number, number]): ParityTally {
  return new RunningParity(classes, shape);
}

interface Example extends ParityDifference {
  readonly pixels: Uint8Array;
}

interface Row {
  readonly own: Float64Array;
  readonly sum: number;
}

class RunningParity implements ParityTally {
  readonly #classes: readonly string[];
  readonly #shape: readonly [number, number];
  /** k×k */
  readonly #predictions: Float64Array;
  readonly #right = { both: 0, endpoint: 0, model: 0 };
  readonly #listed = new FirstFew<ParityDifference>(MOST_LISTED, (a, b) => a.index - b.index);
  readonly #examples = new FirstFew<Example>(
    MOST_EXAMPLES,
    (a, b) => confidenceOf(b) - confidenceOf(a) || a.index - b.index,
  );
  readonly #evidence: ParityEvidence;
  #images = 0;
  #differing = 0;
  #largest: number | null = 0;
  #sum = 0;
  /** Images of which both have probabilities. */
  #compared = 0;
  #gap: number | null = 0;

  constructor(classes: readonly string[], shape: readonly [number, number]) {
    this.#classes = classes;
    this.#shape = shape;
    this.#predictions = new Float64Array(classes.length ** 2);
    this.#evidence = new ParityEvidence(classes.length, shape);
  }

  add(endpoint: ScoredBatch, model: ScoredBatch): void {
    checkSameImages(endpoint, model, this.#classes.length);
    this.#addProbabilities(endpoint, model);
    for (let row = 0; row < model.truth.length; row++) this.#addRow(endpoint, model, row);
  }

  /** Compares distributions, each row divided by its sum: one side may have left that to its user. */
  #addProbabilities(endpoint: ScoredBatch, model: ScoredBatch): void {
    if (endpoint.probabilities === null || model.probabilities === null) {
      this.#largest = null;
      return;
    }
    const k = this.#classes.length;
    for (let row = 0; row < model.truth.length; row++) {
      if (!hasProbabilities(endpoint, row, k) || !hasProbabilities(model, row, k)) continue;
      const [theirs, ours] = [endpoint, model].map(({ probabilities }) => {
        const own = probabilities!.subarray(row * k, (row + 1) * k);
        const sum = own.reduce((a, b) => a + b, 0);
        return { own, sum };
      }) as [Row, Row];
      this.#compared += 1;
      for (let c = 0; c < k; c++) {
        const difference = Math.abs(theirs.own[c]! / theirs.sum - ours.own[c]! / ours.sum);
        this.#sum += difference;
        if (this.#largest !== null && difference > this.#largest) this.#largest = difference;
      }
    }
  }

  #addRow(endpoint: ScoredBatch, model: ScoredBatch, row: number): void {
    const [theirs, ours, truth] = [endpoint.predicted[row]!, model.predicted[row]!, model.truth[row]!];
    this.#images += 1;
    this.#predictions[ours * this.#classes.length + theirs]! += 1;
    if (theirs === truth || ours === truth) {
      this.#right[theirs === ours ? "both" : theirs === truth ? "endpoint" : "model"] += 1;
    }
    this.#evidence.offer(endpoint, row, theirs !== ours);
    if (theirs !== ours) this.#addDifference(endpoint, model, row);
  }

  #addDifference(endpoint: ScoredBatch, model: ScoredBatch, row: number): void {
    this.#differing += 1;
    const k = this.#classes.length;
    const gap =
      gapOf(model, endpoint.predicted[row]!, row, k) ?? gapOf(endpoint, model.predicted[row]!, row, k);
    this.#gap = gap === null || this.#gap === null ? null : Math.max(this.#gap, gap);
    const difference: ParityDifference = {
      index: model.indices[row]!,
      truth: this.#classes[model.truth[row]!]!,
      endpoint: this.#classes[endpoint.predicted[row]!]!,
      model: this.#classes[model.predicted[row]!]!,
      endpointConfidence: probabilityOf(endpoint, endpoint.predicted[row]!, row, k),
      modelConfidence: probabilityOf(model, model.predicted[row]!, row, k),
    };
    this.#listed.offer(difference);
    const size = this.#shape[0] * this.#shape[1];
    const pixels = model.pixels.subarray(row * size, (row + 1) * size);
    // A copy only of what is kept, so that one image does not hold its whole batch.
    this.#examples.offer({ ...difference, pixels }, (kept) => ({
      ...kept,
      pixels: shownPixels(kept.pixels, this.#shape),
    }));
  }

  counts(): ParityCounts {
    const k = this.#classes.length;
    return {
      images: this.#images,
      agreeing: this.#images - this.#differing,
      predictions: this.#classes.map((_, row) => [...this.#predictions.subarray(row * k, (row + 1) * k)]),
      right: { ...this.#right },
    };
  }

  judgement(): Judgement {
    return judge(this.#differences());
  }

  largestDifference(): number | null {
    return this.#largest;
  }

  evidence(): ScoredBatch {
    return this.#evidence.batch();
  }

  parity(model: ScorerDescription, likeness: Likeness | null): Parity {
    const differences = this.#differences();
    const { images, differing, largest, sum } = differences;
    const judgement = judge(differences);
    const none = this.#compared === 0 || largest === null;
    return {
      model,
      images,
      agreement: proportion(images - differing, images),
      maxDifference: none ? null : largest,
      meanDifference: none ? null : sum / (this.#compared * this.#classes.length),
      modelAccuracy: proportion(this.#right.both + this.#right.model, images),
      verdict: judgement.verdict,
      statement: parityStatement(differences, judgement, model.name, likeness),
      differing: { count: differing, images: this.#listed.items() },
      examples: this.#examples.items().map(({ pixels, ...difference }) => ({
        ...difference,
        pixels: Buffer.from(pixels.buffer, pixels.byteOffset, pixels.length).toString("base64"),
      })),
    };
  }

  #differences(): Differences {
    const [images, differing, largest] = [this.#images, this.#differing, this.#largest];
    return { images, differing, largest, sum: this.#sum, gap: this.#gap };
  }
}

/** How sure both are that are sure at all. */
function confidenceOf({ endpointConfidence, modelConfidence }: ParityDifference): number {
  return Math.min(endpointConfidence ?? modelConfidence ?? 0, modelConfidence ?? endpointConfidence ?? 0);
}

/** By how much a side prefers its own prediction to the other's. */
function gapOf(batch: ScoredBatch, other: number, row: number, classes: number): number | null {
  const own = probabilityOf(batch, batch.predicted[row]!, row, classes);
  const others = probabilityOf(batch, other, row, classes);
  return own === null || others === null ? null : own - others;
}
