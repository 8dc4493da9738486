/**
 * Images as lists of their non-zero pixels: four fifths of MNIST is zero, and a zero pixel adds nothing to a sum.
 * Every image ends with one more entry of value 255 in the last column, which carries the intercept.
 */
export interface SparseImages {
  readonly count: number;
  /** Pixels that are non-zero somewhere, and 1 for the intercept. */
  readonly width: number;
  /** count + 1: where each image's entries begin and end in `columns` and `values`. */
  readonly starts: Uint32Array;
  /** Ascending within an image. */
  readonly columns: Uint16Array;
  /** 1–255. */
  readonly values: Uint8Array;
  /** count */
  readonly labels: Uint8Array;
}

/**
 * The positions of the pixels that are non-zero in some image, ascending. The others drop out of the problem: nothing
 * but the penalty acts on their weight, so that it is exactly 0 at the optimum.
 *
 * @param pixels n×d, 0–255
 */
export function usedPixels(pixels: Uint8Array, size: number): Uint16Array {
  const used = new Uint8Array(size);
  for (let from = 0; from < pixels.length; from += size)
    for (let pixel = 0; pixel < size; pixel++) used[pixel]! |= pixels[from + pixel]!;
  return Uint16Array.from({ length: size }, (_, pixel) => pixel).filter((pixel) => used[pixel] !== 0);
}

/** Every `stride`-th image, as non-zero entries in the columns that `used` gives. */
export function sparseImages(
  pixels: Uint8Array,
  labels: Uint8Array,
  used: Uint16Array,
  stride: number,
): SparseImages {
  const size = pixels.length / labels.length;
  const count = Math.ceil(labels.length / stride);
  let entries = count;
  for (let image = 0; image < count; image++) entries += nonZero(pixels, image * stride * size, size);
  const starts = new Uint32Array(count + 1);
  const columns = new Uint16Array(entries);
  const values = new Uint8Array(entries);
  let entry = 0;
  for (let image = 0; image < count; image++) {
    const from = image * stride * size;
    for (let column = 0; column < used.length; column++) {
      const value = pixels[from + used[column]!]!;
      if (value === 0) continue;
      columns[entry] = column;
      values[entry++] = value;
    }
    columns[entry] = used.length;
    values[entry++] = 255;
    starts[image + 1] = entry;
  }
  const kept =
    stride === 1 ? labels : Uint8Array.from({ length: count }, (_, image) => labels[image * stride]!);
  return { count, width: used.length + 1, starts, columns, values, labels: kept };
}

function nonZero(pixels: Uint8Array, from: number, size: number): number {
  let count = 0;
  for (let pixel = from; pixel < from + size; pixel++) if (pixels[pixel] !== 0) count++;
  return count;
}
