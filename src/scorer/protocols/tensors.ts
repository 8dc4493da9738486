import { toDoubles } from "../elements.ts";
import { ReplyError, type Values } from "./protocol.ts";
import { numeric } from "./values.ts";

interface Datatype {
  readonly bytes: number;
  readonly read: (view: DataView, offset: number) => number;
}

const number = (bytes: number, read: (view: DataView, offset: number) => number): Datatype => ({
  bytes,
  read,
});

/** The datatypes of the Open Inference Protocol that hold numbers, little-endian. */
const DATATYPES: Readonly<Record<string, Datatype>> = {
  UINT8: number(1, (view, at) => view.getUint8(at)),
  UINT16: number(2, (view, at) => view.getUint16(at, true)),
  UINT32: number(4, (view, at) => view.getUint32(at, true)),
  UINT64: number(8, (view, at) => Number(view.getBigUint64(at, true))),
  INT8: number(1, (view, at) => view.getInt8(at)),
  INT16: number(2, (view, at) => view.getInt16(at, true)),
  INT32: number(4, (view, at) => view.getInt32(at, true)),
  INT64: number(8, (view, at) => Number(view.getBigInt64(at, true))),
  FP16: number(2, halfAt),
  FP32: number(4, (view, at) => view.getFloat32(at, true)),
  FP64: number(8, (view, at) => view.getFloat64(at, true)),
};

/**
 * A tensor of a reply's binary part.
 *
 * @throws ReplyError where its bytes are not what its shape and datatype say
 */
export function binaryValues(name: string, datatype: string, dims: readonly number[], bytes: Buffer): Values {
  const n = dims.reduce((size, dim) => size * dim, 1);
  if (datatype === "BYTES") return { type: "string", dims, data: texts(name, bytes, n) };
  const type = Object.hasOwn(DATATYPES, datatype) ? DATATYPES[datatype]! : null;
  if (type === null)
    throw new ReplyError(`the reply's output ${name} is ${datatype}, which holds no numbers or texts`);
  if (bytes.length !== n * type.bytes) throw otherLength(name, bytes.length, n * type.bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return numeric(
    dims,
    Float64Array.from({ length: n }, (_, i) => type.read(view, i * type.bytes)),
  );
}

function otherLength(name: string, got: number, expected: number): ReplyError {
  return new ReplyError(
    `the reply's output ${name} has ${got} bytes of data where its shape says ${expected}`,
  );
}

/** Each after its length, 4 bytes. */
function texts(name: string, bytes: Buffer, n: number): string[] {
  const found: string[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const end = at + 4 + bytes.readUInt32LE(at);
    if (end > bytes.length) break;
    found.push(bytes.toString("utf8", at + 4, end));
    at = end;
  }
  if (found.length !== n || at !== bytes.length) {
    throw new ReplyError(`the reply's output ${name} has ${found.length} texts where its shape says ${n}`);
  }
  return found;
}

/** float16 as its 16 bits. */
function halfAt(view: DataView, at: number): number {
  return toDoubles({ type: "float16", data: Uint16Array.of(view.getUint16(at, true)) })![0]!;
}
