import { spawn } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { beforeEach, describe, expect, test } from "vitest";

import { emptyFolder, readJson, root, workspace } from "./command.ts";

/** An installed package of its own, whose dist/ no other test runs. */
const { path, data } = workspace();
const { version } = readJson<{ version: string }>(root, "package.json");
const VERSION = { code: 0, signal: null, stdout: `${version}\n`, stderr: "" };
const REFUSED = { code: 70, signal: null, stdout: "" };
const dist = (name: string): string => path("package/dist", name);

beforeEach(() => {
  rmSync(path("package"), { recursive: true, force: true });
  mkdirSync(path("package/data"), { recursive: true });
  cpSync(join(root, "dist"), path("package/dist"), { recursive: true });
  copyFileSync(join(root, "package.json"), path("package/package.json"));
  for (const name of ["src", "data/models", "node_modules"])
    symlinkSync(join(root, name), path("package", name));
});

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runProcess(command: string, args: readonly string[], cwd: string): Promise<Ended> {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (piece: string) => (text[name] += piece));
  return new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal, ...text })));
}

const runPackage = (args: readonly string[]): Promise<Ended> =>
  runProcess(process.execPath, [dist("main.cjs"), ...args], path("."));

/** Damages a file of dist/ without changing how long it is. */
function flip(name: string): void {
  const content = readFileSync(dist(name));
  const middle = content.length >> 1;
  content[middle]! ^= 1;
  writeFileSync(dist(name), content);
}

const evaluateCharts = (): Promise<Ended> =>
  runPackage(["evaluate", ...data, "--limit", "20", "--out", path("out"), "--quiet"]);

describe("a bundle", () => {
  test("that is missing ends the command with 70", async () => {
    rmSync(dist("main.bundle.cjs"));
    expect(await runPackage(["--version"])).toEqual({
      ...REFUSED,
      stderr: `mnist-evaluate: ${dist("main.bundle.cjs")} cannot be read (ENOENT): install the package again\n`,
    });
  });

  test.each([
    ["empty", () => truncateSync(dist("main.bundle.cjs"), 0)],
    ["cut at the end of a statement", () => truncateSync(dist("main.bundle.cjs"), 13)],
    [
      "cut by its last byte",
      () => truncateSync(dist("main.bundle.cjs"), readFileSync(dist("main.bundle.cjs")).length - 1),
    ],
    ["longer than it was", () => appendFileSync(dist("main.bundle.cjs"), "\n")],
    ["changed in one bit", () => flip("main.bundle.cjs")],
  ])("that is %s ends the command with 70", async (_, damage) => {
    damage();
    expect(await runPackage(["--version"])).toEqual({
      ...REFUSED,
      stderr: `mnist-evaluate: ${dist("main.bundle.cjs")} is damaged: install the package again, or in a checkout remove dist/\n`,
    });
  });

  test("of the thread that draws ends the command with 70 where it is damaged", async () => {
    flip("draw-worker.bundle.cjs");
    const { code, stderr } = await evaluateCharts();
    expect(code).toBe(70);
    expect(stderr).toContain(
      `Error: ${dist("draw-worker.bundle.cjs")} is damaged: install the package again`,
    );
  });

  test("that draws nothing ends the command with 70, and not with 0 and no report", async () => {
    writeFileSync(dist("draw-worker.cjs"), "");
    const { code, stderr } = await evaluateCharts();
    expect(code).toBe(70);
    expect(stderr).toContain("Error: the thread that draws ended before it was done\n");
  });
});

describe("compiled code", () => {
  const COMPILED = "main.bundle.cjs.compiled";

  test.each([
    ["empty", () => writeFileSync(dist(COMPILED), "")],
    ["cut", () => truncateSync(dist(COMPILED), readFileSync(dist(COMPILED)).length >> 1)],
    ["changed in one bit", () => flip(COMPILED)],
    ["that of another bundle", () => copyFileSync(dist("draw-worker.bundle.cjs.compiled"), dist(COMPILED))],
  ])("that is %s is made again", async (_, damage) => {
    await evaluateCharts();
    damage();
    const damaged = readFileSync(dist(COMPILED));
    expect(await runPackage(["--version"])).toEqual(VERSION);
    expect(readFileSync(dist(COMPILED)).equals(damaged)).toBe(false);
    const made = readFileSync(dist(COMPILED));
    expect(await runPackage(["--version"])).toEqual(VERSION);
    expect(readFileSync(dist(COMPILED)).equals(made)).toBe(true);
  });
});

test.skipIf(process.platform === "win32")(
  "a working folder that is gone ends the command with 70",
  async () => {
    const gone = emptyFolder(path("gone"));
    const script = `rmdir "$1"; shift; exec "$@"`;
    expect(
      await runProcess(
        "sh",
        ["-c", script, "sh", gone, process.execPath, dist("main.cjs"), "--version"],
        gone,
      ),
    ).toEqual({
      ...REFUSED,
      stderr: "mnist-evaluate: the working folder is gone (ENOENT): start the command in one that is there\n",
    });
  },
);
