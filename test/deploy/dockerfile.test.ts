import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

import { validate } from "dockerfile-utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { freePort } from "../ports.ts";
import { mnist } from "../train/mnist.ts";
import { ask } from "../server/scene.ts";

/** `npm ci` in the replay, too: it takes a minute and a network. */
const FULL = process.env["DOCKER_REPLAY"] === "full";

const root = fileURLToPath(new URL("../../", import.meta.url));
const text = readFileSync(join(root, "Dockerfile"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-image-"));
/** Where the image's absolute paths are in the replay. */
const here = (path: string): string => path.replaceAll(/(^|\s)\/(app|build)(?=[\s/]|$)/g, `$1${folder}/$2`);

interface Instruction {
  readonly keyword: string;
  readonly rest: string;
}

const instructions: readonly Instruction[] = text
  .replaceAll(/^#.*\n/gm, "")
  .replaceAll(/\\\n\s*/g, "")
  .split("\n")
  .filter((line) => line.trim() !== "")
  .map((line) => ({ keyword: line.split(" ", 1)[0]!, rest: line.slice(line.indexOf(" ") + 1) }));

/** The JSON list at the end of the one instruction of this keyword. */
function listOf(keyword: string): string[] {
  const { rest = "" } = instructions.find((instruction) => instruction.keyword === keyword) ?? {};
  return JSON.parse(rest.slice(rest.indexOf("["))) as string[];
}

/** Does in a clean folder what the build would do, instruction by instruction. */
function replay(): void {
  let workdir = "";
  for (const { keyword, rest } of instructions) {
    if (keyword === "WORKDIR") mkdirSync((workdir = here(rest)), { recursive: true });
    if (keyword === "COPY") copy(rest, workdir);
    if (keyword === "RUN") run(rest, workdir);
  }
}

function copy(rest: string, workdir: string): void {
  // The folders of both stages are side by side already.
  if (rest.startsWith("--from=build")) return expect(rest).toBe("--from=build /app /app");
  const words = rest.split(" ");
  const target = words.pop()!;
  for (const source of words) {
    const to = target === "./" ? join(workdir, basename(source)) : join(workdir, target);
    cpSync(join(root, source), to, { recursive: true });
  }
}

function run(command: string, workdir: string): void {
  if (command.startsWith("npm ci") && !FULL) {
    symlinkSync(join(root, "node_modules"), join(workdir, "node_modules"));
    return;
  }
  const done = spawnSync("sh", ["-ec", here(command)], {
    cwd: workdir,
    encoding: "utf8",
    env: { PATH: process.env["PATH"] },
  });
  expect({ command, status: done.status, stderr: done.status === 0 ? "" : done.stderr }).toEqual({
    command,
    status: 0,
    stderr: "",
  });
}

beforeAll(replay, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files = (): string[] =>
  readdirSync(join(folder, "app"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 5))
    .filter((file) => !file.endsWith(".compiled"))
    .toSorted();

describe("Dockerfile", () => {
  test("has no mistake that a linter knows", () => {
    expect(validate(text).map(({ message }) => message)).toEqual([]);
  });

  test("copies only what .dockerignore lets through", () => {
    const [all, ...kept] = readFileSync(join(root, ".dockerignore"), "utf8").trim().split("\n");
    expect(all).toBe("*");
    const sources = instructions
      .filter(({ keyword, rest }) => keyword === "COPY" && !rest.startsWith("--from"))
      .flatMap(({ rest }) => rest.split(" ").slice(0, -1));
    expect(sources.toSorted()).toEqual(kept.map((line) => line.slice(1)).toSorted());
  });

  test("has the runtime's telemetry off", () => {
    expect(instructions.filter(({ keyword }) => keyword === "ENV")).toEqual([
      { keyword: "ENV", rest: "NODE_ENV=production ORT_DISABLE_TELEMETRY=1" },
    ]);
  });

  test("leaves out root, a shell, and every package that does not run", () => {
    expect(instructions.filter(({ keyword }) => keyword === "USER")).toEqual([
      { keyword: "USER", rest: "65532:65532" },
    ]);
    expect(instructions.filter(({ keyword }) => keyword === "FROM").at(-1)!.rest).toMatch(
      /distroless.*:nonroot$/,
    );
    const packages = readdirSync(join(folder, "app/node_modules"));
    expect(packages.toSorted()).toEqual(["onnxruntime-common", "onnxruntime-node"]);
    const natives = files().filter((file) => /\.(node|so|dll|dylib)/.test(file));
    expect(natives).toEqual([
      "node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1",
      "node_modules/onnxruntime-node/bin/napi-v6/linux/x64/onnxruntime_binding.node",
    ]);
    const bytes = files().reduce((sum, file) => sum + statSync(join(folder, "app", file)).size, 0);
    expect(bytes).toBeLessThan(52e6);
  });
});

// The library that the image holds is for this platform alone.
describe.runIf(process.platform === "linux" && process.arch === "x64")("what it builds", () => {
  let port = 0;
  const local = (word: string): string =>
    here(word).replace("/nodejs/bin/node", process.execPath).replace("5001", String(port));
  let child: ChildProcess;
  let output = "";

  beforeAll(async () => {
    port = await freePort();
    const [node = "", ...args] = listOf("ENTRYPOINT").map(local);
    child = spawn(node, args, { cwd: join(folder, "app"), env: {}, stdio: ["ignore", "pipe", "pipe"] });
    child.stderr!.on("data", (piece: Buffer) => (output += piece.toString()));
    await new Promise((resolve, reject) => {
      child.stdout!.once("data", resolve);
      child.once("exit", (code) => reject(new Error(`the service ended with ${code}: ${output}`)));
    });
  });
  afterAll(() => void child.kill("SIGKILL"));

  const healthy = (): number | null => {
    const [node = "", ...args] = listOf("HEALTHCHECK").map(local);
    return spawnSync(node, args, { env: {}, timeout: 20_000 }).status;
  };

  test("serves the bundled model from a folder of its own, passes its health check, and ends with 0 on SIGTERM", async () => {
    const { pixels } = mnist("test", 2);
    const data = [0, 1].map((i) => Array.from(pixels.subarray(i * 784, (i + 1) * 784), (x) => x / 255));
    expect(await ask(`http://127.0.0.1:${port}/score`, { body: JSON.stringify({ data }) })).toMatchObject({
      status: 200,
      body: "[7, 2]",
    });
    expect(healthy()).toBe(0);
    const ended = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(healthy()).toBe(1);
    expect(output).toContain('"message":"stopped","requestsCut":0');
  });
});
