import { Worker } from "node:worker_threads";

import { ScorerError } from "../errors.ts";
import { forbidTelemetry } from "../scorer/session.ts";
import type { Scores } from "../types.ts";
import type { Engine, EngineFacts, EngineOptions } from "./engine.ts";

/** What the thread is asked: rows to score, or to end. */
export type ToWorker = { readonly rows: Float32Array | Float64Array; readonly count: number } | "close";
/** What it says: that it is open, the scores of what it was asked last, or what went wrong. */
export type FromWorker =
  | { readonly facts: EngineFacts }
  | { readonly scores: Scores }
  | { readonly error: { readonly message: string; readonly known: boolean; readonly stack: string } };

/** What waits for the thread's next word. */
interface Waiting {
  readonly resolve: (message: FromWorker) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Opens a model in a thread of its own.
 *
 * @param script that calls `runWorker`
 * @throws ScorerError
 */
export async function openThreadedEngine(script: URL, options: EngineOptions): Promise<Engine> {
  forbidTelemetry();
  const worker = new Worker(script, { workerData: options });
  let waiting: Waiting | null = null;
  let ended: Error | null = null;
  const next = (): Promise<FromWorker> =>
    new Promise((resolve, reject) => {
      if (ended !== null) reject(ended);
      else waiting = { resolve, reject };
    });
  worker.on("message", (message: FromWorker) => waiting?.resolve(message));
  const end = (error: Error): void => {
    ended = error;
    waiting?.reject(error);
  };
  worker.on("error", end);
  worker.on("exit", (code) => end(new Error(`the thread that runs the model ended with ${code}`)));
  const said = await next();
  if (!("facts" in said)) throw errorIn(said);
  return {
    facts: said.facts,
    async score(rows, count) {
      const answer = next();
      // Copied: the rows may be a part of what other requests still need.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage({ rows, count } satisfies ToWorker);
      const message = await answer;
      if ("scores" in message) return message.scores;
      throw errorIn(message);
    },
    async close() {
      const gone = new Promise((resolve) => worker.once("exit", resolve));
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage("close" satisfies ToWorker);
      await gone;
    },
  };
}

function errorIn(message: FromWorker): Error {
  if (!("error" in message)) return new Error("the thread that runs the model answered out of turn");
  const { error } = message;
  return error.known
    ? new ScorerError(error.message)
    : Object.assign(new Error(error.message), { stack: error.stack });
}
