/** Models that take their pixels as the bundled one, and answer in other forms. */
import { seededRandom } from "../../../src/random.ts";
import { constant, mapsValue, ML, node, strings, value } from "./graph.ts";
import {
  fedWith,
  linearGraph,
  logitNodes,
  pixels,
  probabilities,
  reshape,
  three,
  type Head,
  type LinearGraph,
} from "./linear.ts";
import { flatUnit, RIGHT, ROUNDED, type TestModel } from "./test-model.ts";

type Answer = TestModel["answer"];

function answering(answer: Answer, head: Head, given: LinearGraph = {}): TestModel {
  return {
    build: () => ({ bytes: linearGraph({ ...given, head }) }),
    feed: flatUnit,
    answer,
    correct: RIGHT,
  };
}

const scored = (name: string) => value(name, "float", ["N", 10]);
const labelled = value("label", "int64", ["N"]);
const argMax = node("ArgMax", "scores", "label", { axis: 1, keepdims: 0 });
const digits = Array.from("0123456789");
const words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const numbers = Array.from({ length: 10 }, (_, i) => i);

const logits: Head = { nodes: logitNodes, initializers: [three], outputs: [scored("logits")] };

/** The logits and one more node that makes `output` of them. */
function fromLogits(operator: string, output: string): Head {
  return {
    ...logits,
    nodes: [...logitNodes, node(operator, "logits", output, { axis: 1 })],
    outputs: [scored(output)],
  };
}

const logSoftmax = fromLogits("LogSoftmax", "log_probabilities");
const softmax = fromLogits("Softmax", "probabilities");

/** A logarithm of −Infinity where the probability is too small for float32. */
const logOfSoftmax: Head = {
  nodes: [
    node("Mul", "scores steepness", "steep"),
    node("Softmax", "steep", "softmax", { axis: 1 }),
    node("Log", "softmax", "log_probabilities"),
  ],
  initializers: [constant("steepness", "float", [], [8])],
  outputs: [scored("log_probabilities")],
};

const labelEncoder = (names: readonly string[], to: string) =>
  node("LabelEncoder", "index", to, { keys_int64s: numbers, values_strings: names }, ML);
const argMaxIndex = node("ArgMax", "scores", "index", { axis: 1, keepdims: 0 });

function stringLabel(names: readonly string[]): Head {
  return {
    nodes: [argMaxIndex, labelEncoder(names, "label")],
    outputs: [value("label", "string", ["N"])],
  };
}

const gatheredLabel: Head = {
  nodes: [argMaxIndex, node("Gather", "names index", "label")],
  initializers: [strings("names", words)],
  outputs: [value("label", "string", ["N"])],
};

function zipMap(keys: "int64" | "string"): Head {
  const { nodes, initializers = [] } = probabilities();
  const names = keys === "int64" ? { classlabels_int64s: numbers } : { classlabels_strings: digits };
  return {
    nodes: [
      ...nodes,
      ...(keys === "int64" ? [argMax] : [argMaxIndex, labelEncoder(digits, "label")]),
      node("ZipMap", "probabilities", "maps", names, ML),
    ],
    initializers,
    outputs: [value("label", keys, ["N"]), mapsValue("maps", keys)],
  };
}

/** scikit-learn sorts its classes, which stand in another order in the data set. */
function sortedZipMap(): Head {
  const { nodes, initializers = [] } = probabilities();
  const sorted = words.toSorted();
  return {
    nodes: [
      ...nodes,
      argMaxIndex,
      labelEncoder(words, "label"),
      node("Gather", "probabilities sorted", "columns", { axis: 1 }),
      node("ZipMap", "columns", "maps", { classlabels_strings: sorted }, ML),
    ],
    initializers: [
      ...initializers,
      constant(
        "sorted",
        "int64",
        [10],
        sorted.map((word) => words.indexOf(word)),
      ),
    ],
    outputs: [value("label", "string", ["N"]), mapsValue("maps", "string")],
  };
}

