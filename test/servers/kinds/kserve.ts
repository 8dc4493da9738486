import { randomUUID } from "node:crypto";

import { imagesOf, InputError, readNested } from "../images.ts";
import { JsonError, objectOf, ORJSON, parseJson, writeFloats, writeInts, writeRows } from "../json.ts";
import { ModelError } from "../service.ts";
import type { Deployment, Exchange, Reply, Request, Scores, Service } from "../service.ts";
import { sklearnMessage } from "./sklearn.ts";
import { DATATYPES, readTensors, splitBinary, TensorError } from "./tensor.ts";
import { failure, NOT_ALLOWED, NOT_FOUND, redirect, uvicorn } from "./uvicorn.ts";

/** KServe's Python SDK server 0.20.0: V1 and V2 of its protocol. */
export function kserve(deployment: Deployment): Service {
  const { name, mode } = deployment;
  const paths = [`/v1/models/${name}:predict`, `/v2/models/${name}/infer`];
  return {
    scorePaths: mode === "v2" ? paths.toReversed() : paths,
    keepAliveMs: 65_000,
    handle: async (request, exchange) => {
      const [v1, v2] = paths;
      if (request.method === "POST" && request.path === v1)
        return await predict(request, exchange, deployment);
      if (request.method === "POST" && request.path === v2) return await infer(request, exchange, deployment);
      return other(request, name);
    },
  };
}

/** Everything but scoring. */
function other({ method, path, headers }: Request, name: string): Reply {
  const gets: Readonly<Record<string, string>> = {
    "/": `{"status":"alive"}`,
    "/v2/health/live": `{"live":true}`,
    "/v2/health/ready": `{"ready":true}`,
    "/v1/models": `{"models":["${name}"]}`,
    "/v2/models": `{"models":["${name}"]}`,
    [`/v1/models/${name}`]: `{"name":"${name}","ready":true}`,
    [`/v2/models/${name}/ready`]: `{"name":"${name}","ready":true}`,
    [`/v2/models/${name}`]: `{"name":"${name}","versions":null,"platform":"","inputs":[],"outputs":[]}`,
    "/v2": `{"name":"kserve","version":"0.20.0","extensions":["model_repository_extension"]}`,
  };
  if (method === "GET" && gets[path] !== undefined) return uvicorn(200, gets[path]);
  if (method === "GET" && path === "/metrics") {
    return uvicorn(
      200,
      "# HELP request_predict_seconds predict request latency\n",
      "text/plain; version=0.0.4; charset=utf-8",
    );
  }
  if (/^\/v[12]\/models\/[^/]+(?::predict|\/infer)\/$/.test(path)) {
    return redirect(headers["host"] ?? "", path);
  }
  if (method === "POST" && path.endsWith(":explain")) return failure(501, "Could not find explainer_host.");
  if (/^\/v2\/models\/[^/]+\/versions\/[^/]+\/infer$/.test(path)) {
    return failure(501, "Model versioning not supported yet.");
  }
  if (path.endsWith("/infer") && method !== "POST") return NOT_ALLOWED();
  const asked = /^\/v[12]\/models\/([^/]+?)(?:\/ready|\/infer)?$/.exec(path)?.[1];
  if (asked === undefined) return NOT_FOUND();
  return failure(
    404,
    `Model with name ${method === "GET" ? asked : asked.replace(/:predict$/, "")} does not exist.`,
  );
}

async function predict(request: Request, exchange: Exchange, deployment: Deployment): Promise<Reply> {
  let body: Readonly<Record<string, unknown>> | null;
  try {
    const text = strictText(request.body);
    if (text === null) return unrecognized("str is not valid UTF-8: surrogates not allowed", 0);
    if (text === "") return unrecognized("Input is a zero-length, empty document", 0);
    // A body of another type stays bytes, in which the model finds nothing.
    const type = request.headers["content-type"];
    body =
      type === undefined || type.startsWith("application/json") ? objectOf(parseJson(text, false)) : null;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const atEnd = error.position >= request.body.length;
    return unrecognized(atEnd ? "unexpected end of data" : "unexpected character", error.position);
  }
  const rows = body?.["instances"] ?? body?.["inputs"];
  if (body !== null && rows === undefined) return failure(500, "'instances'");
  if (body !== null && !Array.isArray(rows)) return failure(400, `Expected "instances" to be a list`);
  return await scored(deployment, async () => {
    const { labels, values, k } = await exchange.score(imagesOf(readNested(rows), deployment.rowShape));
    const list = deployment.output === "labels" ? writeInts(labels, ORJSON) : writeRows(values, k, ORJSON);
    return uvicorn(200, `{"predictions":[${list}]}`);
  });
}

