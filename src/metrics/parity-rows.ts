import { imagesAtOnce } from "../large-images.ts";
import type { ScoredBatch } from "../types.ts";
import { MOST_PROBABLE } from "./rows.ts";

/** @throws RangeError where two batches do not hold the same images in the same order, or scores that are none */
export function checkSameImages(endpoint: ScoredBatch, model: ScoredBatch, classes: number): void {
  const images = model.indices.length;
  if (endpoint.indices.length !== images) {
    throw new RangeError(
      `a batch of ${endpoint.indices.length} images of the endpoint cannot be compared with ${images} of the model`,
    );
  }
  for (const [side, { predicted, probabilities }] of [
    ["endpoint", endpoint],
    ["model", model],
  ] as const) {
    if (predicted.some((label) => label >= classes)) {
      throw new RangeError(`a label of the ${side} is none of the ${classes} classes`);
    }
    if (probabilities !== null && probabilities.length !== images * classes) {
      throw new RangeError(
        `${probabilities.length} probabilities of the ${side} for ${images} images of ${classes} classes`,
      );
    }
    // NaN: an image with a label alone.
    const wrong = probabilities?.find((p) => p < 0 || p > MOST_PROBABLE);
    if (wrong !== undefined) throw new RangeError(`probability ${wrong} of the ${side} is not in 0 … 1`);
  }
  for (let row = 0; row < images; row++) {
    if (endpoint.indices[row] === model.indices[row]) continue;
    throw new RangeError(
      `row ${row} of the batch is image ${endpoint.indices[row]} of the endpoint and image ${model.indices[row]} of the model`,
    );
  }
}

/** Images of each kind that are kept; of large ones fewer. */
const MOST_OF_A_KIND = 200;

interface Kept {
  readonly index: number;
  readonly truth: number;
  readonly predicted: number;
  readonly pixels: Uint8Array;
  readonly probabilities: Float64Array | null;
}

/** Some images with the endpoint's answers: the first that differ from the model's, and the first that do not. */
export class ParityEvidence {
  readonly #classes: number;
  readonly #pixels: number;
  readonly #most: number;
  readonly #differing: Kept[] = [];
  readonly #alike: Kept[] = [];

  constructor(classes: number, shape: readonly [number, number]) {
    this.#classes = classes;
    this.#pixels = shape[0] * shape[1];
    this.#most = imagesAtOnce(MOST_OF_A_KIND, shape);
  }

  offer(
    { indices, truth, predicted, pixels, probabilities }: ScoredBatch,
    row: number,
    differs: boolean,
  ): void {
    const kept = differs ? this.#differing : this.#alike;
    if (kept.length === this.#most) return;
    const slice = <T extends Uint8Array | Float64Array>(from: T, width: number): T =>
      from.slice(row * width, (row + 1) * width) as T;
    kept.push({
      index: indices[row]!,
      truth: truth[row]!,
      predicted: predicted[row]!,
      pixels: slice(pixels, this.#pixels),
      probabilities: probabilities && slice(probabilities, this.#classes),
    });
  }

  batch(): ScoredBatch {
    const kept = [...this.#differing, ...this.#alike];
    const labelsOnly = kept.some(({ probabilities }) => probabilities === null);
    return {
      indices: Uint32Array.from(kept, ({ index }) => index),
      pixels: joined(
        new Uint8Array(kept.length * this.#pixels),
        kept.map(({ pixels }) => pixels),
      ),
      truth: Uint8Array.from(kept, ({ truth }) => truth),
      predicted: Uint8Array.from(kept, ({ predicted }) => predicted),
      probabilities: labelsOnly
        ? null
        : joined(
            new Float64Array(kept.length * this.#classes),
            kept.map(({ probabilities }) => probabilities!),
          ),
    };
  }
}

function joined<T extends Uint8Array | Float64Array>(target: T, parts: readonly T[]): T {
  let at = 0;
  for (const part of parts) {
    target.set(part, at);
    at += part.length;
  }
  return target;
}
