/**
 * Reads and writes ONNX model files: the messages of onnx.proto that describe an inference graph, as plain objects.
 * Fields that are not in the table (training, quantization, functions) are skipped when reading.
 *
 * The table is walked over protobufjs' reader and writer instead of using its reflection, because that compiles each
 * message with `Function()`, which Node forbids under `--disallow-code-generation-from-strings`.
 */
import protobuf from "protobufjs/minimal.js";

import { messages, type Field, type Message, type MessageName, type ModelProto } from "./onnx-messages.ts";

export type * from "./onnx-messages.ts";
export { attributeTypes, dataLocations, dataTypes } from "./onnx-messages.ts";

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
  count: VARINT,
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
  else if (type === "int32") writer.int32(value as number);
  // On the wire, int64 and uint64 differ in nothing but how their 64 bits are read.
  else if (typeof value === "bigint") writer.int64(halves(value));
  else writer.int64(value as number);
}

/** A whole number as protobufjs takes those that a double cannot hold. */
function halves(value: bigint): { low: number; high: number; unsigned: boolean } {
  return {
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
    unsigned: false,
  };
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
  const long: unknown = type === "uint64" ? reader.uint64() : reader.int64();
  // A Long outside of int32's range, whose decimal digits Number() reads.
  const number = Number(long);
  return type === "count" || Number.isSafeInteger(number) ? number : BigInt(String(long));
}
