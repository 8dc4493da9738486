import { randomUUID } from "node:crypto";

import { InputError, imagesOf, readNested } from "../images.ts";
import { JsonError, objectOf, parseJson, PYTHON, writeInts, writeRows } from "../json.ts";
import { ModelError } from "../service.ts";
import type { Deployment, Exchange, Reply, Request, Scores, Service } from "../service.ts";

/** Azure ML's inference server 1.5.1, as the local one of the SDK and in a container. `mode` is what score.py does. */
export const MODES = [
  "list",
  "string",
  "result",
  "result-string",
  "automl",
  "input_data",
  "schema",
  "html",
  "named",
  "both",
] as const;

const SCRIPT_ERROR = "An unexpected error occurred in scoring script. Check the logs for more info.";
const NOT_FOUND =
  "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.";
const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "BAD REQUEST",
  404: "NOT FOUND",
  405: "METHOD NOT ALLOWED",
  415: "UNSUPPORTED MEDIA TYPE",
  431: "REQUEST HEADER FIELDS TOO LARGE",
  500: "INTERNAL SERVER ERROR",
};

export function azureml(deployment: Deployment): Service {
  return {
    scorePaths: ["/score"],
    keepAliveMs: 0,
    handle: async (request, exchange) =>
      tooManyHeaders(request) ?? routeOf(request, deployment) ?? (await run(request, exchange, deployment)),
  };
}

interface Details {
  readonly type?: string;
  /** `x-ms-run-function-failed`; null leaves it out. */
  readonly failed?: "True" | "False" | null;
  readonly execMs?: number;
}

function gunicorn(request: Request | null, status: number, body: string, details: Details = {}): Reply {
  const { type = "application/json", failed = "False", execMs } = details;
  return {
    status,
    reason: REASONS[status] ?? "UNKNOWN",
    headers: [
      ["Server", "gunicorn"],
      ["Date", new Date().toUTCString()],
      ["Connection", "close"],
      ["Content-Type", type],
      ["Content-Length", String(Buffer.byteLength(body))],
      ...(failed === null ? [] : [["x-ms-run-function-failed", failed] as const]),
      ...(execMs === undefined ? [] : [["x-ms-run-fn-exec-ms", execMs.toFixed(3)] as const]),
      ...(request === null ? [] : idsOf(request)),
    ],
    body,
  };
}

function idsOf({ headers }: Request): (readonly [string, string])[] {
  const id = headers["x-request-id"] ?? randomUUID();
  const client = headers["x-ms-client-request-id"] ?? headers["x-ms-request-id"];
  return [
    ["x-ms-server-version", "azmlinfsrv/1.5.1"],
    ["x-request-id", id],
    ["x-ms-request-id", client ?? id],
    ...(client === undefined ? [] : [["x-ms-client-request-id", client] as const]),
    ...(headers["traceid"] === undefined ? [] : [["TraceId", headers["traceid"]] as const]),
  ];
}

const message = (text: string): string => `{"message": ${JSON.stringify(text)}}`;

function tooManyHeaders(request: Request): Reply | null {
  const long = Object.entries(request.headers).find(([name, value]) => name.length + value.length > 8186);
  if (long !== undefined) return page("limit request headers fields size");
  if (Object.keys(request.headers).length > 100) return page("limit request headers fields");
  if ((request.headers["x-request-id"] ?? "").length > 100) {
    const reply = gunicorn(null, 431, message("x-request-id must not exceed 100 characters"));
    return { ...reply, headers: [...reply.headers, ["x-ms-server-version", "azmlinfsrv/1.5.1"]] };
  }
  return null;
}

function page(limit: string): Reply {
  const reason = "Request Header Fields Too Large";
  const body =
    `<html>\n  <head>\n    <title>${reason}</title>\n  </head>\n  <body>\n    <h1><p>${reason}</p></h1>\n` +
    `    Error parsing headers: &#x27;${limit}&#x27;\n  </body>\n</html>\n`;
  return {
    status: 431,
    reason,
    headers: [
      ["Connection", "close"],
      ["Content-Type", "text/html"],
      ["Content-Length", String(body.length)],
    ],
    body,
  };
}

/** Answers that need no scoring script; null where it is asked. */
function routeOf(request: Request, deployment: Deployment): Reply | null {
  const { method, path, query } = request;
  if (path === "/" && (method === "GET" || method === "HEAD")) {
    return gunicorn(request, 200, "Healthy", { type: "text/html; charset=utf-8", failed: null });
  }
  if (path === "/swagger.json" && method === "GET") return swagger(request, query, deployment);
  if (path !== "/" && path !== "/score") return gunicorn(null, 404, message(NOT_FOUND));
  if (method === "OPTIONS") return gunicorn(request, 200, "", { type: "text/html; charset=utf-8" });
  if (path === "/" || (method !== "POST" && method !== "GET")) {
    return gunicorn(null, 405, message("The method is not allowed for the requested URL."));
  }
  return null;
}

