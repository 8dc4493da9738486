import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { environment } from "../../src/cli/environment.ts";
import { packageVersions } from "../../src/package.ts";

/** An empty folder; no repository further up counts. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-git-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function git(folder: string, ...args: string[]): string {
  const identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
  return execFileSync("git", [...identity, ...args], { cwd: folder, encoding: "utf8" }).trim();
}

describe("environment(folder)", () => {
  test("names what can change a number or a picture", async () => {
    const { version, dependencies } = packageVersions();
    const { node, platform, cpu, packages } = await environment(temporaryFolder());
    expect({ node, platform }).toEqual({
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
    });
    expect(cpu).not.toBe("");
    expect(packages).toEqual({
      "mnist-evaluate": version,
      "onnxruntime-node": dependencies["onnxruntime-node"],
      vega: dependencies["vega"],
      "vega-lite": dependencies["vega-lite"],
      "@resvg/resvg-js": dependencies["@resvg/resvg-js"],
    });
  });

  test("knows no commit outside a repository, and before the first", async () => {
    const folder = temporaryFolder();
    expect((await environment(folder)).git).toBe(null);
    git(folder, "init", "-q");
    expect((await environment(folder)).git).toBe(null);
  });

  test("knows commit and branch, and whether a file of the repository was edited", async () => {
    const folder = temporaryFolder();
    git(folder, "init", "-q", "-b", "trunk");
    writeFileSync(join(folder, "model.py"), "1");
    git(folder, "add", ".");
    git(folder, "commit", "-q", "-m", "first");
    const commit = git(folder, "rev-parse", "HEAD");
    writeFileSync(join(folder, "untracked"), "");
    expect((await environment(folder)).git).toEqual({ commit, branch: "trunk", dirty: false });
    writeFileSync(join(folder, "model.py"), "22");
    expect((await environment(folder)).git).toEqual({ commit, branch: "trunk", dirty: true });
    git(folder, "checkout", "-q", "--detach");
    expect((await environment(folder)).git).toEqual({ commit, branch: null, dirty: true });
  });
});
