import { InputError, readNested } from "../images.ts";
import type { Nested } from "../images.ts";
import { objectOf } from "../json.ts";

/** An input of the Open Inference Protocol, its data read. */
export interface InputTensor {
  readonly name: string;
  readonly datatype: string;
  /** As the request gives it. */
  readonly nested: Nested;
}

const BYTES: Readonly<Record<string, number>> = {
  BOOL: 1,
  UINT8: 1,
  INT8: 1,
  UINT16: 2,
  INT16: 2,
  UINT32: 4,
  INT32: 4,
  UINT64: 8,
  INT64: 8,
  FP16: 2,
  FP32: 4,
  FP64: 8,
};

export const DATATYPES = "BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FP16 FP32 FP64 BYTES".split(
  " ",
);

/** Shape and data do not go together; how it is said differs by server. */
export class TensorError extends Error {
  override readonly name = "TensorError";
  readonly size: number;
  readonly shape: readonly number[];

  constructor(size: number, shape: readonly number[]) {
    super(`cannot reshape array of size ${size} into shape (${shape.join(",")})`);
    this.size = size;
    this.shape = shape;
  }
}

/** JSON before, raw tensors after: where the binary extension's header says. */
export function splitBinary(body: Buffer, header: string | undefined): [json: Buffer, binary: Buffer] {
  const length = header === undefined ? body.length : Number(header);
  return [body.subarray(0, length), body.subarray(length)];
}

/**
 * Reads inputs, those with `binary_data_size` from `binary` in their order.
 *
 * @throws InputError, TensorError
 */
export function readTensors(inputs: readonly unknown[], binary: Buffer): InputTensor[] {
  let at = 0;
  return inputs.map((input) => {
    const { name, datatype, shape, data, parameters } = objectOf(input) ?? {};
    const type = String(datatype);
    const dims = (Array.isArray(shape) ? shape : []).map(Number);
    const bytes = objectOf(parameters)?.["binary_data_size"];
    if (typeof bytes === "number") {
      const values = readRaw(binary.subarray(at, at + bytes), type, dims);
      at += bytes;
      return { name: String(name), datatype: type, nested: { shape: dims, values, missing: hasNaN(values) } };
    }
    const flat = Array.isArray(data) && data.length === 0 ? null : readNested(data);
    const values = flat === null ? new Float64Array(0) : rounded(flat.values, type);
    const size = dims.reduce((product, length) => product * length, 1);
    if (values.length !== size) throw new TensorError(values.length, dims);
    return {
      name: String(name),
      datatype: type,
      nested: { shape: dims, values, missing: flat?.missing ?? false },
    };
  });
}

function hasNaN(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true;
  return false;
}

/** A server that is told FP32 makes float32 of the numbers. */
function rounded(values: Float64Array, datatype: string): Float64Array {
  return datatype === "FP32" ? new Float64Array(new Float32Array(values)) : values;
}

function readRaw(bytes: Buffer, datatype: string, shape: readonly number[]): Float64Array {
  const size = shape.reduce((product, length) => product * length, 1);
  const width = BYTES[datatype] ?? 0;
  if (bytes.length !== size * width) throw new TensorError(width === 0 ? 0 : bytes.length / width, shape);
  if (datatype === "UINT8") {
    const values = new Float64Array(size);
    for (let i = 0; i < size; i++) values[i] = bytes[i]!;
    return values;
  }
  // The tensor need not begin where its elements would be aligned.
  const copy = new Uint8Array(bytes).buffer;
  if (datatype === "FP32") return new Float64Array(new Float32Array(copy));
  if (datatype === "FP64") return new Float64Array(copy);
  if (datatype === "INT32") return new Float64Array(new Int32Array(copy));
  if (datatype === "INT64") return Float64Array.from(new BigInt64Array(copy), Number);
  throw new InputError("strings", shape, `binary ${datatype} is not read`);
}
