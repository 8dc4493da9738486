import { randomUUID } from "node:crypto";

import { PNG } from "pngjs";

import { objectOf, parseJson, JsonError, PYTHON } from "../json.ts";
import { ModelError, reasonOf } from "../service.ts";
import type { Deployment, Exchange, Reply, Request, Scores, Service } from "../service.ts";
import { scaledImages } from "./bytes.ts";

const MAX_REQUEST = 6_553_500;

/**
 * TorchServe's inference API as its documentation and source have it: an image a request, or KServe's V1 with images in
 * base64. Mode `instances` gives out the latter's address. The handler scales the pixels itself.
 */
export function torchserve(deployment: Deployment): Service {
  const { name, mode } = deployment;
  const paths = [`/predictions/${name}`, `/v1/models/${name}:predict`];
  return {
    scorePaths: mode === "instances" ? paths.toReversed() : paths,
    keepAliveMs: 60_000,
    handle: async (request, exchange) => {
      const { method, path, body } = request;
      if (method !== "POST" || !paths.includes(path)) return other(request, deployment);
      if (body.length > MAX_REQUEST) {
        return failure(413, "RequestEntityTooLargeException", "Request entity is too large.");
      }
      const encoded = path === paths[0] ? [body] : instancesOf(body);
      if (encoded === null) return predictionFailed();
      return await predict(encoded, path === paths[1], exchange, deployment);
    },
  };
}

function reply(status: number, body: string, type: string | null = "application/json"): Reply {
  return {
    status,
    reason: reasonOf(status),
    headers: [
      ...(type === null ? [] : [["content-type", type] as const]),
      ["x-request-id", randomUUID()],
      ["Pragma", "no-cache"],
      ["Cache-Control", "no-cache; no-store, must-revalidate, private"],
      ["Expires", "Thu, 01 Jan 1970 00:00:00 UTC"],
      ["content-length", String(Buffer.byteLength(body))],
      ["connection", "keep-alive"],
    ],
    body,
  };
}

function failure(code: number, type: string, message: string): Reply {
  return reply(code, `${JSON.stringify({ code, type, message }, null, 2)}\n`);
}

const predictionFailed = (): Reply => failure(503, "InternalServerException", "Prediction failed");
const REFER = "please refer to API document.";

/** Everything but scoring. */
function other({ method, path }: Request, { name }: Deployment): Reply {
  if (path === "/ping") return reply(200, `{\n  "status": "Healthy"\n}\n`);
  if (path === `/v1/models/${name}` && method === "GET") {
    return reply(200, `{\n  "name": "${name}",\n  "ready": true\n}\n`);
  }
  const asked = /^\/(?:predictions\/([^/]+)|v1\/models\/([^/]+):predict)$/.exec(path);
  const model = asked?.[1] ?? asked?.[2];
  if (model === undefined) {
    return failure(404, "ResourceNotFoundException", `Requested resource is not found, ${REFER}`);
  }
  if (model !== name) return failure(404, "ModelNotFoundException", `Model not found: ${model}`);
  return failure(405, "MethodNotAllowedException", `Requested method is not allowed, ${REFER}`);
}

function instancesOf(body: Buffer): Buffer[] | null {
  try {
    const instances = objectOf(parseJson(body.toString(), false))?.["instances"];
    if (!Array.isArray(instances) || instances.length === 0) return null;
    return instances.map((instance) => Buffer.from(String(objectOf(instance)?.["data"]), "base64"));
  } catch (error) {
    if (error instanceof JsonError) return null;
    throw error;
  }
}

/** Grey values of an image file; null where it is none, or of another size. */
function pixelsOf(file: Buffer, size: number): Uint8Array | null {
  try {
    const { data } = PNG.sync.read(file);
    const pixels = new Uint8Array(data.length / 4);
    for (let i = 0; i < pixels.length; i++) pixels[i] = data[i * 4]!;
    return pixels.length === size ? pixels : null;
  } catch {
    return null;
  }
}

async function predict(
  files: readonly Buffer[],
  wrapped: boolean,
  exchange: Exchange,
  deployment: Deployment,
): Promise<Reply> {
  const size = deployment.rowShape.reduce((product, length) => product * length, 1);
  const pixels = new Uint8Array(files.length * size);
  for (const [i, file] of files.entries()) {
    const image = pixelsOf(file, size);
    if (image === null) return predictionFailed();
    pixels.set(image, i * size);
  }
  try {
    const scores = await exchange.score(scaledImages(pixels, files.length, deployment));
    const items = itemsOf(scores, deployment);
    if (!wrapped) return reply(200, indented(items[0] ?? [], ""), null);
    return reply(200, `{\n  "predictions": ${indented(items, "  ")}\n}`);
  } catch (error) {
    if (error instanceof ModelError) return predictionFailed();
    throw error;
  }
}

/** What the handler gives for each image: a label, or its scores. */
type Item = string | readonly Item[];

function itemsOf({ labels, values, k }: Scores, { output }: Deployment): Item[] {
  return Array.from(labels, (label, row) =>
    output === "labels"
      ? Number.isNaN(label)
        ? "NaN"
        : String(label)
      : Array.from(values.subarray(row * k, (row + 1) * k), PYTHON.float),
  );
}

/** Python's json.dumps with an indent of 2. */
function indented(item: Item, indent: string): string {
  if (typeof item === "string") return item;
  if (item.length === 0) return "[]";
  return `[\n${item.map((inner) => `${indent}  ${indented(inner, `${indent}  `)}`).join(",\n")}\n${indent}]`;
}
