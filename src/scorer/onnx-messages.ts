/** The messages of onnx.proto that describe an inference graph, as a table and as types. */

/**
 * Field name → number, type, and whether it holds a list. From onnx.proto, with its names in camel case. A `count` is an
 * int64 that is a size or a version.
 */
export const messages = {
  ModelProto: {
    irVersion: [1, "count"],
    producerName: [2, "string"],
    producerVersion: [3, "string"],
    domain: [4, "string"],
    modelVersion: [5, "int64"],
    docString: [6, "string"],
    graph: [7, "GraphProto"],
    opsetImport: [8, "OperatorSetIdProto", "list"],
    metadataProps: [14, "StringStringEntryProto", "list"],
  },
  OperatorSetIdProto: { domain: [1, "string"], version: [2, "count"] },
  StringStringEntryProto: { key: [1, "string"], value: [2, "string"] },
  GraphProto: {
    node: [1, "NodeProto", "list"],
    name: [2, "string"],
    initializer: [5, "TensorProto", "list"],
    docString: [10, "string"],
    input: [11, "ValueInfoProto", "list"],
    output: [12, "ValueInfoProto", "list"],
    valueInfo: [13, "ValueInfoProto", "list"],
    sparseInitializer: [15, "SparseTensorProto", "list"],
  },
  NodeProto: {
    input: [1, "string", "list"],
    output: [2, "string", "list"],
    name: [3, "string"],
    opType: [4, "string"],
    attribute: [5, "AttributeProto", "list"],
    docString: [6, "string"],
    domain: [7, "string"],
  },
  AttributeProto: {
    name: [1, "string"],
    f: [2, "float"],
    i: [3, "int64"],
    s: [4, "bytes"],
    t: [5, "TensorProto"],
    g: [6, "GraphProto"],
    floats: [7, "float", "list"],
    ints: [8, "int64", "list"],
    strings: [9, "bytes", "list"],
    tensors: [10, "TensorProto", "list"],
    graphs: [11, "GraphProto", "list"],
    docString: [13, "string"],
    type: [20, "int32"],
  },
  TensorProto: {
    dims: [1, "count", "list"],
    dataType: [2, "int32"],
    floatData: [4, "float", "list"],
    int32Data: [5, "int32", "list"],
    stringData: [6, "bytes", "list"],
    int64Data: [7, "int64", "list"],
    name: [8, "string"],
    rawData: [9, "bytes"],
    doubleData: [10, "double", "list"],
    uint64Data: [11, "uint64", "list"],
    docString: [12, "string"],
    externalData: [13, "StringStringEntryProto", "list"],
    dataLocation: [14, "int32"],
  },
  SparseTensorProto: {
    values: [1, "TensorProto"],
    indices: [2, "TensorProto"],
    dims: [3, "count", "list"],
  },
  ValueInfoProto: { name: [1, "string"], type: [2, "TypeProto"], docString: [3, "string"] },
  TypeProto: {
    tensorType: [1, "TensorTypeProto"],
    sequenceType: [4, "SequenceTypeProto"],
    mapType: [5, "MapTypeProto"],
    denotation: [6, "string"],
  },
  TensorTypeProto: { elemType: [1, "int32"], shape: [2, "TensorShapeProto"] },
  SequenceTypeProto: { elemType: [1, "TypeProto"] },
  MapTypeProto: { keyType: [1, "int32"], valueType: [2, "TypeProto"] },
  TensorShapeProto: { dim: [1, "DimensionProto", "list"] },
  DimensionProto: { dimValue: [1, "count"], dimParam: [2, "string"], denotation: [3, "string"] },
} as const satisfies Record<string, Record<string, Field>>;

export type Field = readonly [number: number, type: string, list?: "list"];
export type MessageName = keyof typeof messages;
type Value<Type> = Type extends MessageName
  ? Message<Type>
  : Type extends "string"
    ? string
    : Type extends "bytes"
      ? Uint8Array
      : Type extends "int64" | "uint64"
        ? number | bigint
        : number;

/**
 * A message as a plain object. Fields that the file does not hold, and empty lists, are absent. An int64 is a number, or
 * a bigint from 2^53: PyTorch slices to the end of an axis with 2^63 − 1.
 */
export type Message<Name extends MessageName> = {
  readonly [Key in keyof (typeof messages)[Name]]?: (typeof messages)[Name][Key] extends readonly [
    number,
    infer Type,
    "list",
  ]
    ? readonly Value<Type>[]
    : (typeof messages)[Name][Key] extends readonly [number, infer Type]
      ? Value<Type>
      : never;
};

export type ModelProto = Message<"ModelProto">;
export type GraphProto = Message<"GraphProto">;
export type NodeProto = Message<"NodeProto">;
export type AttributeProto = Message<"AttributeProto">;
export type TensorProto = Message<"TensorProto">;
export type ValueInfoProto = Message<"ValueInfoProto">;
export type TypeProto = Message<"TypeProto">;

/** TensorProto.DataType, as in `TensorProto.dataType` and `elemType`. */
export const dataTypes = {
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
} as const;

/** AttributeProto.AttributeType, as in `AttributeProto.type`. */
export const attributeTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
} as const;

/** TensorProto.DataLocation: where a tensor's values are. */
export const dataLocations = { default: 0, external: 1 } as const;
