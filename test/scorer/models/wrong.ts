/** Files that are named in `--model` and cannot be scored: what each is, and where that shows. */
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";

import { seededRandom } from "../../../src/random.ts";
import { constant, graph, node, sequenceValue, value } from "./graph.ts";
import { bundled, columns, linearGraph, pixels, probabilities, reshape, type Head } from "./linear.ts";

export interface WrongModel {
  /** With the extension under which such files are met. */
  readonly file: string;
  readonly content: (() => Uint8Array) | "folder" | "absent";
  readonly is: string;
  /** opening: no session can be made; metadata: the inputs and outputs say it; running: the first scores say it. */
  readonly shows: "opening" | "metadata" | "running";
}

const text = (content: string): (() => Uint8Array) => {
  return () => new TextEncoder().encode(content);
};

function opening(file: string, is: string, content: WrongModel["content"]): WrongModel {
  return { file, is, content, shows: "opening" };
}

function metadata(file: string, is: string, content: () => Uint8Array): WrongModel {
  return { file, is, content, shows: "metadata" };
}

const LFS_POINTER = `version https://git-lfs.github.com/spec/v1
oid sha256:9f8bfd17bc0b1c6d37b5df9b87a0fba6a2e3a2cd3c6a5ba9e0e0dbe8a6ca6dd9
size 26454
`;

const XET_POINTER = `# xet version 0
filesize = 26454
hash = '6aec09a1d5ff5b5ef4e5b7b3ddcb8a7b1c0a2a5f0a1d9a9b8c3e1f7d2b4c6e80'
`;

const HTML = `<!DOCTYPE html>
<html lang="en">
  <head><title>Page not found · GitHub</title></head>
  <body><h1>404</h1></body>
</html>
`;

function randomBytes(): Uint8Array {
  const random = seededRandom(11);
  return Uint8Array.from({ length: 4096 }, () => random.below(256));
}

/** A file of other software: its first bytes, and zeros. */
const magic = (...start: (string | number)[]): (() => Uint8Array) => {
  return () => {
    const bytes = start.flatMap((part) =>
      typeof part === "number" ? [part] : Array.from(Buffer.from(part, "latin1")),
    );
    return Uint8Array.from({ length: 1024 }, (_, at) => bytes[at] ?? 0);
  };
};

/** The start of a zip archive whose first entry has this name. */
const zip = (entry: string): (() => Uint8Array) =>
  magic(`PK\u0003\u0004\u0014${"\0".repeat(21)}`, entry.length, `\0\0\0${entry}`);

/** The length of its JSON header as eight bytes, and the header. */
const safetensors = magic(
  "\u0044\0\0\0\0\0\0\0",
  '{"weights":{"dtype":"F32","shape":[10,20],"data_offsets":[0,800]}}  ',
);

const otherFiles = {
  pickle: opening("model.pkl", "a Python pickle", magic(0x80, 4, 0x95, "sklearn.linear_model")),
  pytorch: opening("model.pt", "a PyTorch file", zip("model/data.pkl")),
  "pytorch-legacy": opening(
    "model.pth",
    "a Python pickle",
    magic(0x80, 2, 0x8a, 10, "l\u00fc\u009c\u0046\u00f9"),
  ),
  keras: opening("model.keras", "a Keras file", zip("metadata.json")),
  zip: opening("model.zip", "a zip archive", zip("model.onnx")),
  hdf5: opening("model.h5", "an HDF5 file", magic(0x89, "HDF\r\n", 0x1a, "\n")),
  tflite: opening("model.tflite", "a TensorFlow Lite file", magic(0x1c, 0, 0, 0, "TFL3")),
  safetensors: opening("model.safetensors", "a safetensors file", safetensors),
  gzip: opening("model.onnx.gz", "a gzip file", () => Uint8Array.from(gzipSync(linearGraph(), { level: 1 }))),
} as const satisfies Record<string, WrongModel>;

const notModels = {
  "git-lfs": opening("git-lfs.onnx", "a Git LFS pointer", text(LFS_POINTER)),
  xet: opening("xet.onnx", "a Xet pointer", text(XET_POINTER)),
  html: opening("html.onnx", "an HTML page", text(HTML)),
  text: opening("text.onnx", "a text file", text("Download the model from the release page.\n")),
  empty: opening("empty.onnx", "an empty file", () => new Uint8Array()),
  random: opening("random.onnx", "no model", randomBytes),
  folder: opening("folder.onnx", "a folder", "folder"),
  absent: opening("absent.onnx", "no file", "absent"),
} as const satisfies Record<string, WrongModel>;

const damaged = {
  truncated: opening("truncated.onnx", "half a model", () => {
    const whole = linearGraph();
    return whole.slice(0, whole.length / 2);
  }),
  "missing-data": opening("missing-data.onnx", "a model whose weights are elsewhere", () =>
    linearGraph({
      stored: ([weights, ...rest]) => [externalWeights(weights?.name ?? ""), ...rest],
    }),
  ),
  "opset-99": opening("opset-99.onnx", "a model of a newer opset", () => linearGraph({ opset: 99 })),
  "ir-99": opening("ir-99.onnx", "a model of a newer IR", () => linearGraph({ irVersion: 99 })),
  "unknown-operator": opening("unknown-operator.onnx", "a model with an unknown operator", () =>
    linearGraph({
      head: { nodes: [node("Foo", "scores", "foo")], outputs: [value("foo", "float", ["N", 10])] },
    }),
  ),
  "unknown-domain": opening("unknown-domain.onnx", "a model with another vendor's operator", () =>
    linearGraph({
      head: {
        nodes: [node("Foo", "scores", "foo", {}, "com.example")],
        outputs: [value("foo", "float", ["N", 10])],
      },
    }),
  ),
  "no-outputs": metadata("no-outputs.onnx", "a graph without outputs", () =>
    linearGraph({ head: { nodes: [], outputs: [] } }),
  ),
  "empty-graph": opening("empty-graph.onnx", "a model with an empty graph", () =>
    graph({ inputs: [], nodes: [], outputs: [] }),
  ),
} as const satisfies Record<string, WrongModel>;

