/** A small language for writing ONNX graphs by hand: every model of the tests is written in it. */
import {
  attributeTypes,
  dataLocations,
  dataTypes,
  encodeModel,
  type AttributeProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "../../../src/scorer/onnx-proto.ts";
import { toHalf } from "./half.ts";

export type ElementName = keyof typeof dataTypes;
/** A size, a named free dimension, or `""`: free and without a name. */
export type Dimension = number | string;

export interface Graph {
  readonly inputs: readonly ValueInfoProto[];
  readonly nodes: readonly NodeProto[];
  readonly initializers?: readonly TensorProto[];
  readonly outputs: readonly ValueInfoProto[];
  /** Version of the ai.onnx operators; 13 unless said otherwise. */
  readonly opset?: number;
  readonly irVersion?: number;
  readonly producer?: readonly [name: string, version: string];
}

/** The operators of scikit-learn's exports. */
export const ML = "ai.onnx.ml";
/** The first with a LabelEncoder that takes any pair of types. */
const ML_OPSET = 2;

/** The bytes of a model file. */
export function graph({ inputs, nodes, initializers = [], outputs, ...rest }: Graph): Uint8Array {
  const { opset = 13, irVersion = 8, producer = ["mnist-evaluate tests", "1"] } = rest;
  const domains = new Set(nodes.flatMap(({ domain }) => domain ?? []));
  return encodeModel({
    irVersion,
    producerName: producer[0],
    producerVersion: producer[1],
    graph: { name: "test", node: nodes, initializer: initializers, input: inputs, output: outputs },
    opsetImport: [
      { domain: "", version: opset },
      ...Array.from(domains, (domain) => ({ domain, version: domain === ML ? ML_OPSET : 1 })),
    ],
  });
}

/** An input or output; without a shape its rank is unknown. */
export function value(name: string, element: ElementName, shape?: readonly Dimension[]): ValueInfoProto {
  const elemType = dataTypes[element];
  if (shape === undefined) return { name, type: { tensorType: { elemType } } };
  const dim = shape.map((size) => {
    if (typeof size === "number") return { dimValue: size };
    return size === "" ? {} : { dimParam: size };
  });
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

/** scikit-learn's output: one map from class to probability an image. */
export function mapsValue(name: string, key: "int64" | "string"): ValueInfoProto {
  const valueType = { tensorType: { elemType: dataTypes.float, shape: {} } };
  return { name, type: { sequenceType: { elemType: { mapType: { keyType: dataTypes[key], valueType } } } } };
}

/** A sequence of float tensors. */
export function sequenceValue(name: string): ValueInfoProto {
  const elemType = { tensorType: { elemType: dataTypes.float, shape: {} } };
  return { name, type: { sequenceType: { elemType } } };
}

type Attribute = number | string | readonly number[] | readonly string[];

/** `node("Gemm", "x weights bias", "y", {transB: 1})`. Whole numbers only: no operator of the tests takes another. */
export function node(
  opType: string,
  inputs: string,
  outputs: string,
  attributes: Readonly<Record<string, Attribute>> = {},
  domain?: string,
): NodeProto {
  const output = outputs.split(" ");
  return {
    opType,
    name: `${opType} ${output[0]}`,
    input: inputs.split(" "),
    output,
    attribute: Object.entries(attributes).map(([name, given]) => attribute(name, given)),
    ...(domain === undefined ? {} : { domain }),
  };
}

function attribute(name: string, given: Attribute): AttributeProto {
  if (typeof given === "number") return { name, i: given, type: attributeTypes.int };
  if (typeof given === "string") return { name, s: utf8(given), type: attributeTypes.string };
  if (given.every((item) => typeof item === "number"))
    return { name, ints: given, type: attributeTypes.ints };
  return { name, strings: given.map(utf8), type: attributeTypes.strings };
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const writers = {
  float: [4, (view, at, number) => view.setFloat32(at, number, true)],
  double: [8, (view, at, number) => view.setFloat64(at, number, true)],
  float16: [2, (view, at, number) => view.setUint16(at, toHalf(number), true)],
  int64: [8, (view, at, number) => view.setBigInt64(at, BigInt(number), true)],
} as const satisfies Record<
  string,
  readonly [bytes: number, write: (view: DataView, at: number, n: number) => void]
>;

/** A constant of the graph. `dims` multiply to the number of values; [] is a scalar. */
export function constant(
  name: string,
  element: keyof typeof writers,
  dims: readonly number[],
  values: ArrayLike<number>,
): TensorProto {
  const [size, write] = writers[element];
  const rawData = new Uint8Array(values.length * size);
  const view = new DataView(rawData.buffer);
  for (let i = 0; i < values.length; i++) write(view, i * size, values[i]!);
  return { name, dims, dataType: dataTypes[element], rawData };
}

export function strings(name: string, values: readonly string[]): TensorProto {
  return { name, dims: [values.length], dataType: dataTypes.string, stringData: values.map(utf8) };
}

/** The same constant, with its values at `offset` of the file `location` beside the model. */
export function external(tensor: TensorProto, location: string, offset: number): TensorProto {
  const { rawData, ...rest } = tensor;
  const externalData = [
    { key: "location", value: location },
    { key: "offset", value: String(offset) },
    { key: "length", value: String(rawData?.length ?? 0) },
  ];
  return { ...rest, externalData, dataLocation: dataLocations.external };
}
