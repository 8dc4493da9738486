// Speed and memory as ratios, measured side by side: each pair of commands runs in turn, A B A B …, so that a machine
// whose speed drifts slows both, and the median of the pairs' ratios is what is compared with the target.
//
// usage: npm run bench [-- --runs N]
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { ensureBuilt } from "../../src/cli/build.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { values } = parseArgs({ options: { runs: { type: "string", default: "7" } } });
const runs = Math.max(5, Number(values.runs));
const scratch = mkdtempSync(join(tmpdir(), "mnist-evaluate-bench-"));
const main = join(root, "dist/main.cjs");
const peer = fileURLToPath(new URL("peer.py", import.meta.url));
const POLL_MS = 4;

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** The kernel's own high-water mark of a process' memory, read until it is gone; null where there is no /proc. */
function peakMemory(pid) {
  try {
    const [, kilobytes] = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kilobytes === undefined ? null : Number(kilobytes) / 1024;
  } catch {
    return null;
  }
}

function run([command, ...args]) {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    let megabytes = null;
    const poll = setInterval(() => (megabytes = peakMemory(child.pid) ?? megabytes), POLL_MS);
    child.stderr.on("data", (text) => (stderr += text));
    child.on("error", reject);
    child.on("exit", (code) => {
      const seconds = (performance.now() - startedAt) / 1000;
      clearInterval(poll);
      if (code === 0) resolve({ seconds, megabytes });
      else reject(new Error(`${command} ${args.join(" ")} ended with ${code}\n${stderr}`));
    });
  });
}

/** Runs both in turn and gives the medians of each and of the pairs' ratios. */
async function pair(ours, theirs) {
  await run(ours);
  await run(theirs);
  const results = [];
  for (let i = 0; i < runs; i++) results.push({ a: await run(ours), b: await run(theirs) });
  const column = (pick) => median(results.map(pick));
  return {
    seconds: [column(({ a }) => a.seconds), column(({ b }) => b.seconds)],
    megabytes: [column(({ a }) => a.megabytes), column(({ b }) => b.megabytes)],
    timeRatio: column(({ a, b }) => a.seconds / b.seconds),
    memoryRatio: column(({ a, b }) => a.megabytes / b.megabytes),
  };
}

/** A python3 that has the peer's packages, or null. */
function python() {
  const candidates = ["python3", "/usr/bin/python3"];
  return (
    candidates.find(
      (candidate) =>
        spawnSync(candidate, ["-c", "import sklearn, matplotlib"], { stdio: "ignore" }).status === 0,
    ) ?? null
  );
}

const rows = [];
const row = (what, ours, theirs, ratio, target) =>
  rows.push([
    what,
    ours,
    theirs,
    ratio.toFixed(3),
    target,
    ratio <= Number(target.replace(/[^\d.]/g, "")) ? "yes" : "NO",
  ]);
const seconds = (value) => `${value.toFixed(3)} s`;
const megabytes = (value) => `${value.toFixed(0)} MB`;

try {
  await ensureBuilt();
  const node = process.execPath;
  const out = join(scratch, "reports");
  const evaluate = [node, main, "evaluate", "--quiet", "--out", out];
  const lean = [...evaluate, "--charts", "none", "--reports", "json"];
  await run(lean);

  const bare = await pair(lean, [node, "-e", "0"]);
  row("evaluate, metrics.json only : node -e 0", ...bare.seconds.map(seconds), bare.timeRatio, "≤ 3");

  const interpreter = python();
  if (interpreter === null) {
    console.error("no python3 with scikit-learn and matplotlib here: the comparison with Python is left out");
  } else {
    const data = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"].map((name) => {
      const plain = join(root, "data/mnist", name);
      return existsSync(plain) ? plain : `${plain}.gz`;
    });
    const model = join(root, "data/models/mnist-logreg.onnx");
    const full = await pair(evaluate, [interpreter, peer, ...data, model, join(scratch, "peer")]);
    row(
      "evaluate, everything : Python doing the same",
      ...full.seconds.map(seconds),
      full.timeRatio,
      "≤ 0.2",
    );
    row("its peak memory : Python's", ...full.megabytes.map(megabytes), full.memoryRatio, "≤ 1");
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

console.log(
  `Medians of ${runs} runs in turn; ${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}\n`,
);
console.log("| ours : other | ours | other | ratio | target | met |\n|---|--:|--:|--:|--:|---|");
for (const cells of rows) console.log(`| ${cells.join(" | ")} |`);
