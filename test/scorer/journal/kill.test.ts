import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";

import { answerOf } from "./answers.ts";
import { found, opened, temporaryFolder } from "./scene.ts";

let bundle: string;

beforeAll(async () => {
  bundle = await mkdtemp(join(tmpdir(), "journal-process-"));
  await build({
    entryPoints: [fileURLToPath(new URL("record-process.ts", import.meta.url))],
    outfile: join(bundle, "record-process.mjs"),
    bundle: true,
    format: "esm",
    platform: "node",
  });
});

afterAll(async () => await rm(bundle, { recursive: true, force: true }));

/** Starts a process that records, kills it once it has recorded so many answers, and returns the last number that it said. */
async function killedAfter(folder: string, answers: number): Promise<number> {
  const child = spawn(process.execPath, [join(bundle, "record-process.mjs"), folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let last = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    if (last >= answers) child.kill("SIGKILL");
  }
  return last;
}

test("a killed process has lost nothing that record(way, entries) returned for", async () => {
  const folder = temporaryFolder();
  let most = 0;
  for (const answers of [1, 60, 600]) {
    const said = await killedAfter(folder, answers);
    expect(said).toBeGreaterThanOrEqual(answers);
    most = Math.max(most, said);
    expect(opened(folder).found).toBeGreaterThanOrEqual(most);
  }
  expect(found(folder, most)).toEqual(Array.from({ length: most }, (_, index) => answerOf(index)));
});
