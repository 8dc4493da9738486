import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";

import { onTestFinished } from "vitest";

import { main } from "../cli/command.ts";

/** The command as a process, ready to answer. */
export interface Served {
  readonly url: string;
  readonly child: ChildProcess;
  readonly stderr: () => string;
  /** Its exit code, once it has ended; null where a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** Starts `serve` on a free port, and waits until it is ready. It is gone after the test. */
export async function start(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Served> {
  const child = spawn(process.execPath, [main, "serve", "--port", "0", ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stderr = "";
  child.stderr.on("data", (piece: Buffer) => (stderr += piece.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const said = new Promise<string>((resolve) =>
    child.stdout.once("data", (piece: Buffer) => resolve(piece.toString())),
  );
  const line = await Promise.race([said, ended.then((code) => `ended with ${code}: ${stderr}`)]);
  const url = /(http:\S+)\/score\n$/.exec(line)?.[1];
  if (url === undefined) throw new Error(line);
  return { url, child, stderr: () => stderr, ended };
}

/** The process' memory in megabytes, null where there is no /proc. */
export function residentMegabytes({ child }: Served): number | null {
  try {
    const [, kilobytes] = /VmRSS:\s*(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
    return Number(kilobytes) / 1024;
  } catch {
    return null;
  }
}
