// Whole processes, timed side by side: each pair of commands runs in turn, A B A B …, so that a machine whose speed drifts
// slows both, and the median of the pairs' ratios is what is compared with a target.
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));
const POLL_MS = 4;

export const median = (numbers) => {
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

export function run([command, ...args]) {
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
export async function pair(ours, theirs, runs) {
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

/** A python3 that has these modules, or null. */
export function python(modules) {
  const candidates = ["python3", "/usr/bin/python3"];
  return (
    candidates.find(
      (candidate) => spawnSync(candidate, ["-c", `import ${modules}`], { stdio: "ignore" }).status === 0,
    ) ?? null
  );
}
