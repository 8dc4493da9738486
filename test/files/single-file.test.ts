import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { checkPlace, writeFileWhole } from "../../src/files/single-file.ts";
import { ReportError } from "../../src/errors.ts";

const ELSEWHERE = "name another file with --model";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-single-file-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("writeFileWhole(path, content, elsewhere)", () => {
  test("replaces a file and leaves no other", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "model.onnx"), "old");
    await writeFileWhole(join(folder, "model.onnx"), Buffer.from("new"), ELSEWHERE);
    expect(readdirSync(folder)).toEqual(["model.onnx"]);
    expect(readFileSync(join(folder, "model.onnx"), "utf8")).toBe("new");
  });

  test("refuses a folder's name and a missing folder, and leaves nothing", async () => {
    const folder = temporaryFolder();
    const content = Buffer.from("x");
    await expect(writeFileWhole(join(folder, "no/model.onnx"), content, ELSEWHERE)).rejects.toThrow(
      ReportError,
    );
    mkdirSync(join(folder, "model.onnx"));
    await expect(writeFileWhole(join(folder, "model.onnx"), content, ELSEWHERE)).rejects.toThrow(
      new ReportError(
        `${join(folder, "model.onnx")}: cannot write it: a folder of that name is in the way: remove it or ${ELSEWHERE}`,
      ),
    );
    expect(readdirSync(folder)).toEqual(["model.onnx"]);
  });
});

describe("checkPlace(path, elsewhere)", () => {
  test("is content with a new file and one that is there, and writes nothing", async () => {
    const folder = temporaryFolder();
    await checkPlace(join(folder, "new.onnx"), ELSEWHERE);
    expect(readdirSync(folder)).toEqual([]);
    writeFileSync(join(folder, "old.onnx"), "old");
    await checkPlace(join(folder, "old.onnx"), ELSEWHERE);
    expect(readFileSync(join(folder, "old.onnx"), "utf8")).toBe("old");
  });

  test.each([
    [
      "none/x.onnx",
      (folder: string) => `there is no folder ${join(folder, "none")}: make it, or ${ELSEWHERE}`,
    ],
    ["file/x.onnx", () => `a file of that name is in the way: ${ELSEWHERE}`],
    ["folder", () => `a folder of that name is in the way: remove it or ${ELSEWHERE}`],
  ])("refuses %s", async (name, reason) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "folder"));
    writeFileSync(join(folder, "file"), "");
    const path = join(folder, name);
    await expect(checkPlace(path, ELSEWHERE)).rejects.toThrow(
      new ReportError(`${path}: cannot write it: ${reason(folder)}`),
    );
  });
});
