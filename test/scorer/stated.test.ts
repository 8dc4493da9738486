import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { decodeModel, type ModelProto } from "../../src/scorer/onnx-proto.ts";
import { statedPixels } from "../../src/scorer/stated.ts";
import { constant, node } from "./models/graph.ts";
import { linearGraph, pixels, reshape, type Part } from "./models/linear.ts";

const FLOAT = { name: "pixels", type: "float32" } as const;

const METADATA = { invert: false, transpose: false, how: "as the model's metadata says" };
const RAW = {
  scale: "raw",
  invert: null,
  transpose: null,
  how: "since the model's graph itself scales them down from 0–255",
};
const UNIT = {
  scale: "unit",
  invert: null,
  transpose: null,
  how: "since the model's graph itself normalises 0–1",
};

test.each([
  ["x/255", "unit"],
  ["x", "raw"],
  ["(x/255 − 0.1307)/0.3081", "mnist"],
  ["x/127.5 - 1", "signed"],
  ["x/255-0.5", "centered"],
  ["(x/255 - 0.2860)/0.3530", "0.286,0.353"],
])("statedPixels() reads %s in a model's metadata as %s", (value, scale) => {
  const model: ModelProto = { metadataProps: [{ key: "pixels", value }] };
  expect(statedPixels(model, FLOAT)).toEqual({ scale, ...METADATA });
});

test.each(["", "28×28", "x/256", "(x/255 - 0.5)/0", "y/255"])(
  "statedPixels() makes nothing of %j in a model's metadata",
  (value) => {
    expect(statedPixels({ metadataProps: [{ key: "pixels", value }] }, FLOAT)).toBeNull();
  },
);

test("statedPixels() of the bundled model is x/255, upright and not inverted", () => {
  const file = readFileSync(new URL("../../data/models/mnist-logreg.onnx", import.meta.url));
  expect(statedPixels(decodeModel(file), FLOAT)).toEqual({ scale: "unit", ...METADATA });
});

test.each(["uint8", "int32", "int64"] as const)("statedPixels() of a model that takes %s is x", (type) => {
  const how = "as the model takes whole numbers";
  expect(statedPixels({}, { name: "pixels", type })).toEqual({
    scale: "raw",
    invert: null,
    transpose: null,
    how,
  });
});

/** A graph that begins with these operators, each by a constant, from `pixels` to `flat`. */
function before(...steps: readonly (readonly [operator: string, by: number | readonly number[]])[]): Part {
  const names = ["pixels", ...steps.map((_, i) => (i === steps.length - 1 ? "flat" : `step${i}`))];
  return {
    nodes: steps.map(([operator], i) => node(operator, `${names[i]} by${i}`, names[i + 1]!)),
    initializers: steps.map(([, by], i) =>
      constant(`by${i}`, "float", typeof by === "number" ? [] : [by.length], [by].flat()),
    ),
  };
}

const many = (value: number): number[] =>
  Array.from({ length: 784 }, (_, i) => value + (i % 2 ? 0.05 : -0.05));

test.each([
  ["divides by 255", before(["Div", 255]), RAW],
  ["multiplies by 1/255", before(["Mul", 1 / 255]), RAW],
  ["brings 0–255 to ±1", before(["Div", 127.5], ["Sub", 1]), RAW],
  ["subtracts a mean of 0–255 and divides", before(["Sub", 33.3], ["Div", 78.6]), RAW],
  ["subtracts a mean of 0–1 and divides", before(["Sub", 0.1307], ["Div", 0.3081]), UNIT],
  ["subtracts each pixel's mean", before(["Sub", many(0.13)], ["Div", many(0.3)]), UNIT],
  ["doubles 0–1 and subtracts 1", before(["Mul", 2], ["Sub", 1]), UNIT],
  ["doubles its input", before(["Mul", 2]), null],
  ["adds to it", before(["Add", 0.5]), null],
  ["turns it round", before(["Mul", -1 / 255]), null],
  ["changes its shape alone", reshape(), null],
])("statedPixels() of a graph that %s", (_, part, expected) => {
  const model = decodeModel(linearGraph({ input: pixels(["N", 784]), before: part }));
  expect(statedPixels(model, FLOAT)).toEqual(expected);
});

const normalised = (mean: number): Part => ({
  nodes: [node("BatchNormalization", "pixels gamma beta mean variance", "flat")],
  initializers: [
    ["gamma", 7],
    ["beta", 3],
    ["mean", mean],
    ["variance", 0.1],
  ].map(([name, each]) => constant(name as string, "float", [784], many(each as number))),
});
const of = (part: Part) => statedPixels(decodeModel(linearGraph({ before: part })), FLOAT);

test("statedPixels() sees through a change of shape, and batch normalisation by its mean", () => {
  const shaped: Part = {
    nodes: [node("Reshape", "pixels shape", "shaped"), node("Div", "shaped by", "flat")],
    initializers: [constant("shape", "int64", [2], [-1, 784]), constant("by", "float", [], [255])],
  };
  expect(of(shaped)).toEqual(RAW);
  expect(of(normalised(0.13))).toEqual(UNIT);
  expect(of(normalised(33))).toEqual(RAW);
  expect(of(normalised(-0.4))).toBeNull();
});

test("statedPixels() does not believe one of two ways that the input takes", () => {
  const { nodes, initializers = [] } = before(["Div", 255]);
  const part = { nodes: [...nodes, node("Identity", "pixels", "beside")], initializers };
  expect(statedPixels(decodeModel(linearGraph({ before: part })), FLOAT)).toBeNull();
});
