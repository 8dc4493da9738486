import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { run, until, workspace } from "./command.ts";

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

  test("tells an interruption by what is left of it, and writes nothing", async () => {
    const model = path("interrupted.onnx");
    const args = ["--offline", "--data-dir", path("whole"), "--model", model];
    const finished = await run(["train", ...args], {
      async during(child) {
        await until(() => existsSync(path("whole/mnist/t10k-labels-idx1-ubyte")));
        child.kill("SIGINT");
      },
    });
    expect(finished).toEqual({
      code: 130,
      signal: null,
      stdout: "",
      stderr: "mnist-evaluate: interrupted: no model was written\n",
    });
    expect(existsSync(model)).toBe(false);
  });
});
