import type { ChildProcess } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { takeLock, type Lock } from "../../src/files/lock.mjs";
import { emptyFolder, readJson, workspace } from "./command.ts";

const { evaluate, path } = workspace();
const RUN = ["--quiet", "--limit", "20", "--charts", "none", "--reports", "json"];

/** Runs while this process holds the output folder, which is as slow as it likes. */
async function runBeside(out: string, onWait: (child: ChildProcess, held: Lock) => void) {
  const folder = emptyFolder(path(out));
  const held = (await takeLock(join(folder, ".lock")))!;
  onTestFinished(() => held.release());
  const finished = await evaluate([...RUN, "--out", out], {
    during: (child) =>
      new Promise((resolve) => {
        child.stderr!.once("data", () => {
          onWait(child, held);
          resolve();
        });
      }),
  });
  const waiting = new RegExp(
    `^warning: waiting for process ${process.pid} \\(since 20.*Z\\), which holds ${out}/\\.lock\n`,
  );
  expect(finished.stderr).toMatch(waiting);
  return { ...finished, stderr: finished.stderr.replace(waiting, "") };
}

test("evaluate waits for a process that holds the output folder, and says so", async () => {
  expect(await runBeside("slow", (_, held) => held.release())).toMatchObject({ code: 0, stderr: "" });
  expect(readdirSync(path("slow"))).toEqual(["manifest.json", "metrics.json"]);
  expect(readJson<object>(path("slow/metrics.json"))).toMatchObject({ schemaVersion: 1 });
});

test("evaluate ends at Ctrl-C while it waits, and leaves nothing", async () => {
  const finished = await runBeside("stopped", (child) => child.kill("SIGINT"));
  expect(finished).toMatchObject({
    code: 130,
    stderr: "mnist-evaluate: interrupted: no result was written, and an earlier report stands as it was\n",
  });
  expect(readdirSync(path("stopped"))).toEqual([".lock"]);
});
