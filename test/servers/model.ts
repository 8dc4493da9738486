import { InferenceSession, Tensor } from "onnxruntime-node";

import type { Images } from "./images.ts";
import type { Output, Scores } from "./service.ts";

/** An ONNX model that scores what arrives. */
export interface Model {
  readonly rowShape: readonly number[];
  readonly inputType: string;
  readonly inputName: string;
  readonly classes: number;
  run(images: Images): Promise<Scores>;
}

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  uint8: Uint8Array,
  int32: Int32Array,
} as const;

type InputType = keyof typeof ARRAYS;

const RUNS_OF = 1024;

/** @param precision `float32` rounds each number before a float64 model sees it, as a service that declares FP32 does */
export async function loadModel(
  file: string,
  output: Output,
  precision: "float32" | "float64",
): Promise<Model> {
  const session = await InferenceSession.create(file, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const input = session.inputMetadata[0];
  if (input?.isTensor !== true || !Object.hasOwn(ARRAYS, input.type)) {
    throw new Error(`${file}: the servers feed a first input of ${Object.keys(ARRAYS).join(", ")}`);
  }
  const type = input.type as InputType;
  const [batch, ...dims] = input.shape;
  const rowShape = dims.map((size) => Number(size)).some(Number.isNaN) ? [784] : dims.map(Number);
  const fixed = typeof batch === "number" && batch > 0 ? batch : null;
  const names = session.outputMetadata.flatMap((meta) => (meta.isTensor ? [meta.name] : []));
  const fetches = names.filter((name, i) => names.indexOf(name) === i);
  const size = rowShape.reduce((product, length) => product * length, 1);

  const runPart = async (values: Float64Array, count: number): Promise<Part> => {
    const rows = fixed ?? count;
    const data = new ARRAYS[type](rows * size);
    if (type === "float64" && precision === "float32") data.set(new Float32Array(values));
    else data.set(values);
    const feeds = { [input.name]: new Tensor(type, data, [rows, ...rowShape]) };
    return readOutputs(await session.run(feeds, fetches), rows, count, output);
  };

  const run = async (images: Images): Promise<Scores> => {
    const step = fixed ?? RUNS_OF;
    const parts: Part[] = [];
    for (let at = 0; at < images.n; at += step) {
      const count = Math.min(step, images.n - at);
      parts.push(await runPart(images.values.subarray(at * size, (at + count) * size), count));
    }
    return join(parts, images.n);
  };
  const { k } = await run({ n: 1, values: new Float64Array(size) });
  return { rowShape, inputType: type, inputName: input.name, classes: k === 0 ? 10 : k, run };
}

interface Part {
  readonly labels: Float64Array;
  readonly k: number;
  readonly values: Float64Array;
}

function join(parts: readonly Part[], n: number): Scores {
  const k = parts[0]?.k ?? 0;
  const [labels, values] = [new Float64Array(n), new Float64Array(n * k)];
  let at = 0;
  for (const part of parts) {
    labels.set(part.labels, at);
    values.set(part.values, at * k);
    at += part.labels.length;
  }
  return { n, k, labels, values };
}

function readOutputs(
  outputs: InferenceSession.OnnxValueMapType,
  rows: number,
  count: number,
  mode: Output,
): Part {
  let labels: Float64Array | null = null;
  let scores: Float64Array | null = null;
  for (const { type, data } of Object.values(outputs)) {
    if (type === "int64" && data.length === rows) labels = Float64Array.from(data as BigInt64Array, Number);
    else if (data instanceof Float32Array || data instanceof Float64Array) scores ??= new Float64Array(data);
  }
  const k = scores === null ? 0 : scores.length / rows;
  const values = scores?.slice(0, count * k) ?? new Float64Array(0);
  const of = labels?.slice(0, count) ?? highest(values, k);
  if (mode === "probabilities" && !sumToOne(values, k)) softmax(values, k);
  return { labels: of, k, values };
}

function highest(values: Float64Array, k: number): Float64Array {
  const labels = new Float64Array(values.length / k);
  for (let row = 0; row < labels.length; row++) {
    let best = 0;
    for (let i = 1; i < k; i++) if (values[row * k + i]! > values[row * k + best]!) best = i;
    labels[row] = best;
  }
  return labels;
}

function sumToOne(values: Float64Array, k: number): boolean {
  for (let start = 0; start < values.length; start += k) {
    const row = values.subarray(start, start + k);
    if (row.some((value) => value < 0) || Math.abs(row.reduce((sum, value) => sum + value, 0) - 1) > 1e-3) {
      return false;
    }
  }
  return true;
}

function softmax(values: Float64Array, k: number): void {
  for (let start = 0; start < values.length; start += k) {
    const row = values.subarray(start, start + k);
    const most = Math.max(...row);
    let sum = 0;
    for (let i = 0; i < k; i++) sum += row[i] = Math.exp(row[i]! - most);
    for (let i = 0; i < k; i++) row[i]! /= sum;
  }
}
