import { execFile } from "node:child_process";
import { cpus } from "node:os";
import { promisify } from "node:util";

import { packageVersions } from "../package.ts";
import type { Environment } from "../types.ts";

/** Versions that can change a number or a picture. */
const PACKAGES = ["onnxruntime-node", "vega", "vega-lite", "@resvg/resvg-js"];

/** Where the run took place. Its `git` is the repository of the working folder: the one that the model's code is in. */
export async function environment(folder = process.cwd()): Promise<Environment> {
  const { version, dependencies } = packageVersions();
  const packages = Object.fromEntries(PACKAGES.map((name) => [name, dependencies[name] ?? "unknown"]));
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    packages: { "mnist-evaluate": version, ...packages },
    git: await git(folder),
  };
}

async function git(folder: string): Promise<Environment["git"]> {
  try {
    const { stdout } = await promisify(execFile)(
      "git",
      ["status", "--porcelain=v2", "--branch", "--untracked-files=no"],
      {
        cwd: folder,
        timeout: 5000,
        maxBuffer: 16 << 20,
        // A look must not lock the index against the user's own git.
        env: { ...process.env, GIT_OPTIONAL_LOCKS: "0" },
      },
    );
    const lines = stdout.split("\n").filter((line) => line !== "");
    const header = (key: string): string | undefined =>
      lines.find((line) => line.startsWith(`# branch.${key} `))?.slice(`# branch.${key} `.length);
    const commit = header("oid");
    const branch = header("head");
    if (commit === undefined || commit === "(initial)") return null;
    return {
      commit,
      branch: branch === undefined || branch === "(detached)" ? null : branch,
      dirty: lines.some((line) => !line.startsWith("# ")),
    };
  } catch {
    // No git, no repository, or one too slow to ask: the report can do without.
    return null;
  }
}
