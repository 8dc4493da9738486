import { randomUUID } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";

import { imagesOf, InputError } from "../images.ts";
import { JsonError, objectOf, ORJSON, parseJson, writeFloats, writeInts } from "../json.ts";
import { ModelError } from "../service.ts";
import type { Deployment, Exchange, Reply, Request, Scores, Service } from "../service.ts";
import { sklearnMessage } from "./sklearn.ts";
import { DATATYPES, readTensors, TensorError } from "./tensor.ts";
import { failure, NOT_ALLOWED, NOT_FOUND, redirect, uvicorn } from "./uvicorn.ts";

const VERSION = "v1";

/** MLServer 1.7 with its scikit-learn runtime. */
export function mlserver(deployment: Deployment): Service {
  const { name } = deployment;
  const scorePaths = [`/v2/models/${name}/infer`, `/v2/models/${name}/versions/${VERSION}/infer`];
  return {
    scorePaths,
    keepAliveMs: 5_000,
    listensWhileLoading: true,
    handle: async (request, exchange) => {
      const scoring = request.method === "POST" && scorePaths.includes(request.path);
      const reply = scoring ? await infer(request, exchange, deployment) : other(request, deployment);
      return compressed(reply, request);
    },
  };
}

/** Replies of 500 bytes and more vary by Accept-Encoding. */
function compressed(reply: Reply, { headers }: Request): Reply {
  if (Buffer.byteLength(reply.body) < 500) return reply;
  const vary = ["vary", "Accept-Encoding"] as const;
  if (!(headers["accept-encoding"] ?? "").includes("gzip")) {
    return { ...reply, headers: [...reply.headers, vary] };
  }
  const body = gzipSync(reply.body);
  const kept = reply.headers.map(([name, value]) =>
    name === "content-length" ? ([name, String(body.length)] as const) : ([name, value] as const),
  );
  return { ...reply, headers: [...kept, vary, ["content-encoding", "gzip"]], body };
}

const EMPTY = (status: number): Reply => uvicorn(status, "", null);

/** Everything but scoring. */
function other({ method, path, headers }: Request, { name, ready }: Deployment): Reply {
  if (method === "POST" && path === "/v2/repository/index") {
    return uvicorn(200, `[{"name":"${name}","version":"${VERSION}","state":"READY","reason":""}]`);
  }
  if (path.endsWith("/infer/")) return redirect(headers["host"] ?? "", path);
  if (path.endsWith("/infer") && method !== "POST") return NOT_ALLOWED();
  if (path === "/v2/health/live") return EMPTY(200);
  if (path === "/v2/health/ready") return EMPTY(ready() ? 200 : 400);
  if (path === "/v2") return uvicorn(200, `{"name":"mlserver","version":"1.7.0.dev0","extensions":[]}`);
  const asked = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/ready|\/infer)?$/.exec(path);
  if (asked === null) return NOT_FOUND();
  const [, model, version, what] = asked;
  if (model !== name) return failure(404, `Model ${model} not found`);
  if (version !== undefined && version !== VERSION) {
    return failure(404, `Model ${model} with version ${version} not found`);
  }
  if (what === "/ready") return EMPTY(ready() ? 200 : 400);
  return uvicorn(
    200,
    `{"name":"${name}","versions":[],"platform":"","inputs":[],"outputs":[],"parameters":{}}`,
  );
}

async function infer(request: Request, exchange: Exchange, deployment: Deployment): Promise<Reply> {
  const { headers } = request;
  if (!deployment.ready()) return failure(400, `Model ${deployment.name} is not ready yet.`);
  const type = headers["content-type"];
  if (type === "application/octet-stream")
    return uvicorn(500, "Internal Server Error", "text/plain; charset=utf-8");
  const body = headers["content-encoding"] === "gzip" ? gunzipSync(request.body) : request.body;
  if (body.length === 0) return unprocessable([missing(["body"], null)]);
  const text = body.toString();
  let parsed: unknown = text;
  try {
    if (type === undefined || type.startsWith("application/json")) parsed = parseJson(text, false);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const what = error.position >= text.length ? "unexpected end of data" : "unexpected character";
    const loc = ["body", error.position];
    return unprocessable([
      { type: "json_invalid", loc, msg: "JSON decode error", input: {}, ctx: { error: what } },
    ]);
  }
  const refused = invalid(parsed);
  if (refused !== null) return refused;
  try {
    return await score(objectOf(parsed)!, exchange, deployment);
  } catch (error) {
    if (error instanceof InputError) {
      return failure(500, `builtins.ValueError: ${sklearnMessage(error, deployment.rowShape[0] ?? 0)}`);
    }
    if (error instanceof TensorError || error instanceof ModelError) {
      return failure(500, `builtins.ValueError: ${error.message}`);
    }
    throw error;
  }
}