function unrecognized(what: string, position: number): Reply {
  const at = `line 1 column ${position + 1} (char ${position})`;
  return failure(400, `Unrecognized request format: ${what}: ${at}`);
}

function strictText(body: Buffer): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return null;
  }
}

/** Runs it, and says what scikit-learn or the model says where it fails. */
async function scored(deployment: Deployment, task: () => Promise<Reply>): Promise<Reply> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof InputError) return failure(500, sklearnMessage(error, deployment.rowShape[0] ?? 0));
    if (error instanceof TensorError) return failure(500, error.message);
    if (error instanceof ModelError) return failure(500, `ValueError : ${error.message}`);
    throw error;
  }
}

async function infer(request: Request, exchange: Exchange, deployment: Deployment): Promise<Reply> {
  const { headers } = request;
  const type = headers["content-type"];
  const length = headers["inference-header-content-length"];
  if (type !== undefined && !type.startsWith("application/json") && length === undefined) {
    return failure(400, "received byte inputs, but the'inference-header-content-length' header is missing.");
  }
  const [json, binary] = splitBinary(request.body, length);
  if (json.length === 0) return unprocessable([missing(["body"], null)]);
  const text = strictText(json);
  if (text === null) return uvicorn(400, `{"detail":"There was an error parsing the body"}`);
  let body: unknown;
  try {
    body = parseJson(text, true);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const loc = ["body", error.position];
    return unprocessable([
      { type: "json_invalid", loc, msg: "JSON decode error", input: {}, ctx: { error: "Expecting value" } },
    ]);
  }
  const refused = invalid(body) ?? refusedOutputs(objectOf(body), deployment);
  if (refused !== null) return refused;
  const { inputs, id } = body as { readonly inputs: readonly unknown[]; readonly id?: unknown };
  return await scored(deployment, async () => {
    const [tensor] = readTensors(inputs, binary);
    if (tensor === undefined) return failure(500, "list index out of range");
    if (!DATATYPES.includes(tensor.datatype)) return failure(500, "invalid datatype None in the input");
    const scores = await exchange.score(imagesOf(tensor.nested, deployment.rowShape));
    return uvicorn(
      200,
      v2Reply(scores, deployment, exchange.echo(typeof id === "string" ? id : randomUUID())),
    );
  });
}

function v2Reply({ labels, values, k }: Scores, { name, output }: Deployment, id: string): string {
  const n = labels.length;
  const spoilt = labels.some(Number.isNaN);
  const of =
    output === "labels"
      ? `"shape":[${n}],"datatype":"${spoilt ? "FP64" : "UINT8"}","parameters":null,"data":[${writeInts(labels, ORJSON)}]`
      : `"shape":[${n},${k}],"datatype":"FP64","parameters":null,"data":[${writeFloats(values, ORJSON)}]`;
  return `{"model_name":"${name}","model_version":null,"id":${JSON.stringify(id)},"parameters":null,"outputs":[{"name":"output-0",${of}}]}`;
}

interface Detail {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input: unknown;
  readonly ctx?: { readonly error: string };
}

const missing = (loc: readonly (string | number)[], input: unknown): Detail => ({
  type: "missing",
  loc,
  msg: "Field required",
  input,
});

function unprocessable(detail: readonly Detail[]): Reply {
  return uvicorn(422, JSON.stringify({ detail }));
}

/** What pydantic has against the body; it tries the request and bytes, and names both. */
function invalid(body: unknown): Reply | null {
  const bytes: Detail = {
    type: "bytes_type",
    loc: ["body", "bytes"],
    msg: "Input should be a valid bytes",
    input: body,
  };
  const object = objectOf(body);
  const loc = ["body", "InferenceRequest"];
  if (object === null) {
    const msg = "Input should be a valid dictionary or object to extract fields from";
    return unprocessable([{ type: "model_attributes_type", loc, msg, input: body }, bytes]);
  }
  const inputs = object["inputs"];
  if (!Array.isArray(inputs)) return unprocessable([missing([...loc, "inputs"], body), bytes]);
  const details = inputs.flatMap((input: unknown, i) =>
    ["name", "shape", "datatype"]
      .filter((field) => objectOf(input)?.[field] === undefined)
      .map((field) => missing([...loc, "inputs", i, field], input)),
  );
  return details.length === 0 ? null : unprocessable([...details, bytes]);
}

function refusedOutputs(body: Readonly<Record<string, unknown>> | null, { name }: Deployment): Reply | null {
  const outputs = body?.["outputs"];
  if (!Array.isArray(outputs) || outputs.length === 0) return null;
  const first = objectOf(outputs[0])?.["name"];
  return failure(400, `Unexpected inference output '${String(first)}' for model '${name}'`);
}
