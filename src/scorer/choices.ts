import type { PixelChoice } from "../types.ts";
import type { InputPlan } from "./adapter.ts";
import { ELEMENTS } from "./elements.ts";
import { SCALE_NAMES } from "./scales.ts";

/** The ways of feeding pixels that make sense. Unit first, being the most common; whole numbers are pixels as they are. */
export function choicesFor({ type, turned }: Pick<InputPlan, "type" | "turned">): PixelChoice[] {
  const scales = ELEMENTS[type].fractional ? SCALE_NAMES : (["raw"] as const);
  const sides = turned ? [true] : [false, true];
  return sides.flatMap((transpose) =>
    [false, true].flatMap((invert) => scales.map((scale) => ({ scale, invert, transpose }))),
  );
}

/** Another one for every way to feed pixels. */
export function choiceKey({ scale, invert, transpose }: PixelChoice): string {
  return `${scale} ${invert} ${transpose}`;
}
