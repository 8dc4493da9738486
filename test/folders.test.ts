import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { makeFolder } from "../src/folders.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-folders-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("makeFolder(folder)", () => {
  test("makes it with those above it, also many times at once", async () => {
    const folder = join(temporaryFolder(), "a/b/c");
    await Promise.all(Array.from({ length: 20 }, () => makeFolder(folder)));
    expect(statSync(folder).isDirectory()).toBe(true);
    await makeFolder(folder);
  });

  test("tells which folders it made, the outermost first, and removes them where it fails", async () => {
    const folder = temporaryFolder();
    const [a, b] = [join(folder, "a"), join(folder, "a/b")];
    expect(await makeFolder(b)).toEqual([a, b]);
    expect(await makeFolder(b)).toEqual([]);
    await expect(makeFolder(join(folder, "new", "x".repeat(300)))).rejects.toMatchObject({
      code: "ENAMETOOLONG",
    });
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  test("refuses where a file is in the way", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    await expect(makeFolder(file)).rejects.toMatchObject({ code: "EEXIST" });
    await expect(makeFolder(join(file, "deeper"))).rejects.toMatchObject({ code: "EEXIST" });
  });

  test.runIf(process.platform === "linux")("refuses at once where no folder can be made", async () => {
    await expect(makeFolder("/proc/nowhere/deeper")).rejects.toMatchObject({ code: "ENOENT" });
  });
});
