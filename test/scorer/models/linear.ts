/** The bundled model's weights, rewritten for other pixels, and put into other models. */
import { readFileSync } from "node:fs";

import { bundledModel } from "../../../src/scorer/open.ts";
import { decodeModel, type NodeProto, type TensorProto } from "../../../src/scorer/onnx-proto.ts";
import type { ValueInfoProto } from "../../../src/scorer/onnx-proto.ts";
import type { NamedScale, PixelChoice } from "../../../src/types.ts";
import { constant, graph, node, value, type Dimension, type Graph } from "./graph.ts";

/** Ten one-vs-rest scores of 784 pixels: w·x + c. */
export interface Linear {
  /** 10×pixels, row-major. */
  readonly weights: Float64Array;
  /** 10 */
  readonly intercepts: Float64Array;
}

const PIXELS = 784;

function readBundled(): Linear {
  const { graph } = decodeModel(readFileSync(bundledModel));
  const values = (name: string): Float64Array => {
    const raw = graph?.initializer?.find((tensor) => tensor.name === name)?.rawData;
    if (raw === undefined) throw new Error(`the bundled model has no ${name}`);
    return Float64Array.from(new Float32Array(raw.buffer, raw.byteOffset, raw.length / 4));
  };
  return { weights: values("weights"), intercepts: values("intercepts") };
}

/** As bundled: for pixels in 0–1. */
export const bundled: Linear = readBundled();

/** Each scale as x ↦ slope·x + offset of a pixel in 0–1. */
const AFFINE = {
  unit: [1, 0],
  raw: [255, 0],
  mnist: [1 / 0.3081, -0.1307 / 0.3081],
  signed: [2, -1],
  centered: [1, -0.5],
} as const satisfies Record<NamedScale, readonly [slope: number, offset: number]>;

/** The same scores from pixels that are fed another way. */
export function fedWith({ scale, invert, transpose }: PixelChoice): Linear {
  const [slope, offset] = AFFINE[scale as NamedScale];
  // Inverted, x' = slope·(1 − x) + offset.
  const [by, plus] = invert ? [-slope, slope + offset] : [slope, offset];
  const weights = new Float64Array(bundled.weights.length);
  const intercepts = Float64Array.from(bundled.intercepts);
  for (let k = 0; k < 10; k++) {
    for (let pixel = 0; pixel < PIXELS; pixel++) {
      const at = transpose ? (pixel % 28) * 28 + Math.floor(pixel / 28) : pixel;
      const weight = bundled.weights[k * PIXELS + pixel]! / by;
      weights[k * PIXELS + at] = weight;
      intercepts[k]! -= weight * plus;
    }
  }
  return { weights, intercepts };
}

/** Some of the pixels, each as often as `columns` names it, with its weight divided by `share`. */
export function columns({ weights, intercepts }: Linear, columns: readonly number[], share = 1): Linear {
  const width = weights.length / 10;
  const taken = columns.length;
  return {
    weights: Float64Array.from(
      { length: 10 * taken },
      (_, i) => weights[Math.floor(i / taken) * width + columns[i % taken]!]! / share,
    ),
    intercepts,
  };
}

/** What stands between the input and the scores, or between the scores and the outputs. */
export interface Part {
  readonly nodes: readonly NodeProto[];
  readonly initializers?: readonly TensorProto[];
}

/** From `scores` [n, 10] to the outputs. */
export interface Head extends Part {
  readonly outputs: readonly ValueInfoProto[];
}

export interface LinearGraph extends Pick<Graph, "opset" | "irVersion" | "producer"> {
  readonly linear?: Linear;
  readonly input?: ValueInfoProto;
  /** From `pixels` to `flat` [n, pixels]; without it the input is taken as it is. */
  readonly before?: Part;
  readonly head?: Head;
  /** Last word on the constants, such as where their values are. */
  readonly stored?: (initializers: readonly TensorProto[]) => readonly TensorProto[];
}

/** A float input of this shape. */
export const pixels = (shape?: readonly Dimension[]): ValueInfoProto => value("pixels", "float", shape);

/** `pixels` of any shape → `flat` [n, width]. */
export function reshape(width = PIXELS, images = -1): Part {
  return {
    nodes: [node("Reshape", "pixels flat_shape", "flat")],
    initializers: [constant("flat_shape", "int64", [2], [images, width])],
  };
}

/** A model with one matrix product: input → before → w·x + c → head. */
export function linearGraph(given: LinearGraph = {}): Uint8Array {
  const {
    linear = bundled,
    input = pixels(["N", PIXELS]),
    before,
    head = probabilities(),
    stored,
    ...rest
  } = given;
  const width = linear.weights.length / 10;
  const initializers = [
    constant("weights", "float", [10, width], linear.weights),
    constant("intercepts", "float", [10], linear.intercepts),
    ...(before?.initializers ?? []),
    ...(head.initializers ?? []),
  ];
  const flat = before ? "flat" : "pixels";
  return graph({
    inputs: [input],
    nodes: [
      ...(before?.nodes ?? []),
      node("Gemm", `${flat} weights intercepts`, "scores", { transB: 1 }),
      ...head.nodes,
    ],
    initializers: stored ? stored(initializers) : initializers,
    outputs: head.outputs,
    ...rest,
  });
}

/** Sigmoids of the scores divided by their sum, which the bundled model computes in another way. `images` is the outputs' first dimension. */
export function probabilities(images: Dimension = "N"): Head {
  return {
    nodes: [
      node("Sigmoid", "scores", "sigmoids"),
      node("ReduceSum", "sigmoids class_axis", "sums", { keepdims: 1 }),
      node("Div", "sigmoids sums", "probabilities"),
    ],
    initializers: [constant("class_axis", "int64", [1], [1])],
    outputs: [value("probabilities", "float", [images, 10])],
  };
}

/** `logits` whose softmax is the bundled model's answer: log sigmoid(score) = −softplus(−score), plus 3 to have both signs. */
export const logitNodes: readonly NodeProto[] = [
  node("Neg", "scores", "negated"),
  node("Softplus", "negated", "softplus"),
  node("Sub", "three softplus", "logits"),
];
export const three: TensorProto = constant("three", "float", [], [3]);
