import { PNG } from "pngjs";

import { pixelsOf, unitRows } from "./scene.ts";
import type { Answered } from "./scene.ts";
import type { Kind, ServerOptions } from "./start.ts";

export const N = 100;
const ROWS = unitRows(N);

/** [28×28] from a row, as a model of pictures takes it. */
const picture = (row: readonly number[]): number[][][] => [
  Array.from({ length: 28 }, (_, y) => row.slice(y * 28, y * 28 + 28)),
];

export type Numbers = readonly (number | null)[];
/** One way to send the first N images to a server, and to read what it says. */
export interface Way {
  readonly name: string;
  readonly kind: Kind;
  readonly options?: Partial<ServerOptions>;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Labels, or n×10 scores one after the other. */
  readonly read: (answered: Answered) => Numbers;
}

export const json = (answered: Answered): unknown => JSON.parse(answered.body);
export const list = (value: unknown): Numbers => (value as readonly Numbers[]).flat();
export const at =
  (key: string) =>
  (answered: Answered): Numbers =>
    list((json(answered) as Record<string, unknown>)[key]);
export const dataOf =
  (index: number) =>
  (answered: Answered): Numbers =>
    (json(answered) as { outputs: { data: number[] }[] }).outputs[index]!.data;

const CSV = ROWS.map((row) => `${row.join(",")}\n`).join("");
const HEADED = `${[...ROWS[0]!.keys()].join(",")}\n${CSV}`;

function v2(name: string, datatype: string, more: object = {}): string {
  const inputs = [{ name, shape: [N, 784], datatype, data: ROWS.flat() }];
  return JSON.stringify({ id: "one", inputs, ...more });
}

/** Headers, and a body whose tensor follows the JSON. */
function v2Binary(
  name: string,
  datatype: string,
  data: Buffer,
  more: object = {},
): Pick<Way, "body" | "headers"> {
  const inputs = [{ name, shape: [N, 784], datatype, parameters: { binary_data_size: data.length } }];
  const head = Buffer.from(JSON.stringify({ inputs, ...more }));
  return {
    headers: {
      "Content-Type": "application/octet-stream",
      "Inference-Header-Content-Length": String(head.length),
    },
    body: Buffer.concat([head, data]),
  };
}

const FP32 = Buffer.from(new Float32Array(ROWS.flat()).buffer);
const UINT8 = Buffer.concat(Array.from({ length: N }, (_, i) => pixelsOf(i)));

/** The tensors after the JSON of a reply, each in the type that its output names. */
export function rawOf(index: number): Way["read"] {
  return ({ bytes, headers }) => {
    const length = Number(/\d+$/.exec(headers.find((line) => line.startsWith("Inference-Header"))!)![0]);
    const { outputs } = JSON.parse(bytes.toString("utf8", 0, length)) as {
      outputs: { datatype: string; parameters: { binary_data_size: number } }[];
    };
    let start = length;
    for (const output of outputs.slice(0, index)) start += output.parameters.binary_data_size;
    const { datatype, parameters } = outputs[index]!;
    const raw = Uint8Array.from(bytes.subarray(start, start + parameters.binary_data_size)).buffer;
    return datatype === "INT64"
      ? Array.from(new BigInt64Array(raw), Number)
      : Array.from(new Float32Array(raw));
  };
}

export function png(index: number): Buffer {
  const image = new PNG({ width: 28, height: 28, colorType: 0, inputColorType: 0, bitDepth: 8 });
  image.data = Buffer.from(pixelsOf(index));
  return PNG.sync.write(image, { colorType: 0, inputColorType: 0, inputHasAlpha: false });
}

export const PICTURES = ROWS.map(picture);
const BASE64 = Array.from({ length: N }, (_, i) => ({ data: png(i).toString("base64") }));
const BUILTIN = JSON.stringify({ instances: ROWS.map((features) => ({ features })) });
const predicted = (answered: Answered): Numbers =>
  (json(answered) as { predictions: { predicted_label: number }[] }).predictions.map(
    ({ predicted_label: label }) => label,
  );

