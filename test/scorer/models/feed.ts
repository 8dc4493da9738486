/** Scores images with a model by what its table entry says of it, knowing nothing of how the scorer finds that out. */
import { InferenceSession, Tensor } from "onnxruntime-node";

import type { NamedScale, Preprocessing } from "../../../src/types.ts";
import type { TestModel } from "./test-model.ts";
import { fromHalf, toHalf } from "./half.ts";

export interface Images {
  /** n×28×28, 0–255. */
  readonly pixels: Uint8Array;
  /** n */
  readonly labels: Uint8Array;
}

export interface Answers {
  /** n: the class, or −1 where the scores have no largest. */
  readonly classes: Int16Array;
  /** n×10 probabilities, or null where the model gives labels only. */
  readonly probabilities: Float64Array | null;
}

const SIDE = 28;

const scales = {
  unit: (pixel: number) => pixel / 255,
  raw: (pixel: number) => pixel,
  mnist: (pixel: number) => (pixel / 255 - 0.1307) / 0.3081,
  signed: (pixel: number) => pixel / 127.5 - 1,
  centered: (pixel: number) => pixel / 255 - 0.5,
} as const;

/** Numbers in the runtime's array of a type. */
const ARRAYS = {
  float32: (numbers: Float64Array) => new Float32Array(numbers),
  float64: (numbers: Float64Array) => new Float64Array(numbers),
  float16: (numbers: Float64Array) => new Uint16Array(numbers),
  uint8: (numbers: Float64Array) => new Uint8Array(numbers),
  int32: (numbers: Float64Array) => new Int32Array(numbers),
  int64: bigints,
} as const;

/** A loop, because `BigInt64Array.from` takes five times as long. */
function bigints(numbers: Float64Array): BigInt64Array {
  const values = new BigInt64Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) values[i] = BigInt(numbers[i]!);
  return values;
}

type TypeName = keyof typeof ARRAYS;

/** Positions in a 28×28 image of the pixels that the model takes, in the order in which it takes them. */
function pixelOrder({ shape = [SIDE, SIDE], channels = 1 }: TestModel, feed: Preprocessing): number[] {
  const [height, width] = shape;
  const top = (SIDE - height) / 2;
  const left = (SIDE - width) / 2;
  const order: number[] = [];
  for (let i = 0; i < height * width; i++) {
    const [row, column] = feed.transpose
      ? [i % height, Math.floor(i / height)]
      : [Math.floor(i / width), i % width];
    order.push((row + top) * SIDE + column + left);
  }
  if (channels === 1) return order;
  if (feed.layout === "nhwc") return order.flatMap((pixel) => [pixel, pixel, pixel]);
  return [...order, ...order, ...order];
}

function dimensions(
  { shape = [SIDE, SIDE], channels = 1, sizes }: TestModel,
  feed: Preprocessing,
  n: number,
): number[] {
  if (sizes !== undefined) return [n, ...sizes];
  const [height, width] = feed.transpose ? [shape[1], shape[0]] : shape;
  const layouts = {
    flat: [n, height * width],
    nhw: [n, height, width],
    nchw: [n, channels, height, width],
    nhwc: [n, height, width, channels],
  };
  return layouts[feed.layout];
}

/** Makes a run's input: `n` images from `start` on, the last repeated where a fixed batch wants more than there are. */
function feeder(
  model: TestModel,
  feed: Preprocessing,
  type: TypeName,
  { pixels, labels }: Images,
): (start: number, n: number) => Tensor {
  const order = Uint16Array.from(pixelOrder(model, feed));
  const scaled = (pixel: number): number =>
    scales[feed.scale as NamedScale](feed.invert ? 255 - pixel : pixel);
  const table = Float64Array.from({ length: 256 }, (_, pixel) =>
    type === "float16" ? toHalf(scaled(pixel)) : scaled(pixel),
  );
  return (start, n) => {
    const values = new Float64Array(n * order.length);
    for (let i = 0; i < n; i++) {
      const image = Math.min(start + i, labels.length - 1) * SIDE * SIDE;
      for (let at = 0; at < order.length; at++)
        values[i * order.length + at] = table[pixels[image + order[at]!]!]!;
    }
    return new Tensor(type, ARRAYS[type](values) as Float32Array, dimensions(model, feed, n));
  };
}

/** The numbers of an output, n×10 or n; a string label as its position in `names`. */
function numbersOf({ type, data }: Tensor, names: readonly string[] | undefined): number[] {
  if (type === "string") return (data as string[]).map((label) => names?.indexOf(label) ?? -1);
  // Newer versions of Node have an array for float16, and the runtime then gives that.
  if (type === "float16" && data instanceof Uint16Array) return Array.from(data, fromHalf);
  return Array.from(data as Float32Array, Number);
}

/** One image's ten numbers as probabilities. */
function probabilitiesOf(scores: readonly number[], meaning: TestModel["answer"]["meaning"]): number[] {
  const largest = Math.max(...scores);
  const weights =
    meaning === "logits" || meaning === "log-probabilities"
      ? scores.map((score) => Math.exp(score - largest))
      : scores;
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function largestOf(scores: readonly number[]): number {
  return scores.some(Number.isNaN) ? -1 : scores.indexOf(Math.max(...scores));
}

const RUN = 1000;

/** Scores all images. */
export async function answers(
  session: InferenceSession,
  model: TestModel,
  images: Images,
  feed = model.feed,
): Promise<Answers> {
  const [input] = session.inputMetadata;
  if (!input?.isTensor) throw new Error("the model has no tensor for its input");
  const n = images.labels.length;
  const { output, meaning, names } = model.answer;
  const classes = new Int16Array(n);
  const probabilities = meaning === "labels" ? null : new Float64Array(n * 10);
  const step = model.fixedBatch ?? Math.min(RUN, n);
  const tensorOf = feeder(model, feed, input.type as TypeName, images);
  for (let start = 0; start < n; start += step) {
    const tensor = tensorOf(start, step);
    const result = (await session.run({ [input.name]: tensor }, [output]))[output];
    if (result === undefined) throw new Error(`the model has no output ${output}`);
    const numbers = numbersOf(result, names);
    for (let image = start; image < Math.min(n, start + step); image++) {
      const at = image - start;
      const scores = numbers.slice(at * 10, at * 10 + 10);
      classes[image] = probabilities ? largestOf(scores) : numbers[at]!;
      probabilities?.set(probabilitiesOf(scores, meaning), image * 10);
    }
  }
  return { classes, probabilities };
}

export function correct(classes: ArrayLike<number>, labels: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < labels.length; i++) if (classes[i] === labels[i]) count++;
  return count;
}

/** Mean −log of the true class's probability, none taken for less than float32's smallest step below 1. */
export function logLoss(probabilities: Float64Array, labels: Uint8Array): number {
  let sum = 0;
  labels.forEach((label, i) => {
    sum -= Math.log(Math.max(probabilities[i * 10 + label]!, 2 ** -24));
  });
  return sum / labels.length;
}
