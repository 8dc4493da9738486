import type { Layout } from "../types.ts";
import { tensorShape } from "./adapter.ts";
import type { Numbers } from "./elements.ts";

/** How images stand in a request, or in a local model's input. */
export interface WireOrder {
  readonly layout: Layout;
  /** A grey image is repeated for a model that takes three colours. */
  readonly channels: 1 | 3;
  /** Rows and columns exchanged. */
  readonly transpose: boolean;
}

/** The shape of n images in a request. @param images [height, width] of the data set's */
export function wireShape(
  { layout, channels, transpose }: WireOrder,
  images: readonly [number, number],
  n: number,
): number[] {
  const [height, width] = images;
  return tensorShape({ layout, channels, shape: transpose ? [width, height] : [height, width] }, n);
}

/**
 * Images (n×h×w) with their pixels in the order of a model's input, each as often as it has channels. The same array
 * where that is the order already.
 *
 * @param images [height, width] of the data set's
 */
export function wirePixels<T extends Uint8Array | Numbers>(
  pixels: T,
  { layout, channels, transpose }: WireOrder,
  images: readonly [number, number],
): T {
  if (channels === 1 && !transpose) return pixels;
  const order = pixelOrder(images, transpose);
  const size = order.length;
  const wire = new (pixels.constructor as new (length: number) => T)(pixels.length * channels);
  // A flat image of three channels is one plane after the other, as nchw.
  const [pixelStep, channelStep] = layout === "nhwc" ? [channels, 1] : [1, size];
  for (let start = 0; start < pixels.length; start += size) {
    for (let i = 0; i < size; i++) {
      const pixel = pixels[start + order[i]!]!;
      const at = start * channels + i * pixelStep;
      for (let channel = 0; channel < channels; channel++) wire[at + channel * channelStep] = pixel;
    }
  }
  return wire;
}

/** Where each pixel of an image in a request comes from. */
function pixelOrder([height, width]: readonly [number, number], transpose: boolean): Uint32Array {
  const from = (_: unknown, i: number): number =>
    transpose ? (i % height) * width + Math.floor(i / height) : i;
  return Uint32Array.from({ length: height * width }, from);
}