function swagger(request: Request, query: string, { mode, rowShape }: Deployment): Reply {
  const version = new URLSearchParams(query).get("version") ?? "2";
  if (!["2", "3", "3.1"].includes(version)) {
    const text = `Swagger version [${version}] is not valid. Supported versions: [2, 3, 3.1].`;
    return gunicorn(request, 404, message(text));
  }
  const head = version === "2" ? `"swagger": "2.0"` : `"openapi": "${version === "3" ? "3.0.3" : "3.1.0"}"`;
  const paths = `{"/": {"get": {"operationId": "ServiceHealthCheck"}}, "/score": {"post": {"operationId": "RunMLService"}}}`;
  return gunicorn(
    request,
    200,
    `{${head}, "info": {"title": "ML service", "description": "API specification for the Azure Machine Learning service ML service", "version": "1.0"}, "paths": ${paths}${mode === "named" ? definitions(rowShape) : ""}}`,
  );
}

/** What inference_schema's decorators make of a run() whose argument is `images`, with a sample of one image. */
function definitions(rowShape: readonly number[]): string {
  const type = rowShape.reduce(
    (items: string) => `{"type": "array", "items": ${items}}`,
    `{"type": "number", "format": "double"}`,
  );
  const sample = rowShape.reduceRight(
    (items: unknown, size) => Array.from({ length: size }, () => items),
    0 as unknown,
  );
  const properties = `{"images": {"type": "array", "items": ${type}, "format": "numpy.ndarray"}}`;
  const example = `{"images": ${JSON.stringify([sample])}}`;
  return `, "definitions": {"ServiceInput": {"type": "object", "properties": ${properties}, "example": ${example}}}`;
}

async function run(request: Request, exchange: Exchange, deployment: Deployment): Promise<Reply> {
  const text = decode(request.body);
  if (typeof text === "number" && deployment.mode === "schema") {
    return gunicorn(
      request,
      400,
      message(`POST body could not be decoded as JSON: ${new JsonError(0).python()}`),
    );
  }
  if (typeof text === "number") {
    const byte = request.body[text]!.toString(16).padStart(2, "0");
    const what = `'utf-8' codec can't decode byte 0x${byte} in position ${text}: invalid start byte`;
    return gunicorn(request, 400, message(`Input cannot be decoded as UTF-8: ${what}`));
  }
  const refused = deployment.mode === "schema" ? schemaError(request, text) : null;
  if (refused !== null) return refused;
  const start = performance.now();
  try {
    // Flask reads forms before the script can, which then gets an empty text.
    const form = /^(?:application\/x-www-form-urlencoded|multipart\/)/.test(
      request.headers["content-type"] ?? "",
    );
    const images = imagesOf(
      readNested(dataOf(form ? "" : text, deployment.mode ?? "list")),
      deployment.rowShape,
    );
    const scores = await exchange.score(images);
    const type = deployment.mode === "html" ? "text/html; charset=utf-8" : "application/json";
    return gunicorn(request, 200, answer(scores, deployment), { type, execMs: performance.now() - start });
  } catch (error) {
    if (error instanceof InputError || error instanceof JsonError || error instanceof ModelError) {
      return gunicorn(request, 500, message(SCRIPT_ERROR), { failed: "True" });
    }
    throw error;
  }
}

/** The text, or where it stops being UTF-8. */
function decode(body: Buffer): string | number {
  try {
    // A byte order mark stays, which Python's json then refuses.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    const text = body.toString("utf8");
    return Buffer.byteLength(text.slice(0, text.indexOf("\ufffd")));
  }
}

function schemaError(request: Request, text: string): Reply | null {
  if (!(request.headers["content-type"] ?? "").startsWith("application/json")) {
    return gunicorn(request, 415, message("Expects Content-Type to be application/json"));
  }
  if (text === "") return gunicorn(request, 400, message("POST body is empty. Expecting a JSON dictionary."));
  try {
    const body = objectOf(parseJson(text, true));
    if (body === null) return gunicorn(request, 400, message("POST body should be a JSON dictionary."));
    if (Object.hasOwn(body, "data")) return null;
    return gunicorn(request, 400, message("A value is not provided for the 'data' parameter."));
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return gunicorn(request, 400, message(`POST body could not be decoded as JSON: ${error.python()}`));
  }
}

/** What the scoring script takes the images from. */
function dataOf(text: string, mode: string): unknown {
  const body = objectOf(parseJson(text, true));
  if (mode === "named") return body?.["images"];
  if (mode === "automl") return objectOf(body?.["Inputs"])?.["data"];
  if (mode !== "input_data") return body?.["data"];
  return objectOf(body?.["input_data"])?.["data"] ?? body?.["input_data"];
}

function answer({ labels, values, k }: Scores, { mode, output }: Deployment): string {
  const list = `[${output === "labels" ? writeInts(labels, PYTHON) : writeRows(values, k, PYTHON)}]`;
  if (mode === "string") return JSON.stringify(list);
  if (mode === "result") return `{"result": ${list}}`;
  if (mode === "result-string") return JSON.stringify(`{"result": ${list}}`);
  if (mode === "automl") return `{"Results": ${list}}`;
  if (mode === "both") return `{"result": [${writeInts(labels, PYTHON)}], "probabilities": ${list}}`;
  return list;
}
