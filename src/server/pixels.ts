import { firstThat, placeOf } from "../scorer/protocols/images.ts";
import { RequestError, type Numbers, type ServedModel } from "../scorer/protocols/service.ts";
import { scaling } from "../scorer/scales.ts";
import type { Scale } from "../types.ts";

export interface PixelOptions {
  readonly scale: Scale;
  /** 255 − x first. */
  readonly invert: boolean;
}

const isPixel = (value: number): boolean => value >= 0 && value <= 255 && Number.isInteger(value);

/**
 * Makes the numbers of a request what the model takes: pixels are scaled in place, anything else is taken as it comes.
 *
 * @throws RequestError that names the row and column of a number that is no pixel, where pixels are meant
 */
export function prepare(
  images: Numbers,
  arePixels: boolean,
  model: ServedModel,
  options: PixelOptions,
): void {
  if (!arePixels && !model.whole) return;
  const wrong = firstThat(images, isPixel);
  if (wrong !== null) {
    const whose = arePixels ? "pixels are" : "the model takes";
    throw new RequestError(
      400,
      `${placeOf(wrong.at, model)} is ${wrong.value}, but ${whose} whole numbers from 0 to 255`,
    );
  }
  const scale = scaling(model.whole ? "raw" : options.scale);
  const table = Float64Array.from({ length: 256 }, (_, x) => scale(options.invert ? 255 - x : x));
  for (const block of images.blocks) for (let i = 0; i < block.length; i++) block[i] = table[block[i]!]!;
}
