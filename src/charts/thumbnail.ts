import { constants, deflateSync } from "node:zlib";
import type { Example } from "../types.ts";
import { GREYSCALE, linesOf, png } from "./png.ts";

// Runs are found alike on every processor, which the search for longer matches is not, and need little memory.
const SETTINGS = { strategy: constants.Z_RLE, windowBits: 9, memLevel: 1 };

/**
 * An image as a data URI of a greyscale PNG, one pixel a pixel.
 * @param inverted false: pixels of 255 are black on white, as ink on paper; true: white on black
 */
export function thumbnail(
  example: Pick<Example, "pixels">,
  shape: readonly [number, number],
  inverted: boolean,
): string {
  const [height, width] = shape;
  const pixels = Buffer.from(example.pixels, "base64");
  const shades = Uint8Array.from(pixels, (value) => (inverted ? value : 255 - value));
  const compressed = deflateSync(linesOf(shades, width), SETTINGS);
  const file = png(width, height, GREYSCALE, compressed);
  return `data:image/png;base64,${Buffer.from(file).toString("base64")}`;
}
