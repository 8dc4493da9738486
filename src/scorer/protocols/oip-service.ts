import { firstThat, isImage, isNumbers, objectOf, placeOf, shortest } from "./images.ts";
import {
  JSON_TYPE,
  jsonReply,
  RequestError,
  type Json,
  type JsonObject,
  type NumberBlock,
  type Numbers,
  type ServedModel,
  type ServedScores,
  type Service,
} from "./service.ts";

export const BINARY_EXTENSION = "binary_tensor_data";
export const BINARY_LENGTH = "Inference-Header-Content-Length";

const EXAMPLE = '{"inputs": [{"name": …, "shape": …, "datatype": …, "data": …}]}';
const PLATFORM = "onnxruntime_onnx";

/** The datatypes that numbers may come in, as bytes: whole ones up to 255 are pixels for a model of fractions. */
const DATATYPES = {
  FP32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  FP64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  UINT8: { bytes: 1, read: (view, at) => view.getUint8(at) },
  INT32: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  INT64: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
} as const satisfies Record<
  string,
  { readonly bytes: number; readonly read: (view: DataView, at: number) => number }
>;

type Datatype = keyof typeof DATATYPES;
type OutputName = "label" | "probabilities";

interface Output {
  readonly name: OutputName;
  readonly binary: boolean;
}

interface Input {
  readonly images: Numbers;
  readonly count: number;
  readonly datatype: Datatype;
}

const nameOf = (field: Json | undefined): string => (typeof field === "string" ? field : "");
const fieldsOf = (field: Json | undefined): JsonObject =>
  field instanceof Map ? (field as JsonObject) : new Map<string, Json>();

/** The one input. @throws RequestError */
function inputIn(body: JsonObject, raw: Buffer | null, model: ServedModel): Input {
  const inputs = body.get("inputs");
  const [input, ...more] = Array.isArray(inputs) ? (inputs as readonly Json[]) : [];
  if (!(input instanceof Map) || more.length > 0) {
    throw new RequestError(400, `"inputs" must hold one tensor, as ${EXAMPLE}`);
  }
  const fields = input as JsonObject;
  const datatype = nameOf(fields.get("datatype"));
  if (!Object.hasOwn(DATATYPES, datatype)) {
    const known = Object.keys(DATATYPES).join(", ");
    throw new RequestError(
      400,
      `"datatype" is ${datatype.slice(0, 20) || "missing"}, but must be one of ${known}`,
    );
  }
  const count = countIn(fields.get("shape"), model);
  const size = model.shape[0] * model.shape[1];
  const binary = fieldsOf(fields.get("parameters")).get("binary_data_size");
  const images =
    binary === undefined
      ? jsonNumbers(fields.get("data"), count * size)
      : rawNumbers(raw, binary, datatype as Datatype, count * size, model);
  checkName(nameOf(fields.get("name")), model);
  return { images, count, datatype: datatype as Datatype };
}

/** @throws RequestError where the tensor is meant for some other input */
function checkName(name: string, { input }: ServedModel): void {
  if (name === input) return;
  const given = name === "" ? "missing" : JSON.stringify(name.slice(0, 40));
  throw new RequestError(400, `"name" is ${given}, but the model's input is ${JSON.stringify(input)}`);
}

/** n of [n, …]. @throws RequestError */
function countIn(shape: Json | undefined, { shape: image }: ServedModel): number {
  const sizes =
    isNumbers(shape) && shape.dims.length === 1 ? shape.blocks.flatMap((block) => [...block]) : [];
  const [count = 0, ...rest] = sizes;
  if (Number.isInteger(count) && count > 0 && isImage(rest, image)) return count;
  throw new RequestError(
    400,
    `"shape" is [${sizes.slice(0, 6).join(", ")}], but must be [n, ${image[0] * image[1]}] or [n, ${image.join(", ")}]`,
  );
}

function jsonNumbers(data: Json | undefined, expected: number): Numbers {
  const got = isNumbers(data) ? data.dims.reduce((product, n) => product * n, 1) : 0;
  if (isNumbers(data) && got === expected) return data;
  throw new RequestError(400, `"data" holds ${got} numbers, but "shape" says ${expected}`);
}

/** @throws RequestError */
function rawNumbers(
  raw: Buffer | null,
  given: Json,
  datatype: Datatype,
  count: number,
  model: ServedModel,
): Numbers {
  const { bytes, read } = DATATYPES[datatype];
  const got = raw?.length ?? 0;
  if (raw === null || given !== got || got !== count * bytes) {
    const announced = typeof given === "number" ? given : "something else";
    throw new RequestError(
      400,
      `the tensor has ${got} bytes behind the JSON; "binary_data_size" says ${announced}, and "shape" ${count * bytes}`,
    );
  }
  const block: NumberBlock = model.element === "float32" ? new Float32Array(count) : new Float64Array(count);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  for (let i = 0; i < count; i++) block[i] = read(view, i * bytes);
  const images: Numbers = { blocks: [block], dims: [count] };
  const wrong = firstThat(images, Number.isFinite);
  if (wrong === null) return images;
  throw new RequestError(400, `${placeOf(wrong.at, model)} is ${wrong.value}, but must be a number`);
}

