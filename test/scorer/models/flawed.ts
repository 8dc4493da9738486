/** Models that run, and whose numbers must not be believed without a word of warning. */
import { seededRandom } from "../../../src/random.ts";
import { constant, node, value } from "./graph.ts";
import { bundled, linearGraph, logitNodes, three, type Head, type Linear } from "./linear.ts";
import { flatUnit, type Flaw, type TestModel } from "./test-model.ts";

const answer = { output: "probabilities", meaning: "probabilities" } as const;

function flawed(flaw: Flaw, correct: TestModel["correct"], linear: Linear, head?: Head): TestModel {
  return {
    build: () => ({ bytes: linearGraph({ linear, ...(head ? { head } : {}) }) }),
    feed: flatUnit,
    answer,
    correct,
    flaw,
  };
}

/** `PERMUTATION[k]` is the class whose score stands in column k. */
export const PERMUTATION = [3, 0, 8, 1, 9, 2, 4, 7, 5, 6] as const;

function rows(order: readonly number[]): Linear {
  return {
    weights: Float64Array.from({ length: 7840 }, (_, i) => {
      return bundled.weights[order[Math.floor(i / 784)]! * 784 + (i % 784)]!;
    }),
    intercepts: Float64Array.from(order, (k) => bundled.intercepts[k]!),
  };
}

/** The right classes, each with a confidence of 1 however it is fed. */
const steep: Head = {
  nodes: [node("Mul", "scores steepness", "logits"), node("Softmax", "logits", "probabilities", { axis: 1 })],
  initializers: [constant("steepness", "float", [], [400])],
  outputs: [value("probabilities", "float", ["N", 10])],
};

/** Adds 0·log(Σ pixels − 60), which is no number where an image has little ink. */
const notANumber: Head = {
  nodes: [
    node("ReduceSum", "pixels pixel_axis", "ink", { keepdims: 1 }),
    node("Sub", "ink least", "surplus"),
    node("Log", "surplus", "logarithm"),
    node("Mul", "logarithm zero", "nothing"),
    ...logitNodes,
    node("Add", "logits nothing", "sum"),
    node("Softmax", "sum", "probabilities", { axis: 1 }),
  ],
  initializers: [
    constant("pixel_axis", "int64", [1], [1]),
    constant("least", "float", [], [60]),
    constant("zero", "float", [], [0]),
    three,
  ],
  outputs: [value("probabilities", "float", ["N", 10])],
};

/** Divides each score by the image's top left pixel, which is 0. */
const infinite: Head = {
  nodes: [node("Slice", "pixels from to axis", "corner"), node("Div", "scores corner", "logits")],
  initializers: [
    constant("from", "int64", [1], [0]),
    constant("to", "int64", [1], [1]),
    constant("axis", "int64", [1], [1]),
  ],
  outputs: [value("logits", "float", ["N", 10])],
};

const always3: Linear = {
  weights: new Float64Array(7840),
  intercepts: Float64Array.from({ length: 10 }, (_, k) => (k === 3 ? 1 : -1)),
};

const never8: Linear = {
  weights: bundled.weights,
  intercepts: bundled.intercepts.map((intercept, k) => (k === 8 ? intercept - 60 : intercept)),
};

function untrained(): Linear {
  const random = seededRandom(7);
  return {
    weights: Float64Array.from({ length: 7840 }, () => (random.below(2001) - 1000) / 20_000),
    intercepts: new Float64Array(10),
  };
}

export const FLAWED = {
  permuted: flawed("permuted classes", [1058, 1062], rows(PERMUTATION)),
  saturated: flawed("saturated", [9200, 9204], bundled, steep),
  "not-a-number": flawed("not a number", [8356, 8360], bundled, notANumber),
  infinite: {
    ...flawed("not a number", [8600, 8760], bundled, infinite),
    answer: { output: "logits", meaning: "logits" },
  },
  constant: flawed("constant prediction", [1010, 1010], always3),
  "never-8": flawed("class never predicted", [8418, 8422], never8),
  untrained: flawed("at chance", [690, 712], untrained()),
} as const satisfies Record<string, TestModel>;
