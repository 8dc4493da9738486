import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "vitest";

import { readManifest } from "../../src/files/manifest.ts";
import { digests, workspace } from "./command.ts";

const { evaluate, path } = workspace();
const out = path("r");
/** KILLS=200 for a show of an hour's worth of luck. */
const KILLS = Number(process.env["KILLS"] ?? 5);

/** Two runs whose files differ, so that each has something of the other's to remove. */
const RUNS = [
  ["--limit", "40", "--charts", "none", "--reports", "json,csv,junit"],
  ["--limit", "60", "--charts", "svg", "--reports", "json,html,markdown"],
];

const run = (which: number, during?: (kill: () => void) => Promise<void>) =>
  evaluate(["--quiet", "--out", out, ...RUNS[which % 2]!], {
    during: async (child) => await during?.(() => void child.kill("SIGKILL")),
  });

/** Files that are not as the manifest lists them; null: there is no manifest. */
function torn(): string[] | null {
  if (!existsSync(join(out, "manifest.json"))) return null;
  const found = digests(out);
  const listed = readManifest(readFileSync(join(out, "manifest.json"), "utf8"));
  return listed.filter(({ path, sha256 }) => found[path] !== sha256).map(({ path }) => path);
}

test(
  `${KILLS} runs that are killed at a random time leave a whole report, or one that the next command completes`,
  { timeout: 60_000 + KILLS * 20_000 },
  async () => {
    const began = performance.now();
    expect(await run(0)).toMatchObject({ code: 0, stderr: "" });
    const takes = performance.now() - began;
    const counts = { killed: 0, completed: 0, undone: 0 };
    for (let i = 1; i <= KILLS; i++) {
      const { signal } = await run(i, async (kill) => {
        await sleep(Math.random() * takes);
        kill();
      });
      if (signal === "SIGKILL") counts.killed++;
      expect(torn() ?? []).toEqual([]);
      // The next command fails, for there is no such model, and ends first what the killed one has begun.
      const next = await evaluate(["--out", out, "--model", "nowhere.onnx"]);
      expect(next.code).toBe(4);
      if (next.stderr.includes("completed now")) counts.completed++;
      if (next.stderr.includes("removed what")) counts.undone++;
      expect(torn()).toEqual([]);
      const left = readdirSync(out).filter((name) => name.startsWith("."));
      expect(left.flatMap((name) => readdirSync(join(out, name)))).toEqual([]);
    }
    if (process.env["KILLS"] !== undefined) console.log(counts);
  },
);
