import { gunzipSync } from "node:zlib";

import { imagesOf, InputError } from "../images.ts";
import type { Images } from "../images.ts";
import { JsonError, objectOf, parseJson, writeFloats, writeInts } from "../json.ts";
import type { Writing } from "../json.ts";
import { ModelError, reasonOf } from "../service.ts";
import type { Deployment, Exchange, Reply, Request, Scores, Service } from "../service.ts";
import { scaledImages } from "./bytes.ts";
import { readTensors, splitBinary, TensorError } from "./tensor.ts";
import type { InputTensor } from "./tensor.ts";

const VERSION = "1";
const EXTENSIONS =
  "classification sequence model_repository model_repository(unload_dependents) schedule_policy model_configuration system_shared_memory cuda_shared_memory binary_tensor_data parameters statistics trace logging".split(
    " ",
  );
const WRITING: Writing = { separator: ",", float: String };

/**
 * Triton's HTTP server as its documentation and source have it: metadata that names tensors, the binary extension in
 * both directions. Mode `uint8`: the model takes bytes and scales them itself.
 */
export function triton(deployment: Deployment): Service {
  const { name } = deployment;
  const scorePaths = [`/v2/models/${name}/infer`, `/v2/models/${name}/versions/${VERSION}/infer`];
  return {
    scorePaths,
    keepAliveMs: 60_000,
    listensWhileLoading: true,
    handle: async (request, exchange) =>
      request.method === "POST" && scorePaths.includes(request.path)
        ? await infer(request, exchange, deployment)
        : other(request, deployment),
  };
}

function reply(status: number, body: string | Buffer, jsonLength?: number): Reply {
  const type = jsonLength === undefined ? "application/json" : "application/octet-stream";
  const length = String(Buffer.byteLength(body));
  const headers: (readonly [string, string])[] =
    length === "0"
      ? [
          ["Content-Length", length],
          ["Content-Type", "text/plain"],
        ]
      : [
          ["Content-Type", type],
          ...(jsonLength === undefined
            ? []
            : [["Inference-Header-Content-Length", String(jsonLength)] as const]),
          ["Content-Length", length],
        ];
  return { status, reason: reasonOf(status), headers, body };
}

const failure = (status: number, text: string): Reply => reply(status, `{"error":${JSON.stringify(text)}}`);

interface Tensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

function inputOf({ mode, inputName, inputType, rowShape, batch }: Deployment): Tensor {
  const datatypes: Readonly<Record<string, string>> = { float64: "FP64", uint8: "UINT8", int32: "INT32" };
  const datatype = mode === "uint8" ? "UINT8" : (datatypes[inputType] ?? "FP32");
  return { name: inputName, datatype, shape: [batch ?? -1, ...rowShape] };
}

function outputsOf({ output, classes, batch }: Deployment): Tensor[] {
  const label = { name: "label", datatype: "INT64", shape: [batch ?? -1] };
  if (output === "labels") return [label];
  const scores = { name: output, datatype: "FP32", shape: [batch ?? -1, classes] };
  return output === "logits" ? [scores] : [label, scores];
}

/** Everything but scoring. */
function other({ method, path }: Request, deployment: Deployment): Reply {
  const { name, ready } = deployment;
  if (path === "/v2/health/live") return reply(200, "");
  if (path === "/v2/health/ready") return reply(ready() ? 200 : 400, "");
  if (path === "/v2") {
    return reply(200, JSON.stringify({ name: "triton", version: "2.50.0", extensions: EXTENSIONS }));
  }
  if (method === "POST" && path === "/v2/repository/index") {
    return reply(200, JSON.stringify([{ name, version: VERSION, state: "READY" }]));
  }
  const asked = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/ready|\/infer)?$/.exec(path);
  if (asked === null) return reply(404, "");
  const [, model, version = VERSION, what] = asked;
  const known = model === name && version === VERSION;
  if (what === "/ready") return reply(known && ready() ? 200 : 400, "");
  if (!known) return failure(404, `Request for unknown model: '${model}' is not found`);
  if (method !== (what === "/infer" ? "POST" : "GET")) return reply(405, "");
  const metadata = { name, versions: [VERSION], platform: "onnxruntime_onnx" };
  return reply(
    200,
    JSON.stringify({ ...metadata, inputs: [inputOf(deployment)], outputs: outputsOf(deployment) }),
  );
}

