import { attributeTypes, dataTypes, encodeModel } from "../scorer/onnx-proto.ts";
import type { AttributeProto, NodeProto, TensorProto, ValueInfoProto } from "../scorer/onnx-proto.ts";

export interface LinearModel {
  /** k×d, for pixels in 0–1. */
  readonly weights: Float32Array;
  /** k */
  readonly intercepts: Float32Array;
  readonly description: string;
  /** What is known of its making, in the order in which it is written. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Read by every ONNX runtime since 2021: the first whose Softmax is of one axis. */
const OPSET = 13;
const IR_VERSION = 8;

/**
 * One-vs-rest logistic regression as an ONNX file: `pixels` float [n, d] in 0–1 → `label` int64 [n], the class of the
 * largest score w·x + b, and `probabilities` float [n, k], each class's sigmoid of its score divided by their sum. That
 * is the softmax of the sigmoids' logarithms, −softplus(−score), and computed so: the runtime's float32 sigmoid is 0 from
 * about −18 on, so that an image unlike any digit had ten zeros, while the logarithm holds at any score. The same model
 * gives the same bytes.
 */
export function logisticModel({ weights, intercepts, description, metadata }: LinearModel): Uint8Array {
  const classes = intercepts.length;
  const pixels = weights.length / classes;
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: "mnist-evaluate",
    docString: description,
    graph: {
      name: "one_vs_rest_logistic_regression",
      node: [
        node("Gemm", ["pixels", "weights", "intercepts"], "scores", [int("transB", 1)]),
        node("ArgMax", ["scores"], "label", [int("axis", 1), int("keepdims", 0)]),
        node("Neg", ["scores"], "opposites"),
        node("Softplus", ["opposites"], "losses"),
        node("Neg", ["losses"], "log_sigmoids"),
        node("Softmax", ["log_sigmoids"], "probabilities", [int("axis", 1)]),
      ],
      initializer: [
        floats("weights", [classes, pixels], weights),
        floats("intercepts", [classes], intercepts),
      ],
      input: [tensor("pixels", dataTypes.float, pixels)],
      output: [tensor("label", dataTypes.int64), tensor("probabilities", dataTypes.float, classes)],
    },
    opsetImport: [{ domain: "", version: OPSET }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  });
}

function node(
  opType: string,
  input: readonly string[],
  output: string,
  attribute: readonly AttributeProto[] = [],
): NodeProto {
  return { opType, name: output, input, output: [output], attribute };
}

function int(name: string, i: number): AttributeProto {
  return { name, i, type: attributeTypes.int };
}

function floats(name: string, dims: readonly number[], values: Float32Array): TensorProto {
  const rawData = new Uint8Array(values.length * 4);
  const view = new DataView(rawData.buffer);
  for (const [at, value] of values.entries()) view.setFloat32(at * 4, value, true);
  return { name, dims, dataType: dataTypes.float, rawData };
}

/** A value of shape [n] or [n, width], where n is the number of images. */
function tensor(name: string, elemType: number, width?: number): ValueInfoProto {
  const dim = [{ dimParam: "n" }, ...(width === undefined ? [] : [{ dimValue: width }])];
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
