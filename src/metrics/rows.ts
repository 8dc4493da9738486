import type { ScoredBatch } from "../types.ts";

/** No given probability is above this: rounding may leave one above 1, and float16 has three digits. */
export const MOST_PROBABLE = 1.005;

/** Whether an image has probabilities, and not a label alone. */
export function hasProbabilities({ probabilities }: ScoredBatch, row: number, classes: number): boolean {
  return probabilities !== null && !Number.isNaN(probabilities[row * classes]!);
}

/** The given probability of a class, rounding above 1 taken off; null where the image has a label alone. */
export function probabilityOf(
  batch: ScoredBatch,
  label: number,
  row: number,
  classes: number,
): number | null {
  return hasProbabilities(batch, row, classes)
    ? Math.min(1, batch.probabilities![row * classes + label]!)
    : null;
}

/** Some rows of a scored batch of images of `pixels` pixels. */
export function pick(
  all: ScoredBatch,
  rows: readonly number[],
  pixels: number,
  classes: number,
): ScoredBatch {
  const { probabilities, logits } = all;
  const table = (from: Float64Array) =>
    pickRows(from, new Float64Array(rows.length * classes), rows, classes);
  return {
    indices: Uint32Array.from(rows, (row) => all.indices[row]!),
    pixels: pickRows(all.pixels, new Uint8Array(rows.length * pixels), rows, pixels),
    truth: Uint8Array.from(rows, (row) => all.truth[row]!),
    predicted: Uint8Array.from(rows, (row) => all.predicted[row]!),
    probabilities: probabilities && table(probabilities),
    ...(logits && { logits: table(logits) }),
  };
}

function pickRows<T extends Uint8Array | Float64Array>(
  from: T,
  to: T,
  rows: readonly number[],
  width: number,
): T {
  rows.forEach((row, i) => to.set(from.subarray(row * width, (row + 1) * width), i * width));
  return to;
}
