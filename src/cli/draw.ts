import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";

import { fontFaceCss, standalone } from "../charts/fontface.ts";
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

/** What the worker sends: one chart after the other, and at the end that it is done, or the error that it met. */
export type DrawMessage =
  | { readonly chart: RenderedChart }
  | { readonly done: true }
  | { readonly error: { readonly name: string; readonly message: string; readonly stack: string } };

/** PNGs in the making: while one is compressed on another thread, the next is rasterised on this one. */
const PNG_LANES = 2;

/** Else V8 lets what each chart leaves behind grow to several times this before it looks at it. */
const LIMITS = { maxYoungGenerationSizeMb: 12 } as const;

/** Of pixels and requests: a service's are more than a model's. */
const MUCH_BYTES = 16_000_000;

const NOTHING: Drawn = { charts: [], files: [], fontFaceCss: "" };

/**
 * Starts a thread that loads the drawing packages while this one reads and scores. Memory and time are spent only where
 * charts are wanted.
 */
export function startDrawing(formats: readonly ChartFormat[], signal: AbortSignal): Drawing {
  if (formats.length === 0) return { draw: () => Promise.resolve(NOTHING), stop: () => Promise.resolve() };
  const worker = new Worker(new URL("./draw-worker.cjs", import.meta.url), { resourceLimits: LIMITS });
  let finished = false;
  const failed = new Promise<never>((_, reject) => {
    worker.once("error", reject);
    worker.once("exit", () => {
      if (!finished) reject(new Error("the thread that draws ended before it was done"));
    });
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
  // A run that fails before it draws never waits for the worker.
  failed.catch(() => {});
  return {
    async draw(evaluation) {
      // What scoring left behind makes room for the pictures; where it is little, looking for it takes longer than it is worth.
      collectGarbage(process.memoryUsage().arrayBuffers > MUCH_BYTES ? "all" : "young");
      const charts: RenderedChart[] = [];
      const files: ReportFile[] = [];
      const lanes = Array.from({ length: PNG_LANES }, () => Promise.resolve());
      const drawn = new Promise<void>((resolve, reject) => {
        worker.on("message", (message: DrawMessage) => {
          if ("error" in message) reject(errorOf(message.error));
          else if ("done" in message) {
            finished = true;
            resolve();
          } else {
            charts.push(message.chart);
            // Made here while the next chart is laid out there.
            const made = lanes.shift()!.then(() => addFiles(message.chart, formats, files));
            made.catch(reject);
            lanes.push(made);
          }
        });
      });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage(evaluation);
      await Promise.race([drawn.then(() => Promise.all(lanes)), failed]);
      // In an order of their own, whichever was ready first.
      files.sort((a, b) => (a.path < b.path ? -1 : 1));
      return { charts, files, fontFaceCss: fontFaceCss() };
    },
    async stop() {
      // One that has drawn ends by itself, and keeps its compiled code for the next run.
      if (!finished) await worker.terminate();
    },
  };
}

async function addFiles(
  { name, svg }: RenderedChart,
  formats: readonly ChartFormat[],
  files: ReportFile[],
): Promise<void> {
  if (formats.includes("svg")) files.push({ path: `charts/${name}.svg`, content: standalone(svg) });
  if (!formats.includes("png")) return;
  const { renderPng } = await import("../charts/rasterise.ts");
  files.push({ path: `charts/${name}.png`, content: await renderPng(svg) });
  collectGarbage("young");
}

let collect: ((options?: { readonly type: "minor" }) => void) | undefined;

/** A picture's 12 MB lie outside of V8's heap, where it does not see them: on its own it would keep them all. */
function collectGarbage(what: "young" | "all"): void {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as NonNullable<typeof collect>;
    // Compiled code that is kept for the next run counts only under the same flags.
    setFlagsFromString("--no-expose-gc");
  }
  if (what === "young") collect({ type: "minor" });
  // Without options: Node 20 takes any others than these for a minor collection.
  else collect();
}

function errorOf({ name, message, stack }: { name: string; message: string; stack: string }): Error {
  return name === "ReportError" ? new ReportError(message) : Object.assign(new Error(message), { stack });
}
