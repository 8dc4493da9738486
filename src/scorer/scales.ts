import type { Scale } from "../types.ts";

/** How a pixel of 0–255 becomes the number that a model takes. One entry a value of `--scale`. */
export const SCALES = {
  unit: (pixel) => pixel / 255,
  raw: (pixel) => pixel,
  mnist: (pixel) => (pixel / 255 - 0.1307) / 0.3081,
  signed: (pixel) => pixel / 127.5 - 1,
} as const satisfies Record<Scale, (pixel: number) => number>;
