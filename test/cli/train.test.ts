import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { run, workspace } from "./command.ts";

const { path } = workspace();

describe("train", () => {
  test("ends with the first data set that cannot be opened, and fetches no other", async () => {
    const files = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
    mkdirSync(path("broken/mnist"), { recursive: true });
    for (const file of files) writeFileSync(path("broken/mnist", file), "");
    const args = ["--offline", "--data-dir", path("broken"), "--model", path("never.onnx")];
    expect(await run(["train", ...args])).toEqual({
      code: 3,
      signal: null,
      stdout: "",
      stderr:
        "mnist-evaluate: train-images-idx3-ubyte is empty (0 bytes): download it again with --refresh\n",
    });
    expect(readdirSync(path("broken/mnist"))).toEqual(files);
  });

  test("looks whether the model can be written before it opens any data", async () => {
    const model = path("none/x.onnx");
    const args = ["--offline", "--data-dir", path("unused"), "--model", model];
    expect(await run(["train", ...args])).toEqual({
      code: 5,
      signal: null,
      stdout: "",
      stderr: `mnist-evaluate: ${model}: cannot write it: there is no folder ${path("none")}: make it, or name another file with --model\n`,
    });
    expect(existsSync(path("unused"))).toBe(false);
  });
});
