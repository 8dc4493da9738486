import { Worker } from "node:worker_threads";

import { ReportError } from "../errors.ts";
import type { Evaluation, RenderedChart, ReportFile } from "../types.ts";
import type { ChartFormat } from "./options.ts";

/** The charts of one run: for the page, and as the files that `--charts` asks for. */
export interface Drawn {
  readonly charts: readonly RenderedChart[];
  readonly files: readonly ReportFile[];
  /** The `@font-face` rules that the charts need on a page that holds them. */
  readonly fontFaceCss: string;
}

export interface Drawing {
  /** @throws ReportError */
  draw(evaluation: Evaluation): Promise<Drawn>;
  stop(): Promise<void>;
}

export interface DrawRequest {
  readonly evaluation: Evaluation;
  readonly formats: readonly ChartFormat[];
}

/** What the worker answers: the pictures, or the error that it met. */
export type DrawReply =
  | { readonly drawn: Drawn }
  | { readonly error: { readonly name: string; readonly message: string; readonly stack: string } };

const NOTHING: Drawn = { charts: [], files: [], fontFaceCss: "" };

/**
 * Starts a thread that loads the drawing packages while this one reads and scores. Memory and time are spent only where
 * charts are wanted.
 */
export function startDrawing(formats: readonly ChartFormat[], signal: AbortSignal): Drawing {
  if (formats.length === 0) return { draw: () => Promise.resolve(NOTHING), stop: () => Promise.resolve() };
  const worker = new Worker(new URL("./draw-worker.mjs", import.meta.url));
  const reply = new Promise<DrawReply>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
  // A run that fails before it draws never asks for the reply.
  reply.catch(() => {});
  return {
    async draw(evaluation) {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage({ evaluation, formats } satisfies DrawRequest);
      const answer = await reply;
      if ("drawn" in answer) return answer.drawn;
      if (answer.error.name === "ReportError") throw new ReportError(answer.error.message);
      throw Object.assign(new Error(answer.error.message), { stack: answer.error.stack });
    },
    async stop() {
      await worker.terminate();
    },
  };
}