/** The outputs that are asked for: all where none is named. @throws RequestError */
function outputsIn(body: JsonObject, { hasProbabilities }: ServedModel): readonly Output[] {
  const known: readonly OutputName[] = hasProbabilities ? ["label", "probabilities"] : ["label"];
  const binary = fieldsOf(body.get("parameters")).get("binary_data_output") === true;
  const asked = body.get("outputs");
  if (!Array.isArray(asked) || asked.length === 0) return known.map((name) => ({ name, binary }));
  const names = new Set<OutputName>();
  return (asked as readonly Json[]).map((output) => {
    const fields = fieldsOf(output);
    const given = nameOf(fields.get("name"));
    const name = known.find((candidate) => candidate === given);
    if (name === undefined) {
      throw new RequestError(
        400,
        `"outputs" asks for ${JSON.stringify(given.slice(0, 40))}, but the model gives ${known.join(", ")}`,
      );
    }
    if (names.has(name)) throw new RequestError(400, `"outputs" asks for "${name}" twice`);
    names.add(name);
    const own = fieldsOf(fields.get("parameters")).get("binary_data");
    return { name, binary: own === undefined ? binary : own === true };
  });
}

/** One output of a reply: its JSON, and the bytes behind it. */
function written({ name, binary }: Output, { labels, probabilities }: ServedScores, classes: number) {
  const isLabel = name === "label";
  const shape = isLabel ? `[${labels.length}]` : `[${labels.length},${classes}]`;
  const head = `{"name":"${name}","shape":${shape},"datatype":"${isLabel ? "INT64" : "FP32"}"`;
  if (!binary) {
    const data = isLabel ? labels.join(",") : shortest(probabilities!).join(",");
    return { json: `${head},"data":[${data}]}`, bytes: null };
  }
  const values = isLabel ? BigInt64Array.from(labels, BigInt) : probabilities!;
  // Of the byte order of all machines that the runtime runs on.
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return { json: `${head},"parameters":{"binary_data_size":${bytes.length}}}`, bytes };
}

const modelPath = ({ name }: ServedModel): string => `/v2/models/${name}`;
const withVersion = (model: ServedModel, rest: string): readonly string[] => [
  `${modelPath(model)}${rest}`,
  `${modelPath(model)}/versions/${model.version}${rest}`,
];

function metadata(model: ServedModel): unknown {
  const [height, width] = model.shape;
  const fractions = model.element === "float32" ? "FP32" : "FP64";
  return {
    name: model.name,
    versions: [model.version],
    platform: PLATFORM,
    inputs: [{ name: model.input, datatype: model.whole ? "UINT8" : fractions, shape: [-1, height * width] }],
    outputs: [
      { name: "label", datatype: "INT64", shape: [-1] },
      ...(model.hasProbabilities
        ? [{ name: "probabilities", datatype: "FP32", shape: [-1, model.classes.length] }]
        : []),
    ],
  };
}

/** The Open Inference Protocol and its binary extension, as this program speaks it. */
export const oipService: Service = {
  scorePaths: (model) => withVersion(model, "/infer"),
  jsonBytes(headers) {
    const given = headers[BINARY_LENGTH.toLowerCase()];
    if (given === undefined) return null;
    if (/^\d{1,9}$/.test(given)) return Number(given);
    throw new RequestError(400, `${BINARY_LENGTH} must be the number of the JSON's bytes`);
  },
  read({ json, raw }, asked, model) {
    const body = objectOf(json, EXAMPLE);
    const { images, count, datatype } = inputIn(body, raw, model);
    const outputs = outputsIn(body, model);
    const id = nameOf(body.get("id")) || asked.id;
    const head = `{"model_name":${JSON.stringify(model.name)},"model_version":${JSON.stringify(model.version)},"id":${JSON.stringify(id)}`;
    return {
      images,
      count,
      pixels: asked.pixels || datatype === "UINT8",
      write(scores) {
        const parts = outputs.map((output) => written(output, scores, model.classes.length));
        const text = `${head},"outputs":[${parts.map(({ json }) => json).join(",")}]}`;
        const bytes = parts.flatMap(({ bytes }) => bytes ?? []);
        if (bytes.length === 0) return { headers: JSON_TYPE, body: text };
        const start = Buffer.from(text);
        return {
          headers: {
            "Content-Type": "application/octet-stream",
            [BINARY_LENGTH]: String(start.length),
          },
          body: Buffer.concat([start, ...bytes]),
        };
      },
    };
  },
  facts: [
    {
      paths: () => ["/v2"],
      health: false,
      reply: ({ server }) =>
        jsonReply({ name: "mnist-evaluate", version: server, extensions: [BINARY_EXTENSION] }),
    },
    { paths: () => ["/v2/models"], health: false, reply: ({ name }) => jsonReply({ models: [name] }) },
    { paths: (model) => withVersion(model, ""), health: false, reply: (model) => jsonReply(metadata(model)) },
    { paths: () => ["/v2/health/live"], health: true, reply: () => jsonReply({ live: true }) },
    {
      paths: () => ["/v2/health/ready"],
      health: true,
      reply: (_model, ready) => jsonReply({ ready }, ready ? 200 : 503),
    },
    {
      paths: (model) => withVersion(model, "/ready"),
      health: true,
      reply: ({ name }, ready) => jsonReply({ name, ready }, ready ? 200 : 503),
    },
  ],
  ownPath: /^\/v2(\/|$)/,
  error: (status, error) => jsonReply({ error }, status),
};
