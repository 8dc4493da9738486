import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { afterAll, beforeAll } from "vitest";

import type { Order } from "./send-process.ts";

export type Run = (urls: readonly URL[], env: NodeJS.ProcessEnv, order?: Partial<Order>) => Promise<string[]>;

/** Builds the transport as a program of its own before the tests of a file, and removes it after them. */
export function sendProcess(): Run {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "send-"));
    await build({
      entryPoints: [fileURLToPath(new URL("send-process.ts", import.meta.url))],
      outdir: join(folder, "dist"),
      outExtension: { ".js": ".mjs" },
      bundle: true,
      format: "esm",
      platform: "node",
      banner: {
        js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
      },
    });
    // The version is read from the package's own manifest, a level above the bundle.
    await writeFile(join(folder, "package.json"), `{"version": "0"}`);
  });

  afterAll(async () => await rm(folder, { recursive: true, force: true }));

  return async (urls, env, order = {}) => {
    const whole = { urls: urls.map(String), timeoutMs: 5000, close: true, ...order };
    const child = spawn(process.execPath, [join(folder, "dist/send-process.mjs"), JSON.stringify(whole)], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env["PATH"], ...env },
      timeout: 20_000,
    });
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    return [...output.trimEnd().split("\n"), `exit ${String(code)}`];
  };
}
