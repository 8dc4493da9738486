import { readFileSync } from "node:fs";
import { decodeModel } from "../../src/scorer/onnx-proto.ts";
import { scaling } from "../../src/scorer/scales.ts";
import type { Batch, NamedScale, PixelChoice, Scores } from "../../src/types.ts";

/** n numbers an image, as a model's input holds them, → one number a class. */
export type Model = (pixels: Float64Array) => number[];

const SIDE = 28;

/** How a pixel of 0–255 becomes a model's input. */
export const scaled: Readonly<Record<NamedScale, (pixel: number) => number>> = {
  unit: (x) => x / 255,
  raw: (x) => x,
  mnist: (x) => (x / 255 - 0.1307) / 0.3081,
  signed: (x) => x / 127.5 - 1,
  centered: (x) => x / 255 - 0.5,
};

/** Back from a model's input to 0–1. */
const unscaled: Readonly<Record<NamedScale, (input: number) => number>> = {
  unit: (x) => x,
  raw: (x) => x / 255,
  mnist: (x) => x * 0.3081 + 0.1307,
  signed: (x) => (x + 1) / 2,
  centered: (x) => x + 0.5,
};

const NAMES = Object.keys(scaled) as NamedScale[];

export const CHOICES: readonly PixelChoice[] = [false, true].flatMap((transpose) =>
  NAMES.flatMap((scale) => [false, true].map((invert) => ({ scale, invert, transpose }))),
);

/** Rows and columns exchanged. */
export function turned(pixels: Float64Array): Float64Array {
  return pixels.map((_, at) => pixels[(at % SIDE) * SIDE + Math.floor(at / SIDE)]!);
}

/** The weights of the bundled model. */
function bundled(): { weights: Float32Array; intercepts: Float32Array } {
  const file = readFileSync(new URL("../../data/models/mnist-logreg.onnx", import.meta.url));
  const tensors = decodeModel(file).graph?.initializer ?? [];
  const floats = (name: string): Float32Array => {
    const raw = tensors.find((tensor) => tensor.name === name)?.rawData;
    if (raw === undefined) throw new Error(`the bundled model has no tensor ${name}`);
    return new Float32Array(Uint8Array.from(raw).buffer);
  };
  return { weights: floats("weights"), intercepts: floats("intercepts") };
}

const { weights, intercepts } = bundled();

/** The bundled model's scores w·x + b of pixels in 0–1. */
export const logits: Model = (pixels) =>
  Array.from(intercepts, (intercept, c) => intercept + dot(pixels, c * pixels.length));

/** They without b, so that a hundredfold x gives hundredfold scores. */
export const unbiased: Model = (pixels) => Array.from(intercepts, (_, c) => dot(pixels, c * pixels.length));

function dot(pixels: Float64Array, offset: number): number {
  let sum = 0;
  for (let at = 0; at < pixels.length; at++) sum += pixels[at]! * weights[offset + at]!;
  return sum;
}

export function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

export const probabilities: Model = (pixels) => softmax(logits(pixels));

/** A model that was trained on pixels of one scaling, polarity and orientation. */
export function trainedOn(
  scale: NamedScale,
  { invert = false, transpose = false, model = probabilities } = {},
): Model {
  return (pixels) => {
    const unit = pixels.map((x) => (invert ? 1 - unscaled[scale](x) : unscaled[scale](x)));
    return model(transpose ? turned(unit) : unit);
  };
}

export interface Scoring {
  (choice: PixelChoice, batch: Batch): Promise<Scores>;
  /** Images that were scored. */
  images(): number;
}

/** A scorer that feeds a model as each choice says. */
export function scorerOf(model: Model, { labelsOnly = false } = {}): Scoring {
  let images = 0;
  const score = async ({ scale, invert, transpose }: PixelChoice, batch: Batch): Promise<Scores> => {
    const input = scaling(scale);
    const rows = Array.from(batch.labels, (_, i) => {
      const image = Float64Array.from(
        batch.pixels.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE),
        (pixel) => input(invert ? 255 - pixel : pixel),
      );
      return model(transpose ? turned(image) : image);
    });
    images += rows.length;
    return await Promise.resolve({
      labels: Uint8Array.from(rows, (row) => Math.max(0, row.indexOf(Math.max(...row)))),
      probabilities: labelsOnly ? null : Float32Array.from(rows.flat()),
    });
  };
  return Object.assign(score, { images: () => images });
}
