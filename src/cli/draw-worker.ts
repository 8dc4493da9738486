// The thread that draws: it loads Vega while the main thread reads and scores, and answers one request.
import { setFlagsFromString } from "node:v8";
import { parentPort } from "node:worker_threads";

import { fontFaceCss, standalone } from "../charts/fontface.ts";
import { renderPng, renderSvg } from "../charts/render.ts";
import { CHARTS } from "../charts/table.ts";
import type { RenderedChart, ReportFile } from "../types.ts";
import type { Drawn, DrawReply, DrawRequest } from "./draw.ts";

/** PNGs that are made at a time: no fewer keep up with the SVGs, and each holds 20 MB. */
const PNG_LANES = 2;

async function draw({ evaluation, formats }: DrawRequest): Promise<Drawn> {
  const charts: RenderedChart[] = [];
  const files: Promise<ReportFile>[] = [];
  const lanes: Promise<unknown>[] = Array.from({ length: PNG_LANES }, () => Promise.resolve());
  for (const [name, chart] of Object.entries(CHARTS)) {
    const spec = chart.spec(evaluation);
    if (spec === null) continue;
    const svg = await renderSvg(name, spec);
    charts.push({ name, title: chart.title(evaluation), description: chart.description(evaluation), svg });
    if (formats.includes("svg")) {
      files.push(Promise.resolve({ path: `charts/${name}.svg`, content: standalone(svg) }));
    }
    // Rasterised by other threads while the next chart is laid out here.
    if (formats.includes("png")) {
      const png = (lanes.shift() ?? Promise.resolve()).then(() => renderPng(svg));
      lanes.push(png);
      files.push(png.then((content) => ({ path: `charts/${name}.png`, content })));
    }
  }
  return {
    charts,
    files: await Promise.all(files),
    fontFaceCss: fontFaceCss(),
  };
}

/**
 * Draws without V8's optimising compiler, which takes longer than it saves on code that runs for a fraction of a second:
 * 270 ms of processor time for ten SVGs instead of 440. The flag is the whole process's, whose main thread only waits.
 */
async function drawUnoptimised(request: DrawRequest): Promise<Drawn> {
  setFlagsFromString("--no-opt");
  try {
    return await draw(request);
  } finally {
    setFlagsFromString("--opt");
  }
}

const port = parentPort;
port?.once("message", (request: DrawRequest) => {
  void drawUnoptimised(request)
    .then((drawn): DrawReply => ({ drawn }))
    .catch((error: unknown): DrawReply => ({ error: describe(error) }))
    .then((reply) => port.postMessage(reply));
});

/** An error keeps its class only on its own side of a thread's border. */
function describe(error: unknown): {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
} {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), stack: "" };
  return { name: error.name, message: error.message, stack: error.stack ?? "" };
}