function externalWeights(name: string) {
  const externalData = [{ key: "location", value: "missing-data.onnx.data" }];
  return { name, dims: [10, 784], dataType: 1, externalData, dataLocation: 1 };
}

const flattened = { nodes: [node("Flatten", "pixels", "flat", { axis: 1 })] };

const seven: Head = {
  nodes: [node("Gather", "scores seven", "first", { axis: 1 })],
  initializers: [constant("seven", "int64", [7], [0, 1, 2, 3, 4, 5, 6])],
  outputs: [value("first", "float", ["N", 7])],
};

const otherTasks = {
  "two-inputs": metadata("two-inputs.onnx", "a model with two inputs", () =>
    graph({
      inputs: [pixels(["N", 784]), value("mask", "float", ["N", 784])],
      nodes: [
        node("Mul", "pixels mask", "flat"),
        node("Gemm", "flat weights intercepts", "scores", { transB: 1 }),
      ],
      initializers: [
        constant("weights", "float", [10, 784], bundled.weights),
        constant("intercepts", "float", [10], bundled.intercepts),
      ],
      outputs: [value("scores", "float", ["N", 10])],
    }),
  ),
  "no-inputs": metadata("no-inputs.onnx", "a model without inputs", () =>
    graph({
      inputs: [],
      nodes: [node("Identity", "intercepts", "scores")],
      initializers: [constant("intercepts", "float", [1, 10], bundled.intercepts)],
      outputs: [value("scores", "float", [1, 10])],
    }),
  ),
  "32x32": metadata("32x32.onnx", "a model for 32×32 pixels", () => {
    const linear = columns(
      bundled,
      Array.from({ length: 1024 }, (_, pixel) => pixel % 784),
    );
    return linearGraph({ linear, input: pixels(["N", 1, 32, 32]), before: reshape(1024) });
  }),
  "seven-classes": metadata("seven-classes.onnx", "a model for 7 classes", () =>
    linearGraph({ head: seven }),
  ),
  "label-and-seven": metadata("label-and-seven.onnx", "a model for 7 classes with labels", () =>
    linearGraph({
      head: {
        ...seven,
        nodes: [...seven.nodes, node("ArgMax", "first", "label", { axis: 1, keepdims: 0 })],
        outputs: [value("label", "int64", ["N"]), ...seven.outputs],
      },
    }),
  ),
  "only-sequence": metadata("only-sequence.onnx", "a model that answers in a sequence only", () => {
    const { nodes, initializers = [] } = probabilities();
    return linearGraph({
      head: {
        nodes: [...nodes, node("SequenceConstruct", "probabilities", "rows")],
        initializers,
        outputs: [sequenceValue("rows")],
      },
    });
  }),
  "string-input": metadata("string-input.onnx", "a model that takes text", () =>
    graph({
      inputs: [value("text", "string", ["N", 784])],
      nodes: [
        node("Cast", "text", "flat", { to: 1 }),
        node("Gemm", "flat weights intercepts", "scores", { transB: 1 }),
      ],
      initializers: [
        constant("weights", "float", [10, 784], bundled.weights),
        constant("intercepts", "float", [10], bundled.intercepts),
      ],
      outputs: [value("scores", "float", ["N", 10])],
    }),
  ),
  "int8-input": metadata("int8-input.onnx", "a model that takes −128 to 127", () =>
    linearGraph({
      input: value("pixels", "int8", ["N", 784]),
      before: { nodes: [node("Cast", "pixels", "flat", { to: 1 })] },
    }),
  ),
  "no-batch": metadata("no-batch.onnx", "a model of one image, without a dimension for more", () =>
    linearGraph({ input: pixels([784]), before: reshape() }),
  ),
  "labels-from-one": {
    ...metadata("labels-from-one.onnx", "a model whose labels are 1 to 10", () =>
      linearGraph({
        head: {
          nodes: [
            node("ArgMax", "scores", "index", { axis: 1, keepdims: 0 }),
            node("Add", "index one", "label"),
          ],
          initializers: [constant("one", "int64", [], [1])],
          outputs: [value("label", "int64", ["N"])],
        },
      }),
    ),
    shows: "running",
  },
  "hidden-sizes": {
    ...metadata("hidden-sizes.onnx", "a model for 20×20 pixels that does not say so", () => {
      const linear = columns(
        bundled,
        Array.from({ length: 400 }, (_, pixel) => pixel),
      );
      return linearGraph({ linear, input: pixels(["N", "H", "W"]), before: flattened });
    }),
    shows: "running",
  },
} as const satisfies Record<string, WrongModel>;

export const WRONG_MODELS = {
  ...notModels,
  ...otherFiles,
  ...damaged,
  ...otherTasks,
} as const satisfies Record<string, WrongModel>;
