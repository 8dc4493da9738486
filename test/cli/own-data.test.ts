/** Data sets of one's own through the built command. */
import { writeFileSync } from "node:fs";

import { expect, test } from "vitest";

import { mnistPart } from "./images.ts";
import { readJson, workspace } from "./command.ts";
import type { Evaluation } from "../../src/types.ts";

const { evaluate, path, folder } = workspace();

/** 300 of MNIST's test images, of the digits that are wanted. */
function digits(name: string, wanted: (label: number) => boolean): string[] {
  const { images, labels } = mnistPart(300, wanted);
  writeFileSync(path(`${name}-images`), images);
  writeFileSync(path(`${name}-labels`), labels);
  return ["--images", path(`${name}-images`), "--labels", path(`${name}-labels`)];
}

test("images without the highest label have as many classes as the model scores", async () => {
  const out = path("low");
  const files = digits("low", (label) => label < 9);
  const { code, stderr } = await evaluate([...files, "--out", out, "--charts", "none"], { cwd: folder });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { dataset, perClass, warnings } = readJson<Evaluation>(out, "metrics.json");
  expect(dataset.classes).toEqual("0123456789".split(""));
  expect(perClass[9]!.support).toBe(0);
  expect(warnings).toEqual([
    expect.stringMatching(/^There are no images of 9 \(\d+ predicted\): .* without\.$/),
  ]);
});
