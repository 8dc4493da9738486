// Speed and memory as ratios, measured side by side (measure.mjs).
//
// usage: npm run bench [-- --runs N]
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { ensureBuilt } from "../../src/cli/build.mjs";
import { endpointRows } from "./endpoint.mjs";
import { pair, python, root, run } from "./measure.mjs";

const { values } = parseArgs({ options: { runs: { type: "string", default: "7" } } });
const runs = Math.max(5, Number(values.runs));
const scratch = mkdtempSync(join(tmpdir(), "mnist-evaluate-bench-"));
const main = join(root, "dist/main.cjs");
const peer = fileURLToPath(new URL("peer.py", import.meta.url));

const rows = [];
/** @param target as `≤ 0.2` or `≥ 0.9` */
const row = (what, ours, theirs, ratio, target) => {
  const limit = Number(target.replace(/[^\d.]/g, ""));
  const met = target.startsWith("≥") ? ratio >= limit : ratio <= limit;
  rows.push([what, ours, theirs, ratio.toFixed(3), target, met ? "yes" : "NO"]);
};
const seconds = (value) => `${value.toFixed(3)} s`;
const megabytes = (value) => `${value.toFixed(0)} MB`;

try {
  await ensureBuilt();
  const node = process.execPath;
  const out = join(scratch, "reports");
  const evaluate = [node, main, "evaluate", "--quiet", "--out", out];
  const lean = [...evaluate, "--charts", "none", "--reports", "json"];
  await run(lean);

  const bare = await pair(lean, [node, "-e", "0"], runs);
  row("evaluate, metrics.json only : node -e 0", ...bare.seconds.map(seconds), bare.timeRatio, "≤ 3");

  const interpreter = python("sklearn, matplotlib");
  if (interpreter === null) {
    console.error("no python3 with scikit-learn and matplotlib here: the comparison with Python is left out");
  } else {
    const data = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"].map((name) => {
      const plain = join(root, "data/mnist", name);
      return existsSync(plain) ? plain : `${plain}.gz`;
    });
    const model = join(root, "data/models/mnist-logreg.onnx");
    const full = await pair(evaluate, [interpreter, peer, ...data, model, join(scratch, "peer")], runs);
    row(
      "evaluate, everything : Python doing the same",
      ...full.seconds.map(seconds),
      full.timeRatio,
      "≤ 0.2",
    );
    row("its peak memory : Python's", ...full.megabytes.map(megabytes), full.memoryRatio, "≤ 1");
  }
  for (const cells of await endpointRows(scratch, runs)) row(...cells);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

console.log(
  `Medians of ${runs} runs in turn; ${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}\n`,
);
console.log("| ours : other | ours | other | ratio | target | met |\n|---|--:|--:|--:|--:|---|");
for (const cells of rows) console.log(`| ${cells.join(" | ")} |`);
