import type { Tensor } from "onnxruntime-node";

/** The numbers of a tensor, in the array that the runtime wants for its type. */
export type Numbers = Float32Array | Float64Array | Uint16Array | Uint8Array | Int32Array | BigInt64Array;

interface Element {
  readonly array: new (length: number) => Numbers;
  /** False for types that cannot hold pixels between 0 and 1: such a model takes them as they are. */
  readonly fractional: boolean;
}

/** The element types that a model may take its pixels in, by the runtime's names. float16 is held as its 16 bits. */
export const ELEMENTS = {
  float32: { array: Float32Array, fractional: true },
  float16: { array: Uint16Array, fractional: true },
  float64: { array: Float64Array, fractional: true },
  uint8: { array: Uint8Array, fractional: false },
  int32: { array: Int32Array, fractional: false },
  int64: { array: BigInt64Array, fractional: false },
} as const satisfies Partial<Record<Tensor.Type, Element>>;

export type ElementType = keyof typeof ELEMENTS;

export function isElementType(type: string): type is ElementType {
  return Object.hasOwn(ELEMENTS, type);
}

/** `values` in the element type, each rounded once. */
export function toElements(values: readonly number[], type: ElementType): Numbers {
  const numbers = new ELEMENTS[type].array(values.length);
  values.forEach((value, i) => {
    if (numbers instanceof BigInt64Array) numbers[i] = BigInt(Math.round(value));
    else numbers[i] = type === "float16" ? toHalf(value) : value;
  });
  return numbers;
}

/** A tensor's numbers as doubles, or null where it holds none (strings). */
export function toDoubles({ type, data }: Pick<Tensor, "type" | "data">): Float64Array | Float32Array | null {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  if (type === "float16") return Float64Array.from(data as Uint16Array, fromHalf);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float64Array.from(data, Number);
  if (type === "string" || type === "bool") return null;
  return Float64Array.from(data as Uint8Array);
}

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

/** IEEE 754 binary16, rounded to nearest even. Through float32, which is exact for what pixels become: at most 24 bits. */
function toHalf(value: number): number {
  single[0] = value;
  const pattern = bits[0]!;
  const sign = (pattern >>> 16) & 0x8000;
  const exponent = ((pattern >>> 23) & 0xff) - 127 + 15;
  const fraction = pattern & 0x7fffff;
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent <= 0) {
    if (exponent < -10) return sign;
    return sign | roundedShift(fraction | 0x800000, 14 - exponent);
  }
  // A carry out of the fraction raises the exponent, which is the right next number.
  return sign | ((exponent << 10) + roundedShift(fraction, 13));
}

function roundedShift(value: number, by: number): number {
  const kept = value >>> by;
  const rest = value & ((1 << by) - 1);
  const half = 1 << (by - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}

function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
