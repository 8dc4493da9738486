import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";

import { readManifest } from "../../src/files/manifest.ts";
import { openOutput } from "../../src/files/output.ts";
import { digests } from "../cli/command.ts";

const scratch = mkdtempSync(join(tmpdir(), "mnist-evaluate-kill-"));
const earlier = join(scratch, "earlier");
/** A commit that was killed once the earlier report had lost its manifest. */
const half = join(scratch, "half");
const [OLD, NEW] = [
  {
    "metrics.json": "old",
    "report.md": "old",
    "charts/a.svg": "old",
    "charts/b.svg": "old",
    "old/c.svg": "old",
  },
  { "metrics.json": "new", "predictions.csv": "new", "charts/a.svg": "new" },
];
const COMPLETED = /: a run was killed while it moved its report into place: completed now\n$/;
const UNDONE = /: removed what a run that was killed had left there\n$/;

beforeAll(async () => {
  await build({
    entryPoints: [fileURLToPath(new URL("commit-process.ts", import.meta.url))],
    outfile: join(scratch, "commit-process.cjs"),
    bundle: true,
    // There, imports are looked up when they are called, so that they can be counted.
    format: "cjs",
    platform: "node",
  });
  run(earlier, OLD);
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function run(folder: string, files: Record<string, string> | null, killAt = 0) {
  const args = [join(scratch, "commit-process.cjs"), folder, JSON.stringify(files), String(killAt)];
  return spawnSync(process.execPath, args, { encoding: "utf8" });
}

/** Which run's report is in a folder that has a manifest; null: it has none. All that it lists must be as it lists it. */
function reportIn(folder: string): "old" | "new" | null {
  if (!existsSync(join(folder, "manifest.json"))) return null;
  const listed = readManifest(readFileSync(join(folder, "manifest.json"), "utf8"));
  const found = digests(folder);
  expect(listed.map(({ path }) => [path, found[path]])).toEqual(
    listed.map(({ path, sha256 }) => [path, sha256]),
  );
  const [run] = new Set(listed.map(({ path }) => readFileSync(join(folder, path), "utf8")));
  expect(listed.map(({ path }) => path)).toEqual(Object.keys(run === "old" ? OLD : NEW).toSorted());
  return run as "old" | "new";
}

/** The next command sees either report, and nothing else. */
async function expectWholeAfterNext(folder: string, before: "old" | "new" | null): Promise<void> {
  let told = "";
  const output = await openOutput(folder, {
    force: false,
    signal: new AbortController().signal,
    atHardExit: new Set(),
    warn: (message) => (told += `${message}\n`),
  });
  await output.discard();
  const after = reportIn(folder);
  expect(before === null ? "new" : ["old", "new"]).toContain(after);
  // A folder that does not say yet whose it is stays for a day, because it may be a run's that has just begun.
  const left = readdirSync(folder).filter((name) => name.startsWith("."));
  expect(left.flatMap((name) => readdirSync(join(folder, name)))).toEqual([]);
  const files = Object.keys(after === "old" ? OLD : NEW);
  expect(Object.keys(digests(folder))).toEqual([...files, "manifest.json"].toSorted());
  const said = COMPLETED.test(told) ? "completed" : UNDONE.test(told) ? "undone" : told;
  expect(after === before ? ["", "undone"] : ["completed"]).toContain(said);
}

test("a commit that is killed at any change to the disk leaves a whole report, or one that the next command completes", async () => {
  expect(reportIn(earlier)).toBe("old");
  const seen = new Set<string | null>();
  for (let killAt = 1; ; killAt++) {
    const folder = join(scratch, `killed-${killAt}`);
    cpSync(earlier, folder, { recursive: true });
    const { status, signal } = run(folder, NEW, killAt);
    if (status === 0) break;
    expect(signal).toBe("SIGKILL");
    const before = reportIn(folder);
    if (before === null && !seen.has(null)) cpSync(folder, half, { recursive: true });
    seen.add(before);
    await expectWholeAfterNext(folder, before);
  }
  expect(seen).toEqual(new Set(["old", null, "new"]));
});

test("so does the completing itself, wherever it is killed", async () => {
  expect(reportIn(half)).toBe(null);
  for (let killAt = 1; ; killAt++) {
    const folder = join(scratch, `completing-${killAt}`);
    cpSync(half, folder, { recursive: true });
    const { status } = run(folder, null, killAt);
    if (status === 0) break;
    await expectWholeAfterNext(folder, reportIn(folder));
  }
});
