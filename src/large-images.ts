/** Bounds on memory where images are so large that a bound on their number is none. Those of MNIST's size never meet them. */

/** [height, width] */
type Shape = readonly [number, number];

/** 32 MiB: two images of 4096×4096, 42,799 of MNIST's. */
const MOST_PIXELS = 1 << 25;
/** What is held to find out how a scorer wants its pixels: 128 MiB, 8 images of 4096×4096. */
export const PREFLIGHT_PIXELS = 1 << 27;
/** The longer side of an image that is kept to be shown. */
const MOST_SHOWN_SIDE = 256;

/** How many images are held at once: `wanted` or, of large ones, fewer, but one at least. */
export function imagesAtOnce(wanted: number, [height, width]: Shape, mostPixels = MOST_PIXELS): number {
  return Math.min(wanted, Math.max(1, Math.floor(mostPixels / (height * width))));
}

/** An image is shown by one pixel in so many of each row, and one row in so many. */
const stepOf = ([height, width]: Shape): number => Math.ceil(Math.max(height, width) / MOST_SHOWN_SIDE);

/** The shape of `shownPixels`: that of the image, unless it is large. */
export function shownShape(shape: Shape): Shape {
  const step = stepOf(shape);
  return [Math.ceil(shape[0] / step), Math.ceil(shape[1] / step)];
}

/** A copy of an image to be shown: of a large one every second pixel of every second row, or every third, and so on. */
export function shownPixels(pixels: Uint8Array, shape: Shape): Uint8Array {
  const step = stepOf(shape);
  if (step === 1) return pixels.slice();
  const [height, width] = shownShape(shape);
  const shown = new Uint8Array(height * width);
  for (let at = 0; at < shown.length; at++)
    shown[at] = pixels[Math.floor(at / width) * step * shape[1] + (at % width) * step]!;
  return shown;
}
