import type { Resize } from "../types.ts";

type Size = readonly [height: number, width: number];
/** Weights of the input's pixels for each of the output's, along one side. */
type Weights = readonly { readonly start: number; readonly weights: Float64Array }[];

/** Makes images of one size into images of another: n×h×w pixels of 0–255, black where there were none. */
export type Resizer = (pixels: Uint8Array) => Uint8Array;

/**
 * `pad` puts the image into the middle of a black one, or cuts its edges off, the odd pixel at the right and below.
 * `bilinear` is Pillow's and torchvision's: pixels' centres are half a pixel from their corner, and where the image
 * becomes smaller each pixel is an average over all that it covers. Values are rounded to whole pixels after each side.
 *
 * @param from [height, width]
 * @param to [height, width]
 * @example resizer("pad", [1, 1], [1, 3])(Uint8Array.of(7)) // 0, 7, 0
 */
export function resizer(method: Exclude<Resize, "none">, from: Size, to: Size): Resizer {
  const weightsOf = { pad: padding, bilinear: triangles }[method];
  const rows = weightsOf(from[0], to[0]);
  const columns = weightsOf(from[1], to[1]);
  const between = new Uint8Array(from[0] * to[1]);
  return (pixels) => {
    const images = pixels.length / (from[0] * from[1]);
    const resized = new Uint8Array(images * to[0] * to[1]);
    for (let image = 0; image < images; image++) {
      const source = pixels.subarray(image * from[0] * from[1], (image + 1) * from[0] * from[1]);
      for (let y = 0; y < from[0]; y++) {
        columns.forEach((column, x) => {
          between[y * to[1] + x] = weighted(source, y * from[1], 1, column);
        });
      }
      const target = resized.subarray(image * to[0] * to[1], (image + 1) * to[0] * to[1]);
      rows.forEach((row, y) => {
        for (let x = 0; x < to[1]; x++) target[y * to[1] + x] = weighted(between, x, to[1], row);
      });
    }
    return resized;
  };
}

function weighted(
  source: Uint8Array,
  offset: number,
  step: number,
  { start, weights }: Weights[number],
): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i]! * source[offset + (start + i) * step]!;
  return Math.round(sum);
}

/** Each pixel is one of the input's, or none. */
function padding(from: number, to: number): Weights {
  const before = Math.floor((to - from) / 2);
  return Array.from({ length: to }, (_, i) => {
    const start = i - before;
    return start >= 0 && start < from
      ? { start, weights: Float64Array.of(1) }
      : { start: 0, weights: new Float64Array(0) };
  });
}

/** Pillow's `precompute_coeffs` for its bilinear filter, https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c. */
function triangles(from: number, to: number): Weights {
  const scale = from / to;
  const support = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.floor(centre - support + 0.5));
    const end = Math.min(from, Math.floor(centre + support + 0.5));
    const weights = Float64Array.from({ length: end - start }, (_, j) =>
      Math.max(0, 1 - Math.abs((start + j + 0.5 - centre) / support)),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { start, weights: weights.map((weight) => weight / sum) };
  });
}
