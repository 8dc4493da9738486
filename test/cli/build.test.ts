import { spawn } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { readJson, root, until } from "./command.ts";

/** A checkout of its own, whose dist/ other tests do not run. */
const checkout = mkdtempSync(join(tmpdir(), "mnist-evaluate-build-"));
const { version } = readJson<{ version: string }>(root, "package.json");
const BUILT = { code: 0, signal: null, stdout: `${version}\n`, stderr: "" };

beforeAll(() => {
  for (const name of ["src", "package.json", "package-lock.json"])
    cpSync(join(root, name), join(checkout, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"));
});
afterAll(() => rmSync(checkout, { recursive: true, force: true }));

function start(signalAt?: () => boolean) {
  const child = spawn(process.execPath, [join(checkout, "src/cli/start.mjs"), "--version"]);
  const text = { stdout: "", stderr: "" };
  child.stdout.on("data", (piece) => (text.stdout += String(piece)));
  child.stderr.on("data", (piece) => (text.stderr += String(piece)));
  if (signalAt) void until(signalAt).then(() => child.kill("SIGINT"));
  return new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal, ...text })));
}

/** Whatever a build has made beside the sources. */
function builds(): string[] {
  return readdirSync(checkout).filter((name) => name.startsWith("dist"));
}

function builtAt(): number {
  return statSync(join(checkout, "dist/stamp.txt")).mtimeMs;
}

describe("start.mjs", () => {
  test("leaves nothing when it is interrupted while it builds", async () => {
    expect(await start(() => builds().includes("dist-lock"))).toMatchObject({ code: 130, stdout: "" });
    expect(builds()).toEqual([]);
  });

  test("builds once for four processes that start together", async () => {
    expect(await Promise.all([start(), start(), start(), start()])).toEqual([BUILT, BUILT, BUILT, BUILT]);
    expect(builds()).toEqual(["dist"]);
  });

  test.each(["main.cjs", "stamp.txt", "draw-worker.cjs"])(
    "builds again where %s is missing",
    async (name) => {
      rmSync(join(checkout, "dist", name));
      expect(await Promise.all([start(), start()])).toEqual([BUILT, BUILT]);
      expect(readdirSync(join(checkout, "dist"))).toContain(name);
    },
  );

  test.each(["main.cjs", "main.bundle.cjs"])("builds again where %s is cut", async (name) => {
    const { size } = statSync(join(checkout, "dist", name));
    truncateSync(join(checkout, "dist", name), size >> 1);
    expect(await start()).toEqual(BUILT);
    expect(statSync(join(checkout, "dist", name)).size).toBe(size);
  });

  test("builds again after an edit, and not without one", async () => {
    const before = builtAt();
    await start();
    expect(builtAt()).toBe(before);
    const now = new Date();
    utimesSync(join(checkout, "src/errors.ts"), now, now);
    await start();
    expect(builtAt()).toBeGreaterThan(before);
  });

  test("says what is wrong with the sources, with 70, and keeps the last build", async () => {
    appendFileSync(join(checkout, "src/errors.ts"), "\nwrong here");
    const finished = await start();
    expect(finished).toMatchObject({ code: 70, stdout: "" });
    expect((finished as { stderr: string }).stderr).toContain(
      "mnist-evaluate: src/ could not be bundled into dist/: Build failed with 1 error:\nsrc/errors.ts:",
    );
    expect(builds()).toEqual(["dist"]);
  });
});
