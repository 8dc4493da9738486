import { parentPort, workerData } from "node:worker_threads";

import { EvaluateError, messageOf } from "../errors.ts";
import { openEngine, type Engine, type EngineOptions } from "./engine.ts";
import type { FromWorker, ToWorker } from "./thread.ts";

/** The other end of `openThreadedEngine`: opens the model, and scores what it is sent until it is told to end. */
export async function runWorker(): Promise<void> {
  const port = parentPort!;
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  const say = (message: FromWorker): void => port.postMessage(message);
  let engine: Engine;
  try {
    engine = await openEngine(workerData as EngineOptions);
  } catch (error) {
    say(failure(error));
    return;
  }
  port.on("message", (message: ToWorker) => {
    if (message === "close") void engine.close().finally(() => port.close());
    else
      engine.score(message.rows, message.count).then(
        (scores) => say({ scores }),
        (error: unknown) => say(failure(error)),
      );
  });
  say({ facts: engine.facts });
}

function failure(error: unknown): FromWorker {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  return { error: { message: messageOf(error), known: error instanceof EvaluateError, stack } };
}
