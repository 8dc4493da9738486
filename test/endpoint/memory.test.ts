import { expect, test } from "vitest";

import type { Kind } from "../servers/start.ts";
import { memory, scene, server } from "./scene.ts";

const { evaluate, path } = scene();

/** Measured: 205–235 MB with all charts, 120–140 MB without. The tutorial posts all images in one request, and takes 620 MB. */
const MOST_MB = 250;

/** Peak resident memory of a run, in MB, as the process itself tells at its end. */
async function peakMb(args: readonly string[]): Promise<number> {
  const { env, peakMb: peak } = memory(path("memory"));
  const { code, stderr } = await evaluate([...args, "--quiet", "--out", path("out")], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return peak();
}

test.each<readonly [Kind, readonly string[]]>([
  ["azureml", []],
  ["azureml", ["--charts", "none", "--reports", "json"]],
  ["triton", []],
  ["triton", ["--charts", "none", "--reports", "json"]],
])(`scoring 10,000 images through %s %j stays below ${MOST_MB} MB`, async (kind, args) => {
  const { scoreUrl } = await server(kind, { output: "probabilities" });
  const peak = await peakMb(["--endpoint", scoreUrl, ...args]);
  if (process.env["MEMORY"] === "1")
    process.stdout.write(`${kind} ${args.join(" ")}: ${peak.toFixed(0)} MB\n`);
  expect(peak).toBeGreaterThan(40);
  expect(peak).toBeLessThan(MOST_MB);
});