/** 64 numbers an image of no meaning, as a hidden layer has them. */
function hidden(): Head {
  const random = seededRandom(1);
  const { nodes, initializers = [], outputs } = probabilities();
  const projection = Float64Array.from({ length: 640 }, () => random.below(2001) / 1000 - 1);
  return {
    nodes: [...nodes, node("MatMul", "scores projection", "projected"), node("Relu", "projected", "hidden")],
    initializers: [...initializers, constant("projection", "float", [10, 64], projection)],
    outputs: [value("hidden", "float", ["N", 64]), ...outputs],
  };
}

/** Labels, and two layers whose numbers are no scores. */
function labelAndHidden(): Head {
  const { nodes, initializers = [] } = hidden();
  return {
    nodes: [...nodes, argMax],
    initializers,
    outputs: [value("hidden", "float", ["N", 64]), labelled, value("projected", "float", ["N", 64])],
  };
}

const both: Head = {
  ...softmax,
  outputs: [scored("logits"), scored("probabilities")],
};

const withLabel: Head = {
  ...probabilities(),
  nodes: [...probabilities().nodes, argMax],
  outputs: [labelled, scored("probabilities")],
};

const columnLabel: Head = {
  nodes: [
    node("ArgMax", "scores", "index", { axis: 1, keepdims: 1 }),
    node("Cast", "index", "label", { to: 6 }), // 6: int32
  ],
  outputs: [value("label", "int32", ["N", 1])],
};

/** A torchvision-style export: mean and standard deviation outside, log-softmax inside. */
const mnistLogSoftmax: TestModel = {
  ...answering({ output: "log_probabilities", meaning: "log-probabilities" }, logSoftmax, {
    linear: fedWith({ scale: "mnist", invert: false, transpose: false }),
    input: pixels(["N", 1, 28, 28]),
    before: reshape(),
  }),
  feed: { ...flatUnit, scale: "mnist", layout: "nchw" },
  correct: ROUNDED,
};

export const OUTPUTS = {
  "one-vs-rest": answering(
    { output: "sigmoids", meaning: "one-vs-rest" },
    { nodes: [node("Sigmoid", "scores", "sigmoids")], outputs: [scored("sigmoids")] },
  ),
  logits: answering({ output: "logits", meaning: "logits" }, logits),
  "negative-logits": answering(
    { output: "negative", meaning: "logits" },
    {
      nodes: [...logitNodes.slice(0, 2), node("Neg", "softplus", "negative")],
      outputs: [scored("negative")],
    },
  ),
  softmax: answering({ output: "probabilities", meaning: "probabilities" }, softmax),
  "log-softmax": answering({ output: "log_probabilities", meaning: "log-probabilities" }, logSoftmax),
  "log-of-softmax": answering({ output: "log_probabilities", meaning: "log-probabilities" }, logOfSoftmax),
  "mnist-log-softmax": mnistLogSoftmax,
  label: answering({ output: "label", meaning: "labels" }, { nodes: [argMax], outputs: [labelled] }),
  "int32-column-label": answering({ output: "label", meaning: "labels" }, columnLabel),
  "digit-strings": answering({ output: "label", meaning: "labels", names: digits }, stringLabel(digits)),
  "word-strings": answering({ output: "label", meaning: "labels", names: words }, stringLabel(words)),
  "gathered-strings": answering({ output: "label", meaning: "labels", names: words }, gatheredLabel),
  "label-and-probabilities": answering({ output: "probabilities", meaning: "probabilities" }, withLabel),
  zipmap: answering({ output: "label", meaning: "labels", unzipped: "probabilities" }, zipMap("int64")),
  "string-zipmap": answering(
    { output: "label", meaning: "labels", names: digits, unzipped: "probabilities" },
    zipMap("string"),
  ),
  "sorted-zipmap": answering(
    { output: "label", meaning: "labels", names: words, unzipped: "probabilities" },
    sortedZipMap(),
  ),
  "logits-and-softmax": answering({ output: "probabilities", meaning: "probabilities" }, both),
  hidden: answering({ output: "probabilities", meaning: "probabilities" }, hidden()),
  "label-and-hidden": answering({ output: "label", meaning: "labels" }, labelAndHidden()),
  "same-output-twice": answering(
    { output: "logits", meaning: "logits" },
    { ...logits, outputs: [scored("logits"), scored("logits")] },
  ),
} as const satisfies Record<string, TestModel>;
