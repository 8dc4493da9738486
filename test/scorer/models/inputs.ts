/** Models that take their pixels in other types, shapes, scales and polarities, and answer as the bundled one. */
import type { Layout, Preprocessing } from "../../../src/types.ts";
import { constant, graph, node, value, type ElementName } from "./graph.ts";
import {
  bundled,
  columns,
  fedWith,
  linearGraph,
  pixels,
  probabilities,
  reshape,
  type Linear,
} from "./linear.ts";
import { flatUnit, RIGHT, ROUNDED, type TestModel } from "./test-model.ts";

const answer = { output: "probabilities", meaning: "probabilities" } as const;

const shapes = {
  flat: ["N", 784],
  nhw: ["N", 28, 28],
  nchw: ["N", 1, 28, 28],
  nhwc: ["N", 28, 28, 1],
} as const satisfies Record<Layout, unknown>;

/** Whole numbers 0–255, divided inside. */
function wholeNumbers(element: ElementName, layout: "flat" | "nhwc" = "flat"): TestModel {
  const shaped = reshape();
  const before = {
    nodes: [
      node("Cast", "pixels", "cast", { to: 1 }), // 1: float
      node("Div", "cast white", "divided"),
      node("Reshape", "divided flat_shape", "flat"),
    ],
    initializers: [constant("white", "float", [], [255]), ...(shaped.initializers ?? [])],
  };
  return {
    build: () => ({ bytes: linearGraph({ input: value("pixels", element, shapes[layout]), before }) }),
    feed: { ...flatUnit, layout, scale: "raw" },
    answer,
    correct: RIGHT,
  };
}

/** Weights, arithmetic and output in another floating-point type. */
function floatingPoint(element: "float16" | "double", correct: TestModel["correct"]): TestModel {
  const bytes = (): Uint8Array =>
    graph({
      inputs: [value("pixels", element, ["N", 784])],
      nodes: [node("Gemm", "pixels weights intercepts", "scores", { transB: 1 }), ...probabilities().nodes],
      initializers: [
        constant("weights", element, [10, 784], bundled.weights),
        constant("intercepts", element, [10], bundled.intercepts),
        ...(probabilities().initializers ?? []),
      ],
      outputs: [value("probabilities", element, ["N", 10])],
    });
  return { build: () => ({ bytes: bytes() }), feed: flatUnit, answer, correct };
}

function laidOut(feed: Partial<Preprocessing>, linear?: Linear): TestModel {
  const full = { ...flatUnit, ...feed };
  const { layout, scale } = full;
  return {
    build: () => ({
      bytes: linearGraph({
        linear: linear ?? fedWith(full),
        input: pixels(shapes[layout]),
        ...(layout === "flat" ? {} : { before: reshape() }),
      }),
    }),
    feed: full,
    answer,
    correct: scale === "unit" && !full.invert && !full.transpose ? RIGHT : ROUNDED,
  };
}

const each784 = Array.from({ length: 784 }, (_, i) => i);

function threeChannels(layout: "nchw" | "nhwc"): TestModel {
  const nchw = layout === "nchw";
  const order = nchw
    ? [...each784, ...each784, ...each784]
    : each784.flatMap((pixel) => [pixel, pixel, pixel]);
  const shape = nchw ? ["N", 3, 28, 28] : ["N", 28, 28, 3];
  return {
    build: () => ({
      bytes: linearGraph({
        linear: columns(bundled, order, 3),
        input: pixels(shape),
        before: reshape(3 * 784),
      }),
    }),
    feed: { ...flatUnit, layout },
    channels: 3,
    answer,
    correct: ROUNDED,
  };
}

/** Its first layer normalizes what the training set's raw pixels were: x → (x − 33.3285) / 78.5655. */
const batchNormFirst: TestModel = {
  build: () => {
    const normalized = reshape();
    return {
      bytes: linearGraph({
        linear: fedWith({ scale: "mnist", invert: false, transpose: false }),
        input: pixels(["N", 1, 28, 28]),
        opset: 15,
        before: {
          nodes: [
            node("BatchNormalization", "pixels gamma beta mean variance", "normalized"),
            node("Reshape", "normalized flat_shape", "flat"),
          ],
          initializers: [
            ...(normalized.initializers ?? []),
            constant("gamma", "float", [1], [1]),
            constant("beta", "float", [1], [0]),
            constant("mean", "float", [1], [0.1307 * 255]),
            constant("variance", "float", [1], [(0.3081 * 255) ** 2]),
          ],
        },
      }),
    };
  },
  feed: { ...flatUnit, scale: "raw", layout: "nchw" },
  answer,
  correct: ROUNDED,
};

