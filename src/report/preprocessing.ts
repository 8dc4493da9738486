import type { Evaluation, Layout, NamedScale, PixelChoice, Preflight, Resize, Scale } from "../types.ts";
import { decimal } from "./format.ts";

const FORMULAS = {
  unit: "x/255",
  raw: "x",
  mnist: "(x/255 − 0.1307)/0.3081",
  signed: "x/127.5 − 1",
  centered: "x/255 − 0.5",
} as const satisfies Record<NamedScale, string>;
const LAYOUTS = {
  flat: "[n, h·w]",
  nhw: "[n, h, w]",
  nchw: "[n, 1, h, w]",
  nhwc: "[n, h, w, 1]",
} as const satisfies Record<Layout, string>;
const RESIZED = {
  pad: "The images were padded with black, or cut,",
  bilinear: "The images were resized, bilinearly,",
} as const satisfies Record<Exclude<Resize, "none">, string>;
/** Below this, a log loss is shown with a digit more. */
const SMALL_LOSS = 0.1;

/** `unit`, `inverted and transposed raw`. */
export function wayName({ scale, invert, transpose }: PixelChoice): string {
  const changes = [...(invert ? ["inverted"] : []), ...(transpose ? ["transposed"] : [])];
  return changes.length === 0 ? scale : `${changes.join(" and ")} ${scale}`;
}

/** `x/255 (unit)`, `x (inverted and transposed raw)`. */
export function wayText(choice: PixelChoice): string {
  return `${formula(choice.scale)} (${wayName(choice)})`;
}

function formula(scale: Scale): string {
  if (Object.hasOwn(FORMULAS, scale)) return FORMULAS[scale as NamedScale];
  const [mean = 0, deviation] = scale.split(",").map(Number);
  return `(x/255 ${mean < 0 ? "+" : "−"} ${Math.abs(mean)})/${deviation}`;
}

/** The options that fix a way to feed the pixels: `--scale mnist --invert`; empty for x/255. */
export function pinningOptions({ scale, invert, transpose }: PixelChoice): string {
  const plain = scale === "unit" && !invert && !transpose;
  return plain ? "" : `--scale ${scale}${invert ? " --invert" : ""}`;
}

/** How pixels were handed to the model, and how that was found, in two sentences. */
export function preprocessingText({ scorer, preflight }: Pick<Evaluation, "scorer" | "preflight">): string {
  const { preprocessing } = scorer;
  const fed = preflight?.statement ?? `Pixels as ${wayText(preprocessing)}`;
  const { resize, layout } = preprocessing;
  const sized = resize === undefined ? "" : `${RESIZED[resize.method]} to ${resize.to.join("×")}. `;
  return `${fed}. ${sized}Their layout is ${LAYOUTS[layout]} (${layout}).`;
}

export function lossText(value: number | null): string {
  return decimal(value, value !== null && value < SMALL_LOSS ? 3 : 2);
}

/** Whether ways were tried on the scored images themselves. */
export function isOnScored({ candidates }: Preflight): boolean {
  return candidates.some(({ on }) => on === "scored images");
}

export function isChosen({ chosen }: Preflight, { scale, invert, transpose }: PixelChoice): boolean {
  return chosen.scale === scale && chosen.invert === invert && chosen.transpose === transpose;
}
