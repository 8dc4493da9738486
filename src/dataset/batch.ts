import type { Batch } from "../types.ts";

/** Some of a batch's images, in the order of `rows`. */
export function rowsOf({ indices, labels, pixels }: Batch, rows: readonly number[]): Batch {
  const size = labels.length === 0 ? 0 : pixels.length / labels.length;
  const chosen = new Uint8Array(rows.length * size);
  rows.forEach((row, i) => chosen.set(pixels.subarray(row * size, (row + 1) * size), i * size));
  return {
    indices: Uint32Array.from(rows, (row) => indices[row]!),
    labels: Uint8Array.from(rows, (row) => labels[row]!),
    pixels: chosen,
  };
}

export function joined(batches: readonly Batch[]): Batch {
  if (batches.length === 1) return batches[0]!;
  return {
    indices: Uint32Array.from(batches.flatMap(({ indices }) => [...indices])),
    labels: Uint8Array.from(batches.flatMap(({ labels }) => [...labels])),
    pixels: new Uint8Array(Buffer.concat(batches.map(({ pixels }) => pixels))),
  };
}