/** Stretches each image to 0–1 by its own darkest and brightest pixel, so that no scale can be wrong. */
const scaleInvariant: TestModel = {
  build: () => ({
    bytes: linearGraph({
      before: {
        nodes: [
          node("ReduceMin", "pixels", "darkest", { axes: [1], keepdims: 1 }),
          node("ReduceMax", "pixels", "brightest", { axes: [1], keepdims: 1 }),
          node("Sub", "pixels darkest", "lifted"),
          node("Sub", "brightest darkest", "contrast"),
          node("Div", "lifted contrast", "flat"),
        ],
      },
    }),
  }),
  feed: flatUnit,
  indifferent: ["raw", "mnist", "signed", "centered"],
  answer,
  correct: [9201, 9205],
};

/** For images of 20 rows and 28 columns: MNIST's without the four rows above and below, which hold few strokes. */
function rectangle(layout: "nchw" | "nhw", transpose: boolean): TestModel {
  const rows = Array.from({ length: 20 }, (_, row) => row + 4);
  const order = transpose
    ? Array.from({ length: 28 }, (_, column) => rows.map((row) => row * 28 + column)).flat()
    : rows.flatMap((row) => Array.from({ length: 28 }, (_, column) => row * 28 + column));
  const size = transpose ? [28, 20] : [20, 28];
  return {
    build: () => ({
      bytes: linearGraph({
        linear: columns(bundled, order),
        input: pixels(layout === "nchw" ? ["N", 1, ...size] : ["N", ...size]),
        before: reshape(560),
      }),
    }),
    feed: { ...flatUnit, layout, transpose },
    shape: [20, 28],
    answer,
    correct: [9035, 9039],
  };
}

/** A flat image with dimensions of 1 around it, as VNN-COMP's networks take theirs. */
function amongOnes(batch: "N" | 1, ...sizes: readonly number[]): TestModel {
  return {
    build: () => ({ bytes: linearGraph({ input: pixels([batch, ...sizes]), before: reshape() }) }),
    feed: flatUnit,
    sizes,
    ...(batch === 1 ? { fixedBatch: 1 } : {}),
    answer,
    correct: RIGHT,
  };
}

export const INPUTS = {
  "flat-column": amongOnes("N", 784, 1),
  "flat-column-of-one": amongOnes(1, 784, 1),
  "flat-among-ones": amongOnes(1, 1, 1, 784),
  uint8: wholeNumbers("uint8"),
  "nhwc-uint8": wholeNumbers("uint8", "nhwc"),
  int32: wholeNumbers("int32"),
  int64: wholeNumbers("int64"),
  float16: floatingPoint("float16", [9196, 9206]),
  float64: floatingPoint("double", ROUNDED),
  raw: laidOut({ scale: "raw" }),
  "nchw-unit": laidOut({ layout: "nchw" }),
  "nhw-unit": laidOut({ layout: "nhw" }),
  "nhwc-raw": laidOut({ layout: "nhwc", scale: "raw" }),
  signed: laidOut({ scale: "signed" }),
  "nchw-mnist": laidOut({ layout: "nchw", scale: "mnist" }),
  inverted: laidOut({ invert: true }),
  "inverted-raw": laidOut({ invert: true, scale: "raw" }),
  transposed: laidOut({ layout: "nhw", transpose: true }),
  "three-channels": threeChannels("nchw"),
  "three-channels-last": threeChannels("nhwc"),
  "batch-norm-first": batchNormFirst,
  "scale-invariant": scaleInvariant,
  rectangle: rectangle("nchw", false),
  "rectangle-transposed": rectangle("nhw", true),
} as const satisfies Record<string, TestModel>;
