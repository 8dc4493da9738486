import { shownPixels } from "../large-images.ts";
import { samplePositions, seededRandom } from "../random.ts";
import type { Dataset, Example, ScoredBatch } from "../types.ts";
import { probabilityOf } from "./rows.ts";

/** Images in each of the two pictures: as many as the tutorial shows. */
const EXAMPLES = 30;

export interface ExamplePicker {
  add(batch: ScoredBatch): void;
  picked(): { readonly sample: readonly Example[]; readonly mistakes: readonly Example[] };
}

/** An example whose pixels are not text yet: most mistakes are kept for a while only. */
interface Kept extends Omit<Example, "pixels"> {
  readonly pixels: Uint8Array;
}

function encoded({ pixels, ...example }: Kept): Example {
  const { buffer, byteOffset, length } = pixels;
  return { ...example, pixels: Buffer.from(buffer, byteOffset, length).toString("base64") };
}

/** Keeps a seeded random sample of the images and the most confident mistakes, as batches go by. */
export function examplePicker({ size, classes, shape }: Dataset, seed: number): ExamplePicker {
  const pixels = shape[0] * shape[1];
  const wanted = samplePositions(seededRandom(seed), EXAMPLES, size);
  const sample: Kept[] = [];
  const mistakes: Kept[] = [];
  let position = 0;

  const kept = (batch: ScoredBatch, row: number): Kept => ({
    index: batch.indices[row]!,
    truth: classes[batch.truth[row]!]!,
    predicted: classes[batch.predicted[row]!]!,
    confidence: probabilityOf(batch, batch.predicted[row]!, row, classes.length),
    pixels: shownPixels(batch.pixels.subarray(row * pixels, (row + 1) * pixels), shape),
  });

  return {
    add(batch) {
      for (let row = 0; row < batch.truth.length; row++, position++) {
        if (wanted.has(position)) sample.push(kept(batch, row));
        if (batch.truth[row] === batch.predicted[row]) continue;
        const confidence = probabilityOf(batch, batch.predicted[row]!, row, classes.length) ?? 0;
        const last = mistakes.at(-1);
        if (mistakes.length < EXAMPLES || confidence > (last?.confidence ?? 0)) {
          insert(mistakes, kept(batch, row));
        }
      }
    },
    picked: () => ({ sample: sample.map(encoded), mistakes: mistakes.map(encoded) }),
  };
}

/** Keeps the list sorted, most confident first; among equals the one that came first stays ahead. */
function insert(mistakes: Kept[], example: Kept): void {
  const confidence = example.confidence ?? 0;
  const place = mistakes.findIndex((other) => (other.confidence ?? 0) < confidence);
  mistakes.splice(place === -1 ? mistakes.length : place, 0, example);
  if (mistakes.length > EXAMPLES) mistakes.pop();
}