async function infer(request: Request, exchange: Exchange, deployment: Deployment): Promise<Reply> {
  const { headers } = request;
  if (!deployment.ready()) {
    return failure(400, `Request for unknown model: '${deployment.name}' has no available versions`);
  }
  const body = headers["content-encoding"] === "gzip" ? gunzipSync(request.body) : request.body;
  const [json, binary] = splitBinary(body, headers["inference-header-content-length"]);
  try {
    const parsed = objectOf(parseJson(json.toString(), true)) ?? {};
    const { inputs } = parsed;
    if (!Array.isArray(inputs))
      return failure(
        400,
        "failed to parse the request JSON buffer: Unable to parse 'inputs': attempt to access non-existing object member 'inputs'",
      );
    const tensors = readTensors(inputs, binary);
    const refused = refusal(tensors, deployment);
    if (refused !== null) return failure(400, refused);
    const scores = await exchange.score(imagesIn(tensors[0]!, deployment));
    const id = typeof parsed["id"] === "string" && parsed["id"] !== "" ? exchange.echo(parsed["id"]) : null;
    return answer(scores, id, parsed, deployment);
  } catch (error) {
    return failed(error, deployment);
  }
}

function failed(error: unknown, { name }: Deployment): Reply {
  if (error instanceof JsonError) {
    return failure(400, `failed to parse the request JSON buffer: Invalid value. at ${error.position}`);
  }
  if (error instanceof TensorError) {
    return failure(500, "Unable to parse 'data': Shape does not match true shape of 'data' field");
  }
  if (error instanceof InputError)
    return failure(400, "Unable to parse 'data': attempt to access JSON non-number as number");
  if (error instanceof ModelError) return failure(500, `onnx runtime error 2: ${error.message} in '${name}'`);
  throw error;
}

/** What Triton has against the inputs, null where they fit. */
function refusal(tensors: readonly InputTensor[], deployment: Deployment): string | null {
  const { name, rowShape, batch } = deployment;
  const input = inputOf(deployment);
  if (tensors.length !== 1) {
    return `expected 1 inputs but got ${tensors.length} inputs for model '${name}'. Got input(s) [${tensors.map((tensor) => `'${tensor.name}'`).join(",")}], but missing required input(s) ['${input.name}']. Please provide all required input(s).`;
  }
  const [{ name: given, datatype, nested }] = tensors as readonly [InputTensor];
  if (given !== input.name) return `unexpected inference input '${given}' for model '${name}'`;
  if (datatype !== input.datatype) {
    return `inference input '${given}' data-type is '${datatype}', but model '${name}' expects '${input.datatype}'`;
  }
  const [rows, ...row] = nested.shape;
  if (row.join() === rowShape.join() && rows === (batch ?? rows)) return null;
  return `unexpected shape for input '${given}' for model '${name}'. Expected [${input.shape.join(",")}], got [${nested.shape.join(",")}]`;
}

function imagesIn({ nested }: InputTensor, deployment: Deployment): Images {
  const images = imagesOf(nested, deployment.rowShape);
  return deployment.mode === "uint8" ? scaledImages(images.values, images.n, deployment) : images;
}

/** The outputs that the request asks for, each as JSON or after it. */
function answer(
  scores: Scores,
  id: string | null,
  request: Readonly<Record<string, unknown>>,
  deployment: Deployment,
): Reply {
  const all = objectOf(request["parameters"])?.["binary_data_output"] === true;
  const asked = Array.isArray(request["outputs"]) ? request["outputs"].map(objectOf) : null;
  const available = outputsOf(deployment);
  const names = asked?.map((output) => String(output?.["name"])) ?? available.map(({ name }) => name);
  const unknown = names.find((name) => !available.some((output) => output.name === name));
  if (unknown !== undefined) {
    return failure(400, `unexpected inference output '${unknown}' for model '${deployment.name}'`);
  }
  const raw: Buffer[] = [];
  const outputs = names.map((name, i) => {
    const wanted = objectOf(asked?.[i]?.["parameters"])?.["binary_data"];
    return outputText(name, scores, wanted === true || (wanted === undefined && all) ? raw : null);
  });
  const idText = id === null ? "" : `"id":${JSON.stringify(id)},`;
  const head = `"model_name":"${deployment.name}","model_version":"${VERSION}"`;
  const json = `{${idText}${head},"outputs":[${outputs.join(",")}]}`;
  if (raw.length === 0) return reply(200, json);
  return reply(200, Buffer.concat([Buffer.from(json), ...raw]), Buffer.byteLength(json));
}

/** One output; its numbers go to `raw` where that is not null. */
function outputText(name: string, { labels, values, k }: Scores, raw: Buffer[] | null): string {
  const isLabel = name === "label";
  // A label that is NaN has no integer.
  const datatype = !isLabel ? "FP32" : labels.some(Number.isNaN) ? "FP64" : "INT64";
  const shape = isLabel ? [labels.length] : [values.length / k, k];
  const head = `"name":"${name}","datatype":"${datatype}","shape":[${shape.join(",")}]`;
  if (raw === null) {
    return `{${head},"data":[${isLabel ? writeInts(labels, WRITING) : writeFloats(values, WRITING)}]}`;
  }
  const numbers =
    datatype === "FP32"
      ? new Float32Array(values)
      : datatype === "FP64"
        ? labels
        : BigInt64Array.from(labels, (label) => BigInt(label));
  raw.push(Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  return `{${head},"parameters":{"binary_data_size":${numbers.byteLength}}}`;
}
