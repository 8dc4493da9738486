import type { Images } from "../images.ts";
import type { Deployment } from "../service.ts";

const SCALES = {
  unit: (pixel: number) => Math.fround(pixel / 255),
  raw: (pixel: number) => pixel,
  // torchvision's ToTensor and Normalize, each in float32.
  mnist: (pixel: number) =>
    Math.fround(Math.fround(Math.fround(pixel / 255) - Math.fround(0.1307)) / Math.fround(0.3081)),
};

/** Pixels of 0–255 as the model takes them, in a service that takes bytes and scales them itself. */
export function scaledImages(pixels: ArrayLike<number>, n: number, { scale }: Deployment): Images {
  const table = Float64Array.from({ length: 256 }, (_, pixel) => SCALES[scale](pixel));
  const values = new Float64Array(pixels.length);
  for (let i = 0; i < values.length; i++) values[i] = table[pixels[i]! & 255]!;
  return { n, values };
}