async function score(
  body: Readonly<Record<string, unknown>>,
  exchange: Exchange,
  deployment: Deployment,
): Promise<Reply> {
  const inputs = body["inputs"] as readonly unknown[];
  if (inputs.length !== 1) {
    const what = `The 'np' codec only supports a single input tensor (${inputs.length} were received)`;
    const problem = `There was an error encoding / decoding the payload: ${what}`;
    return failure(400, `mlserver.codecs.errors.CodecError: ${problem}`);
  }
  const asked = Array.isArray(body["outputs"])
    ? body["outputs"].map((output) => String(objectOf(output)?.["name"]))
    : [deployment.output === "labels" ? "predict" : "predict_proba"];
  const unknown = asked.find((output) => output !== "predict" && output !== "predict_proba");
  if (unknown !== undefined) {
    const what = `SKLearnModel only supports 'predict', 'predict_proba' and 'transform' as outputs (${unknown} was received)`;
    return failure(400, `mlserver.errors.InferenceError: ${what}`);
  }
  const [tensor] = readTensors(inputs, Buffer.alloc(0));
  const scores = await exchange.score(imagesOf(tensor!.nested, deployment.rowShape));
  const id = exchange.echo(typeof body["id"] === "string" ? body["id"] : randomUUID());
  const outputs = asked.map((output) => outputOf(output, scores)).join(",");
  const { name } = deployment;
  const reply = `{"model_name":"${name}","model_version":"${VERSION}","id":${JSON.stringify(id)},"parameters":{},"outputs":[${outputs}]}`;
  return uvicorn(200, reply, "application/json", cloudEvent(name, id));
}

function outputOf(name: string, { labels, values, k }: Scores): string {
  const n = labels.length;
  if (name === "predict_proba") {
    return `{"name":"predict_proba","shape":[${n},${k}],"datatype":"FP64","parameters":{"content_type":"np"},"data":[${writeFloats(values, ORJSON)}]}`;
  }
  const datatype = labels.some(Number.isNaN) ? "FP64" : "UINT8";
  return `{"name":"predict","shape":[${n},1],"datatype":"${datatype}","parameters":{"content_type":"np"},"data":[${writeInts(labels, ORJSON)}]}`;
}

function cloudEvent(model: string, id: string): (readonly [string, string])[] {
  return [
    ["ce-specversion", "0.3"],
    ["ce-source", "io.seldon.serving.deployment.mlserver"],
    ["ce-type", "io.seldon.serving.inference.response"],
    ["ce-modelid", model],
    ["ce-inferenceservicename", "mlserver"],
    ["ce-endpoint", model],
    ["ce-id", id],
    ["ce-requestid", id],
  ];
}

interface Detail {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input: unknown;
  readonly ctx?: { readonly error?: string; readonly expected?: string };
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

/** What pydantic has against the body, with the body in it. */
function invalid(body: unknown): Reply | null {
  const object = objectOf(body);
  if (object === null) {
    const msg = "Input should be a valid dictionary or object to extract fields from";
    return unprocessable([{ type: "model_attributes_type", loc: ["body"], msg, input: body }]);
  }
  const inputs = object["inputs"];
  if (!Array.isArray(inputs)) return unprocessable([missing(["body", "inputs"], body)]);
  const details = inputs.flatMap((input: unknown, i) => {
    const fields = objectOf(input) ?? {};
    const absent = ["name", "shape", "datatype", "data"]
      .filter((field) => fields[field] === undefined)
      .map((field) => missing(["body", "inputs", i, field], input));
    return [...absent, ...badDatatype(fields["datatype"], i)];
  });
  return details.length === 0 ? null : unprocessable(details);
}

function badDatatype(datatype: unknown, i: number): Detail[] {
  if (datatype === undefined || DATATYPES.some((name) => name === datatype)) return [];
  const quoted = DATATYPES.map((name) => `'${name}'`);
  const expected = `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
  const loc = ["body", "inputs", i, "datatype"];
  return [{ type: "enum", loc, msg: `Input should be ${expected}`, input: datatype, ctx: { expected } }];
}
