import type { ChildProcess } from "node:child_process";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, describe, expect, test } from "vitest";

import { interruptedText } from "../../src/cli/interruption.ts";
import { digests, stagingOf, until, workspace } from "./command.ts";

const { evaluate, path } = workspace();
const out = path("r");
const TOLD = `mnist-evaluate: ${interruptedText("evaluate")}\n`;
let before: Record<string, string>;

beforeAll(async () => {
  await evaluate(["--quiet", "--limit", "50", "--charts", "svg", "--out", out]);
  before = digests(out);
  writeFileSync(path("dead-drive.cjs"), DEAD_DRIVE);
});

/** Reading a model never ends, as from a network drive that is gone. */
const DEAD_DRIVE = `
  const promises = require("node:fs/promises");
  const { open } = promises;
  promises.open = (path, ...rest) =>
    String(path).endsWith(".onnx") ? new Promise(() => setInterval(() => {}, 1000)) : open(path, ...rest);`;
const HANGS = { env: { NODE_OPTIONS: `--require ${path("dead-drive.cjs")}` } };

function sizeOf(name: string): number {
  const staging = stagingOf(out);
  const file = staging && join(staging, name);
  return file && existsSync(file) ? statSync(file).size : 0;
}

function expectEarlierReport(): void {
  expect(digests(out)).toEqual(before);
  expect(readdirSync(out).filter((name) => name.startsWith("."))).toEqual([]);
}

/** Image by image, so that there is time to interrupt it. */
const SLOW = ["--quiet", "--batch-size", "1", "--out", out];

describe("evaluate, interrupted", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "by %s while scoring, ends in order with 130",
    async (signal) => {
      const finished = await evaluate([...SLOW, "--charts", "none"], {
        async during(child: ChildProcess) {
          await until(() => sizeOf("predictions.csv") > 10_000);
          child.kill(signal);
        },
      });
      expect(finished).toEqual({ code: 130, signal: null, stdout: "", stderr: TOLD });
      expectEarlierReport();
    },
  );

  test("while drawing, ends in order with 130", async () => {
    const finished = await evaluate(["--quiet", "--out", out], {
      async during(child: ChildProcess) {
        // All 10,000 rows are written: scoring is over, and the charts take longer than a look.
        await until(() => sizeOf("predictions.csv") > 2_000_000);
        child.kill("SIGINT");
      },
    });
    expect(finished).toEqual({ code: 130, signal: null, stdout: "", stderr: TOLD });
    expectEarlierReport();
  });

  test("twice while it cannot answer, ends at once and leaves nothing", async () => {
    const finished = await evaluate(["--quiet", "--charts", "none", "--out", out], {
      ...HANGS,
      async during(child: ChildProcess) {
        await until(() => stagingOf(out) !== null);
        child.kill("SIGINT");
        await new Promise((resolve) => setTimeout(resolve, 400));
        child.kill("SIGINT");
      },
    });
    expect(finished).toEqual({ code: null, signal: "SIGINT", stdout: "", stderr: TOLD });
    expectEarlierReport();
  });

  test("once while it cannot answer, ends after a while", async () => {
    const finished = await evaluate(["--quiet", "--charts", "none", "--out", out], {
      ...HANGS,
      async during(child: ChildProcess) {
        await until(() => stagingOf(out) !== null);
        child.kill("SIGTERM");
      },
    });
    expect(finished).toEqual({ code: null, signal: "SIGINT", stdout: "", stderr: TOLD });
    expectEarlierReport();
  });
});
