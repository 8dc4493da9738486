import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

import type { Counts } from "./counts.ts";
import type { Kind } from "./kinds/kinds.ts";
import type { ServerOptions } from "./options.ts";

export { imageDigest } from "./digest.ts";
export type { Counts } from "./counts.ts";
export type { Fault, FaultName } from "./faults.ts";
export type { Kind } from "./kinds/kinds.ts";
export type { ServerOptions } from "./options.ts";

/** A server in a process of its own. */
export interface StartedServer {
  /** Without a slash at its end. */
  readonly url: string;
  /** Where images go. */
  readonly scoreUrl: string;
  readonly counts: () => Promise<Counts>;
  readonly stop: () => Promise<void>;
}

const SERVE = fileURLToPath(new URL("serve.mjs", import.meta.url));

/**
 * Starts a server, which is there once this resolves; a later `stop` is the caller's, as with `onTestFinished`.
 *
 * @param key what `Authorization: Bearer` must carry; without one, anybody may ask
 */
export async function startServer(
  kind: Kind,
  options: ServerOptions & { readonly key?: string },
): Promise<StartedServer> {
  const { key, ...rest } = options;
  const { TEST_SERVER_KEY: _, ...env } = process.env;
  const child = fork(SERVE, [JSON.stringify([kind, rest])], {
    env: { ...env, ...(key === undefined ? {} : { TEST_SERVER_KEY: key }) },
    execArgv: ["--enable-source-maps"],
    serialization: "advanced",
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const { url, scoreUrl } = await nextMessage<{ url: string; scoreUrl: string }>(child);
  return {
    url,
    scoreUrl,
    counts: async () => {
      const counts = nextMessage<Counts>(child);
      child.send("counts");
      return await counts;
    },
    stop: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function nextMessage<T>(child: ChildProcess): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`the server ended with ${code}`));
    child.once("exit", onExit).once("message", (message) => {
      child.off("exit", onExit);
      resolve(message as T);
    });
  });
}
