import { request as httpRequest, type IncomingHttpHeaders } from "node:http";

import { onTestFinished } from "vitest";

import { bundledModel } from "../../src/scorer/open.ts";
import type { Rows } from "../../src/scorer/numbers.ts";
import { openEngine, type Engine, type EngineFacts } from "../../src/server/engine.ts";
import { jsonLog } from "../../src/server/log.ts";
import { startService, type RunningService, type ServiceOptions } from "../../src/server/service.ts";
import type { Scores } from "../../src/types.ts";

export const OPTIONS: ServiceOptions = {
  host: "127.0.0.1",
  port: 0,
  modelName: "mnist",
  scale: "unit",
  invert: false,
  pixels: "0-1",
  maxRequestBytes: 1_000_000,
  concurrency: 64,
  timeoutMs: 20_000,
  batchSize: 64,
  batchDelayMs: 2,
  corsOrigins: [],
  keys: [],
  version: "0.1.0",
};

export interface Scene extends RunningService {
  readonly logged: () => readonly Readonly<Record<string, unknown>>[];
  readonly logText: () => string;
}

export const bundledEngine = (): Promise<Engine> =>
  openEngine({ path: bundledModel, classes: null, layout: "auto", output: null });

/** A service in this process, stopped after the test. */
export async function serve(
  options: Partial<ServiceOptions> = {},
  engine: () => Promise<Engine> = bundledEngine,
): Promise<Scene> {
  let text = "";
  const log = jsonLog(
    "info",
    (lines) => (text += lines),
    () => new Date(0),
  );
  const service = await startService({ ...OPTIONS, ...options }, engine, log);
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> => (stopped ??= service.stop());
  onTestFinished(() => stop().catch(() => {}));
  const logText = (): string => {
    log.flush();
    return text;
  };
  return {
    ...service,
    stop,
    logText,
    logged: () =>
      logText()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

export const FACTS: EngineFacts = {
  file: "fake.onnx",
  sha256: "0".repeat(64),
  classes: ["a", "b", "c"],
  shape: [2, 2],
  input: "x",
  element: "float32",
  whole: false,
  ownLabels: false,
  hasProbabilities: true,
  takes: "x float32 [N, 4]",
  gives: "y float32 [N, 3]",
};

/** A model of 2×2 images whose label is its image's first number, and which is certain of it. */
export function fakeEngine(
  score: (rows: Rows, count: number) => Promise<Scores> = (rows, count) =>
    Promise.resolve(firstNumbers(rows, count)),
  facts: Partial<EngineFacts> = {},
): () => Promise<Engine> {
  return () => Promise.resolve({ facts: { ...FACTS, ...facts }, score, close: () => Promise.resolve() });
}

export function firstNumbers(rows: Rows, count: number): Scores {
  const labels = Uint8Array.from({ length: count }, (_, row) => rows[row * 4]!);
  const probabilities = new Float32Array(count * 3);
  labels.forEach((label, row) => (probabilities[row * 3 + label] = 1));
  return { labels, probabilities };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly bytes: Buffer;
}

interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** One request on a connection of its own, without what `fetch` adds or hides. */
export function ask(url: string, { method, headers = {}, body }: Asking = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      url,
      { method: method ?? (body === undefined ? "GET" : "POST"), headers, agent: false },
      (response) => {
        const pieces: Buffer[] = [];
        response.on("data", (piece: Buffer) => pieces.push(piece));
        response.on("error", reject).on("end", () => {
          const bytes = Buffer.concat(pieces);
          resolve({ status: response.statusCode!, headers: response.headers, body: bytes.toString(), bytes });
        });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}
