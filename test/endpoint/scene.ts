import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, onTestFinished } from "vitest";

import type { Evaluation } from "../../src/types.ts";
import { readJson, workspace, type Finished, type RunOptions } from "../cli/command.ts";
import { serverHere } from "../servers/scene.ts";
import type { Kind, ServerOptions, StartedServer } from "../servers/start.ts";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** float32 [?, 784], unit → label and one-vs-rest scores. */
export const LOGREG = at("data/models/mnist-logreg.onnx");
/** The same as LOGREG by another solver, with other probabilities. */
export const SKLEARN = at("test/fixtures/models/sklearn-logreg.onnx");
/** float32 [1, 1, 28, 28], unit → logits. */
export const MNIST_12 = at("test/fixtures/models/mnist-12.onnx");
/** float32 [?, 1, 28, 28], unit → logits. */
export const LENET = at("test/fixtures/models/pytorch-dynamic-mit.onnx");

/** Numbers alone, which is all that most tests look at. */
export const BARE = ["--charts", "none", "--reports", "json,csv", "--quiet"];
export const EPOCH = { SOURCE_DATE_EPOCH: "1767225600" };

export type TestServerOptions = Partial<ServerOptions> & { readonly key?: string };

/** What ends with a test; tests that run side by side have each their own. */
export interface TestEnd {
  readonly onTestFinished: (action: () => Promise<void>) => void;
}

/** A server that is gone after the test. */
export async function server(
  kind: Kind,
  options: TestServerOptions = {},
  end: TestEnd = { onTestFinished },
): Promise<StartedServer> {
  const started = await serverHere(kind, options);
  end.onTestFinished(async () => await started.stop());
  return started;
}

/** A server that answers as a test says, which gets each request once its body has been read. */
export async function answering(answer: RequestListener): Promise<string> {
  const http = createServer((request, response) => {
    request.resume().on("end", () => answer(request, response));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

/** What a run predicted: rows of predictions.csv by the image's index. */
export interface Predictions {
  /** Index → class. */
  readonly labels: ReadonlyMap<number, string>;
  /** Index → k; empty where the scorer gives labels only. */
  readonly probabilities: ReadonlyMap<number, readonly number[]>;
}

export function predictionsOf(out: string): Predictions {
  const [, ...rows] = readFileSync(join(out, "predictions.csv"), "utf8").trim().split(/\r?\n/);
  const labels = new Map<number, string>();
  const probabilities = new Map<number, readonly number[]>();
  for (const row of rows) {
    const [index, , predicted, , , ...scores] = row.split(",");
    labels.set(Number(index), predicted!);
    if (scores.length > 0) probabilities.set(Number(index), scores.map(Number));
  }
  return { labels, probabilities };
}

/** How far a run's predictions are from another's. */
export interface Distance {
  /** Images that both have. */
  readonly images: number;
  /** Images with other labels. */
  readonly differing: readonly number[];
  /** Largest absolute difference of a probability; null where either has labels only. */
  readonly largest: number | null;
}

export function distance(one: Predictions, other: Predictions): Distance {
  const common = [...one.labels.keys()].filter((index) => other.labels.has(index));
  let largest: number | null = null;
  for (const [index, own] of one.probabilities) {
    const their = other.probabilities.get(index);
    if (their === undefined) continue;
    for (const [k, p] of own.entries()) largest = Math.max(largest ?? 0, Math.abs(p - their[k]!));
  }
  return {
    images: common.length,
    differing: common.filter((index) => one.labels.get(index) !== other.labels.get(index)),
    largest,
  };
}

/** A folder with a data cache, in which the command runs. */
export function scene() {
  const { evaluate, path, folder, data } = workspace();
  let runs = 0;
  const locally = new Map<string, Promise<Predictions>>();

  async function scoredLocally(args: readonly string[]): Promise<Predictions> {
    const out = path(`local-${(runs += 1)}`);
    const finished = await evaluate([...BARE, "--out", out, ...args]);
    expect(finished).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
    return predictionsOf(out);
  }

  /** Runs the command without charts. @returns where its files are, too */
  const bare = async (
    args: readonly string[],
    options: RunOptions & { readonly out?: string } = {},
  ): Promise<Finished & { readonly out: string }> => {
    const { out = path(`run-${(runs += 1)}`), ...rest } = options;
    return { ...(await evaluate([...BARE, "--out", out, ...args], rest)), out };
  };

  /** What a local model predicts, computed once. */
  const local = async (model: string, ...args: string[]): Promise<Predictions> => {
    const key = [model, ...args].join(" ");
    const known = locally.get(key) ?? scoredLocally(["--model", model, ...args]);
    locally.set(key, known);
    return await known;
  };

  return { path, folder, data, evaluate, bare, local };
}

/** Has a run tell its peak resident memory at its end. @param folder for the files that this takes */
export function memory(folder: string): {
  readonly env: Readonly<Record<string, string>>;
  readonly peakMb: () => number;
} {
  const [preload, told] = [join(folder, "tell.cjs"), join(folder, "peak")];
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    preload,
    `require("node:worker_threads").isMainThread && process.on("exit", () =>
      require("node:fs").writeFileSync(${JSON.stringify(told)}, String(process.resourceUsage().maxRSS / 1024)));`,
  );
  return { env: { NODE_OPTIONS: `--require ${preload}` }, peakMb: () => Number(readFileSync(told, "utf8")) };
}

export function metricsOf(out: string): Evaluation {
  return readJson<Evaluation>(out, "metrics.json");
}
