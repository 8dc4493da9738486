/**
 * Reads and writes ONNX model files: the messages of onnx.proto that describe an inference graph, as plain objects.
 * Fields that are not in the table (training, quantization, functions) are skipped when reading.
 *
 * The table is walked over protobufjs' reader and writer instead of using its reflection, because that compiles each
 * message with `Function()`, which Node forbids under `--disallow-code-generation-from-strings`.
 */
import protobuf from "protobufjs/minimal.js";

/** Field name → number, type, and whether it holds a list. From onnx.proto, with its names in camel case. */
const messages = {
  ModelProto: {
    irVersion: [1, "int64"],
    producerName: [2, "string"],
    producerVersion: [3, "string"],
    domain: [4, "string"],
    modelVersion: [5, "int64"],
    docString: [6, "string"],
    graph: [7, "GraphProto"],
    opsetImport: [8, "OperatorSetIdProto", "list"],
    metadataProps: [14, "StringStringEntryProto", "list"],
  },
  OperatorSetIdProto: { domain: [1, "string"], version: [2, "int64"] },
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
    dims: [1, "int64", "list"],
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
    dims: [3, "int64", "list"],
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
  DimensionProto: { dimValue: [1, "int64"], dimParam: [2, "string"], denotation: [3, "string"] },
} as const satisfies Record<string, Record<string, Field>>;

type Field = readonly [number: number, type: string, list?: "list"];
type MessageName = keyof typeof messages;
type Value<Type> = Type extends MessageName
  ? Message<Type>
  : Type extends "string"
    ? string
    : Type extends "bytes"
      ? Uint8Array
      : number;

/** A message as a plain object. Fields that the file does not hold, and empty lists, are absent. int64 is a number: exact to 2^53. */
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

/** The bytes of an ONNX file. The same model gives the same bytes. */
export function encodeModel(model: ModelProto): Uint8Array {
  const writer = protobuf.Writer.create();
  writeMessage(writer, "ModelProto", model);
  // A copy, because the writer's buffer is a view into Node's shared pool.
  return Uint8Array.from(writer.finish());
}

/** The model in an ONNX file. @throws RangeError or Error from protobufjs where the bytes are no such file */
export function decodeModel(bytes: Uint8Array): ModelProto {
  const reader = protobuf.Reader.create(bytes);
  return readMessage(reader, "ModelProto", reader.len);
}

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;
const wireTypes: Readonly<Record<string, number>> = {
  int32: VARINT,
  int64: VARINT,
  uint64: VARINT,
  double: FIXED64,
  float: FIXED32,
};

function isMessage(type: string): type is MessageName {
  return type in messages;
}

function writeMessage(writer: protobuf.Writer, name: MessageName, message: object): void {
  const values: Readonly<Record<string, unknown>> = { ...message };
  for (const [key, field] of Object.entries<Field>(messages[name])) {
    const value = values[key];
    if (value === undefined) continue;
    const [number, type, list] = field;
    for (const item of list ? (value as readonly unknown[]) : [value]) {
      // Lists are written one by one, not packed, which every reader must accept for both syntaxes of onnx.proto.
      writer.uint32((number << 3) | (wireTypes[type] ?? DELIMITED));
      if (isMessage(type)) {
        writer.fork();
        writeMessage(writer, type, item as object);
        writer.ldelim();
      } else writeScalar(writer, type, item);
    }
  }
}

function writeScalar(writer: protobuf.Writer, type: string, value: unknown): void {
  if (type === "string") writer.string(value as string);
  else if (type === "bytes") writer.bytes(value as Uint8Array);
  else if (type === "float") writer.float(value as number);
  else if (type === "double") writer.double(value as number);
  else if (type === "uint64") writer.uint64(value as number);
  else if (type === "int64") writer.int64(value as number);
  else writer.int32(value as number);
}

function readMessage<Name extends MessageName>(
  reader: protobuf.Reader,
  name: Name,
  end: number,
): Message<Name> {
  const values: Record<string, unknown> = {};
  const fields = new Map(
    Object.entries<Field>(messages[name]).map(([key, field]) => [field[0], { key, field }]),
  );
  while (reader.pos < end) {
    const tag = reader.uint32();
    const known = fields.get(tag >>> 3);
    if (known) readField(reader, tag & 7, known.field, values, known.key);
    else reader.skipType(tag & 7);
  }
  if (reader.pos !== end)
    throw new RangeError(`${name} ends at byte ${end}, but its last field runs past it`);
  return values as Message<Name>;
}

function readField(
  reader: protobuf.Reader,
  wireType: number,
  [number, type, list]: Field,
  values: Record<string, unknown>,
  key: string,
): void {
  const expected = wireTypes[type] ?? DELIMITED;
  const packed = list !== undefined && wireType === DELIMITED && expected !== DELIMITED;
  if (wireType !== expected && !packed)
    throw new RangeError(`field ${number} (${key}) has wire type ${wireType}, expected ${expected}`);
  if (!list) {
    values[key] = readValue(reader, type);
    return;
  }
  const items = (values[key] ??= []) as unknown[];
  if (!packed) {
    items.push(readValue(reader, type));
    return;
  }
  const length = reader.uint32();
  const end = reader.pos + length;
  while (reader.pos < end) items.push(readValue(reader, type));
}

function readValue(reader: protobuf.Reader, type: string): unknown {
  if (isMessage(type)) {
    const length = reader.uint32();
    return readMessage(reader, type, reader.pos + length);
  }
  if (type === "string") return reader.string();
  if (type === "bytes") return Uint8Array.from(reader.bytes());
  if (type === "float") return reader.float();
  if (type === "double") return reader.double();
  if (type === "int32") return reader.int32();
  // A Long outside of int32's range, whose decimal digits Number() reads.
  return Number(type === "uint64" ? reader.uint64() : reader.int64());
}
