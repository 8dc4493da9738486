// The thread that draws: it loads Vega while the main thread reads and scores, and answers one request, a chart a message.
import { setFlagsFromString } from "node:v8";
import { parentPort } from "node:worker_threads";

import { renderSvg } from "../charts/render.ts";
import { CHARTS } from "../charts/table.ts";
import type { Evaluation } from "../types.ts";
import type { DrawMessage } from "./draw.ts";

async function draw(evaluation: Evaluation): Promise<void> {
  for (const [name, chart] of Object.entries(CHARTS)) {
    const spec = chart.spec(evaluation);
    if (spec === null) continue;
    const svg = await renderSvg(name, spec);
    const chartOf = { name, title: chart.title(evaluation), description: chart.description(evaluation), svg };
    send({ chart: chartOf });
  }
}

/**
 * Draws without V8's optimising compiler, which takes longer than it saves on code that runs for a fraction of a second:
 * 270 ms of processor time for ten SVGs instead of 440. The flag is the whole process's, whose main thread then spends
 * its time in the rasteriser.
 */
async function drawUnoptimised(evaluation: Evaluation): Promise<void> {
  setFlagsFromString("--no-opt");
  try {
    await draw(evaluation);
  } finally {
    setFlagsFromString("--opt");
  }
}

const port = parentPort;

function send(message: DrawMessage): void {
  port?.postMessage(message);
}

port?.once("message", (evaluation: Evaluation) => {
  void drawUnoptimised(evaluation).then(
    () => send({ done: true }),
    (error: unknown) => send({ error: describe(error) }),
  );
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