export const LABELS: readonly Way[] = [
  {
    name: "data",
    kind: "azureml",
    body: JSON.stringify({ data: ROWS }),
    read: (answered) => list(json(answered)),
  },
  {
    name: "a JSON string",
    kind: "azureml",
    options: { mode: "string" },
    body: JSON.stringify({ data: ROWS }),
    read: (answered) => JSON.parse(json(answered) as string) as number[],
  },
  {
    name: "result",
    kind: "azureml",
    options: { mode: "result" },
    body: JSON.stringify({ data: ROWS }),
    read: at("result"),
  },
  {
    name: "a JSON string of result",
    kind: "azureml",
    options: { mode: "result-string" },
    body: JSON.stringify({ data: ROWS }),
    read: (answered) => (JSON.parse(json(answered) as string) as { result: number[] }).result,
  },
  {
    name: "Inputs",
    kind: "azureml",
    options: { mode: "automl" },
    body: JSON.stringify({ Inputs: { data: ROWS }, GlobalParameters: {} }),
    read: at("Results"),
  },
  {
    name: "input_data of a table",
    kind: "azureml",
    options: { mode: "input_data" },
    body: JSON.stringify({ input_data: { columns: [...ROWS[0]!.keys()], data: ROWS } }),
    read: (answered) => list(json(answered)),
  },
  {
    name: "input_data of rows",
    kind: "azureml",
    options: { mode: "input_data" },
    body: JSON.stringify({ input_data: ROWS }),
    read: (answered) => list(json(answered)),
  },
  { name: "instances", kind: "kserve", body: JSON.stringify({ instances: ROWS }), read: at("predictions") },
  { name: "V2", kind: "kserve", options: { mode: "v2" }, body: v2("x", "FP32"), read: dataOf(0) },
  {
    name: "V2 binary",
    kind: "kserve",
    options: { mode: "v2" },
    read: dataOf(0),
    ...v2Binary("x", "FP32", FP32),
  },
  { name: "V2", kind: "mlserver", body: v2("x", "FP64"), read: dataOf(0) },
  { name: "inputs", kind: "mlflow", body: JSON.stringify({ inputs: ROWS }), read: at("predictions") },
  { name: "instances", kind: "mlflow", body: JSON.stringify({ instances: ROWS }), read: at("predictions") },
  {
    name: "dataframe_split",
    kind: "mlflow",
    body: JSON.stringify({ dataframe_split: { data: ROWS } }),
    read: at("predictions"),
  },
  {
    name: "csv",
    kind: "mlflow",
    body: HEADED,
    headers: { "Content-Type": "text/csv" },
    read: at("predictions"),
  },
  { name: "V2", kind: "triton", body: v2("pixels", "FP32"), read: dataOf(0) },
  {
    name: "V2 with a binary reply",
    kind: "triton",
    body: v2("pixels", "FP32", { outputs: [{ name: "label", parameters: { binary_data: true } }] }),
    read: rawOf(0),
  },
  { name: "V2 binary", kind: "triton", read: dataOf(0), ...v2Binary("pixels", "FP32", FP32) },
  {
    name: "V2 binary both ways",
    kind: "triton",
    read: rawOf(0),
    ...v2Binary("pixels", "FP32", FP32, { parameters: { binary_data_output: true } }),
  },
  {
    name: "V2 binary UINT8",
    kind: "triton",
    options: { mode: "uint8" },
    read: dataOf(0),
    ...v2Binary("pixels", "UINT8", UINT8),
  },
  {
    name: "instances",
    kind: "tfserving",
    body: JSON.stringify({ instances: ROWS }),
    read: at("predictions"),
  },
  { name: "inputs", kind: "tfserving", body: JSON.stringify({ inputs: ROWS }), read: at("outputs") },
  {
    name: "instances of named inputs, named outputs",
    kind: "tfserving",
    options: { mode: "named" },
    body: JSON.stringify({ instances: ROWS.map((x) => ({ x })) }),
    read: (answered) =>
      (json(answered) as { predictions: { label: number }[] }).predictions.map(({ label }) => label),
  },
  {
    name: "named inputs, named outputs",
    kind: "tfserving",
    options: { mode: "named" },
    body: JSON.stringify({ inputs: { x: ROWS } }),
    read: (answered) => (json(answered) as { outputs: { label: number[] } }).outputs.label,
  },
  {
    name: "base64",
    kind: "torchserve",
    options: { mode: "instances" },
    body: JSON.stringify({ instances: BASE64 }),
    read: at("predictions"),
  },
  { name: "rows", kind: "sagemaker", body: JSON.stringify(ROWS), read: (answered) => list(json(answered)) },
  {
    name: "instances",
    kind: "sagemaker",
    options: { mode: "predictions" },
    body: JSON.stringify({ instances: ROWS }),
    read: at("predictions"),
  },
  { name: "features", kind: "sagemaker", options: { mode: "builtin" }, body: BUILTIN, read: predicted },
  {
    name: "features a line",
    kind: "sagemaker",
    options: { mode: "builtin" },
    body: ROWS.map((features) => JSON.stringify({ features })).join("\n"),
    headers: { "Content-Type": "application/jsonlines" },
    read: ({ body }) =>
      body
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { predicted_label: number }).predicted_label),
  },
  {
    name: "csv",
    kind: "sagemaker",
    body: CSV,
    headers: { "Content-Type": "text/csv" },
    read: ({ body }) => body.trim().split("\n").map(Number),
  },
];
