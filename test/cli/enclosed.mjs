// Runs inside enclosure.sh, and prints what it saw as one line of JSON:
//   node enclosed.mjs commands FOLDER    the commands, with FOLDER for all that they may write
//   node enclosed.mjs runtime FOLDER     the ONNX runtime as it is on its own, to show what would be seen
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** The runtime sends its first events after some ten. */
const LONG_MS = 15_000;
const [, , mode, folder] = process.argv;
const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const main = at("dist/main.cjs");
const LOGREG = at("data/models/mnist-logreg.onnx");
const CONVOLUTIONS = at("test/fixtures/models/mnist-12.onnx");

const queries = [];
const nameServer = createSocket("udp4").on("message", (message) => queries.push(nameIn(message)));
nameServer.bind(53, "127.0.0.1");
await once(nameServer, "listening");

/** RFC 1035: after twelve bytes of header, each label behind its length. */
function nameIn(message) {
  const labels = [];
  for (let i = 12; message[i] > 0; i += message[i] + 1)
    labels.push(message.toString("latin1", i + 1, i + 1 + message[i]));
  return labels.join(".");
}

function start(args) {
  // Without what a build server sets, because the runtime is quiet there by itself.
  const env = { PATH: process.env.PATH, HOME: "/root" };
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (text += piece));
  const ended = once(child, "close").then(([code]) => ({ code, text: code === 0 ? "" : text }));
  return { child, ended };
}

async function serve(...args) {
  const { child, ended } = start([main, "serve", "--log", "silent", "--port", "0", ...args]);
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  return { url: /http:\S+/.exec(line)[0], stop: () => (child.kill("SIGTERM"), ended) };
}

/** Forwards requests, those with images only when `opens` has passed: makes a run as long as that. */
async function gateway(target, opens) {
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const forward = () =>
      incoming.pipe(
        request(new URL(url, target), { method, headers }, (reply) => {
          outgoing.writeHead(reply.statusCode, reply.headers);
          reply.pipe(outgoing);
        }),
      );
    if (method === "POST") void opens.then(forward);
    else forward();
  });
  // An address that no hosts file has a name for.
  server.listen(0, "127.0.0.3");
  await once(server, "listening");
  return { url: `http://127.0.0.3:${server.address().port}/score`, close: () => server.close() };
}

async function commands() {
  const long = sleep(LONG_MS);
  const services = await Promise.all([serve(), serve("--model", CONVOLUTIONS)]);
  const slow = await gateway(services[0].url, long);
  const offline = ["--offline", "--data-dir", `${folder}/data`];
  const evaluate = (out, ...args) => [main, "evaluate", ...offline, "--out", `${folder}/${out}`, ...args];
  const ended = {
    evaluate: start(evaluate("out")).ended,
    endpoint: start(evaluate("service", "--model", LOGREG, "--endpoint", slow.url, "--limit", "100")).ended,
    train: start([main, "train", ...offline, "--model", `${folder}/model.onnx`]).ended,
    download: start([main, "download", "--data-dir", `${folder}/data`, "--offline"]).ended,
  };
  await ended.endpoint;
  slow.close();
  const [served, threaded] = services.map(({ stop }) => stop());
  return await resultsOf({ ...ended, serve: served, "serve, in a thread": threaded });
}

async function resultsOf(ended) {
  return Object.fromEntries(
    await Promise.all(Object.entries(ended).map(async ([name, end]) => [name, await end])),
  );
}

async function runtime() {
  const { ended } = start([
    "-e",
    `require(${JSON.stringify(at("node_modules/onnxruntime-node"))}).InferenceSession.create(${JSON.stringify(LOGREG)});
     setTimeout(() => {}, ${LONG_MS});`,
  ]);
  return await resultsOf({ runtime: ended });
}

mkdirSync(folder);
const results = await (mode === "commands" ? commands() : runtime());
nameServer.close();
console.log(JSON.stringify({ queries, results }));
