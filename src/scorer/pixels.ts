import type { PixelChoice } from "../types.ts";
import { tensorShape, type InputPlan } from "./adapter.ts";
import { ELEMENTS, toElements, type Numbers } from "./elements.ts";
import { resizer } from "./resize.ts";
import { scaling } from "./scales.ts";
import { wirePixels } from "./wire.ts";

/** Turns images into what a model takes. */
export interface PixelWriter {
  /** Writes `rows` images from `pixels` (rows×h×w, 0–255) into the buffer of a run of `images` ≥ rows images. */
  write(
    pixels: Uint8Array,
    rows: number,
    images: number,
  ): { readonly buffer: Numbers; readonly shape: number[] };
}

/**
 * A writer for one model and one choice. A pixel has 256 values, so that each is scaled once, in double precision, and
 * rounded once, as NumPy rounds `x.astype(float32) / 255`; multiplying by 1/255 would differ for 126 of them.
 *
 * @param images [height, width] of the data set's images
 */
export function pixelWriter(
  plan: InputPlan,
  choice: PixelChoice,
  images: readonly [number, number],
): PixelWriter {
  const scale = scaling(choice.scale);
  const values = Array.from({ length: 256 }, (_, x) => scale(choice.invert ? 255 - x : x));
  const table = toElements(values, plan.type);
  const { shape, turned, resize } = plan;
  const resized = resize === null ? null : resizer(resize, images, shape);
  const [height, width] = turned ? [shape[1], shape[0]] : shape;
  const size = height * width;
  const order = { layout: plan.layout, channels: plan.channels, transpose: choice.transpose };
  let buffer = new ELEMENTS[plan.type].array(0) as Numbers;
  return {
    write(pixels, rows, runImages) {
      const length = runImages * plan.channels * size;
      if (buffer.length !== length) buffer = new ELEMENTS[plan.type].array(length);
      const given = pixels.subarray(0, rows * images[0] * images[1]);
      copy(wirePixels(resized?.(given) ?? given, order, [height, width]), table, buffer);
      return { buffer, shape: tensorShape(plan, runImages) };
    },
  };
}

/**
 * Background is most of an image, so that it is filled in first, and four pixels of it are passed over at a time: half the
 * time of a loop over all pixels, which itself is some 50 times faster than a mapped copy.
 */
function copy(pixels: Uint8Array, table: Numbers, target: Numbers): void {
  const [from, to] = [table as Float32Array, target as Float32Array];
  const words = pixels.byteOffset % 4 === 0 ? pixels.length >> 2 : 0;
  const fours = new Uint32Array(pixels.buffer, words === 0 ? 0 : pixels.byteOffset, words);
  to.fill(from[0]!, 0, words * 4);
  for (let word = 0; word < words; word++) {
    if (fours[word] === 0) continue;
    const i = word * 4;
    to[i] = from[pixels[i]!]!;
    to[i + 1] = from[pixels[i + 1]!]!;
    to[i + 2] = from[pixels[i + 2]!]!;
    to[i + 3] = from[pixels[i + 3]!]!;
  }
  for (let i = words * 4; i < pixels.length; i++) to[i] = from[pixels[i]!]!;
}
