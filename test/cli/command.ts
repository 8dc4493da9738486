import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { afterAll } from "vitest";

export const root = fileURLToPath(new URL("../../", import.meta.url));
/** The command as users run it, built before the tests. */
export const main = join(root, "dist/main.cjs");

const CHANGES_OUTPUT = ["NO_COLOR", "FORCE_COLOR", "TERM", "SOURCE_DATE_EPOCH", "NODE_OPTIONS"];

export interface Finished {
  /** Null where a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdio?: ("pipe" | "ignore" | number)[];
  /** Called with the running process, to interrupt it. */
  readonly during?: (child: ChildProcess) => Promise<void>;
}

/** Runs the command as a process and waits for its end. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const inherited = Object.entries(process.env).filter(([name]) => !CHANGES_OUTPUT.includes(name));
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...Object.fromEntries(inherited), ...options.env },
    cwd: options.cwd ?? tmpdir(),
    stdio: options.stdio ?? ["ignore", "pipe", "pipe"],
    timeout: 50_000,
    killSignal: "SIGKILL",
  });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (piece: string) => (text[name] += piece));
  }
  const ended = new Promise<Pick<Finished, "code" | "signal">>((resolve, reject) => {
    child.once("error", reject).once("close", (code, signal) => resolve({ code, signal }));
  });
  await options.during?.(child);
  return { ...(await ended), ...text };
}

/** A folder for one test file, with a download cache that its runs share. It is gone after the tests. */
export function workspace() {
  const folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-cli-"));
  const dataDir = join(folder, "data");
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return {
    folder,
    path: (...parts: string[]) => join(folder, ...parts),
    /** MNIST comes from the package that is installed for development. */
    data: ["--offline", "--data-dir", dataDir],
    evaluate: (args: readonly string[], options: RunOptions = {}) =>
      run(["evaluate", "--offline", "--data-dir", dataDir, ...args], { cwd: folder, ...options }),
  };
}

/** The files below a folder with the digest of each, by paths with forward slashes. */
export function digests(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Object.fromEntries(
    files.map((file) => [
      file.slice(folder.length + 1).replaceAll("\\", "/"),
      createHash("sha256").update(readFileSync(file)).digest("hex"),
    ]),
  );
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows which file it reads
export function readJson<T>(...path: string[]): T {
  return JSON.parse(readFileSync(join(...path), "utf8")) as T;
}

/** Waits until something has come about, for as long as a loaded machine may take. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("it has not come about in 30 s");
    await sleep(5);
  }
}

/** The folder in which a run that is under way keeps its files; null before it is made. */
export function stagingOf(out: string): string | null {
  const name = existsSync(out) && readdirSync(out).find((entry) => entry.startsWith(".partial-"));
  return name ? join(out, name) : null;
}

export function emptyFolder(path: string): string {
  mkdirSync(path, { recursive: true });
  return path;
}
