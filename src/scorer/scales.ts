import type { NamedScale, Scale } from "../types.ts";

/** How a pixel of 0–255 becomes the number that a model takes. One entry a named value of `--scale`. */
export const SCALES = {
  unit: (pixel) => pixel / 255,
  raw: (pixel) => pixel,
  mnist: (pixel) => (pixel / 255 - 0.1307) / 0.3081,
  signed: (pixel) => pixel / 127.5 - 1,
  centered: (pixel) => pixel / 255 - 0.5,
} as const satisfies Record<NamedScale, (pixel: number) => number>;

export const SCALE_NAMES = Object.keys(SCALES) as NamedScale[];

/** A scale by its name, or as MEAN,STD in units of x/255; null for anything else. */
export function parseScale(text: string): Scale | null {
  if (Object.hasOwn(SCALES, text)) return text as NamedScale;
  const numbers = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  const [mean, deviation] = numbers;
  if (numbers.length !== 2 || !Number.isFinite(mean) || !Number.isFinite(deviation) || deviation! <= 0)
    return null;
  return `${mean!},${deviation!}`;
}

/** What a scale makes of a pixel. */
export function scaling(scale: Scale): (pixel: number) => number {
  if (Object.hasOwn(SCALES, scale)) return SCALES[scale as NamedScale];
  const [mean, deviation] = scale.split(",").map(Number);
  return (pixel) => (pixel / 255 - mean!) / deviation!;
}
