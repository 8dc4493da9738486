/** Models that fix the number of images in a run, leave their sizes open, or keep their weights in another file. */
import { readFileSync } from "node:fs";

import {
  decodeModel,
  encodeModel,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "../../../src/scorer/onnx-proto.ts";
import type { Preprocessing } from "../../../src/types.ts";
import { constant, external, node, value, type Dimension } from "./graph.ts";
import { linearGraph, pixels, probabilities, reshape, type Part } from "./linear.ts";
import { flatUnit, RIGHT, type ModelFiles, type TestModel } from "./test-model.ts";

const answer = { output: "probabilities", meaning: "probabilities" } as const;
const nchw: Preprocessing = { ...flatUnit, layout: "nchw" };

function fixed(images: number): TestModel {
  const input = pixels([images, 784]);
  return {
    build: () => ({ bytes: linearGraph({ input, head: probabilities(images) }) }),
    feed: flatUnit,
    fixedBatch: images,
    answer,
    correct: RIGHT,
  };
}

/** `pixels` [images, 1, 28, 28] through a Reshape to a constant shape. */
function fixedReshape(images: number, before: Part = reshape(784, images)): TestModel {
  const input = pixels([images, 1, 28, 28]);
  return {
    build: () => ({ bytes: linearGraph({ input, before, head: probabilities(images) }) }),
    feed: nchw,
    fixedBatch: images,
    answer,
    correct: RIGHT,
  };
}

/**
 * Divides by the mean of the whole tensor, so that an image's scores hang on the others in its run: right with one
 * image a run only.
 */
const mixing: Part = {
  nodes: [
    node("ReduceMean", "pixels", "mean", { keepdims: 0 }),
    node("Div", "pixels mean", "relative"),
    node("Mul", "relative usual", "scaled"),
    node("Reshape", "scaled flat_shape", "flat"),
  ],
  initializers: [constant("usual", "float", [], [0.1307]), ...(reshape(784, 1).initializers ?? [])],
};

/**
 * The model zoo's mnist-8: a network with two convolutions, the batch of 1 in its input, output, inner shapes and the
 * Reshape before its last layer. Here with another input and batch.
 */
function zoo(input: ValueInfoProto, images: Dimension, first: readonly NodeProto[] = []): ModelFiles {
  const file = new URL("../../fixtures/models/mnist-8.onnx", import.meta.url);
  const model = decodeModel(readFileSync(file));
  const { valueInfo: _, ...graph } = model.graph ?? {};
  const reshapeTo = [typeof images === "number" ? images : -1, 256];
  const initializer = (graph.initializer ?? []).map((tensor) =>
    tensor.name === "Pooling160_Output_0_reshape0_shape"
      ? constant(tensor.name, "int64", [2], reshapeTo)
      : tensor,
  );
  const changed = {
    ...graph,
    node: [...first, ...(graph.node ?? [])],
    initializer,
    // Old exports list the weights among the inputs.
    input: [input, ...(graph.input?.slice(1) ?? [])],
    output: [value("Plus214_Output_0", "float", [images, 10])],
  };
  return { bytes: encodeModel({ ...model, graph: changed }) };
}

const zooAnswer = { output: "Plus214_Output_0", meaning: "logits" } as const;

function convolutional(images: Dimension, shape: readonly Dimension[] = [1, 28, 28]): TestModel {
  return {
    build: () => zoo(value("Input3", "float", [images, ...shape]), images),
    feed: nchw,
    ...(typeof images === "number" ? { fixedBatch: images } : {}),
    answer: zooAnswer,
    correct: [9890, 9890],
  };
}

/** No size is known, and only [n, 28, 28, 1] runs. */
const channelsLast: TestModel = {
  build: () => {
    const first = node("Transpose", "image", "Input3", { perm: [0, 3, 1, 2] });
    return zoo(value("image", "float", ["N", "H", "W", "C"]), "N", [first]);
  },
  feed: { ...flatUnit, layout: "nhwc" },
  answer: zooAnswer,
  correct: [9890, 9890],
};

function open(shape: readonly Dimension[] | undefined, images: Dimension = "N"): TestModel {
  const flat = shape?.length === 2;
  const head = probabilities(images);
  return {
    build: () => ({
      bytes: linearGraph({ input: pixels(shape), head, ...(flat ? {} : { before: reshape() }) }),
    }),
    feed: flat ? flatUnit : nchw,
    answer,
    correct: RIGHT,
  };
}

/** The weights and intercepts in `external-data.onnx.data`. */
function externalData(): ModelFiles {
  const data: Uint8Array[] = [];
  let offset = 0;
  const move = (tensor: TensorProto): TensorProto => {
    if (tensor.dataType !== 1 || tensor.rawData === undefined) return tensor;
    const moved = external(tensor, "external-data.onnx.data", offset);
    data.push(tensor.rawData);
    offset += tensor.rawData.length;
    return moved;
  };
  const bytes = linearGraph({ stored: (initializers) => initializers.map(move) });
  return { bytes, files: { "external-data.onnx.data": Uint8Array.from(Buffer.concat(data)) } };
}

export const BATCHES = {
  "fixed-1": fixed(1),
  "fixed-7": fixed(7),
  "fixed-1-reshape": fixedReshape(1),
  "fixed-7-reshape": fixedReshape(7),
  "fixed-1-mixing": { ...fixedReshape(1, mixing), indifferent: ["raw"], correct: [9184, 9188] },
  "cnn-fixed-1": convolutional(1),
  "cnn-fixed-7": convolutional(7),
  "cnn-free": convolutional("N"),
  "cnn-dynamic": convolutional("N", ["C", "H", "W"]),
  "cnn-dynamic-nhwc": channelsLast,
  "dynamic-nchw": open(["N", "C", "H", "W"]),
  "dynamic-flat": open(["batch_size", "features"], "batch_size"),
  "unnamed-dimensions": open(["", 784], ""),
  "unnamed-everything": open(["", "", "", ""], ""),
  "unknown-rank": open(undefined),
  "external-data": { build: externalData, feed: flatUnit, answer, correct: RIGHT },
} as const satisfies Record<string, TestModel>;
