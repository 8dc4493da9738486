/** How the command finds out how a model wants its pixels, where the scored images would mislead it. */
import { writeFileSync } from "node:fs";

import { beforeAll, describe, expect, test } from "vitest";

import type { Evaluation } from "../../src/types.ts";
import { idxFile } from "../dataset/builders.ts";
import { SKLEARN } from "../endpoint/scene.ts";
import { fedWith, linearGraph } from "../scorer/models/linear.ts";
import { mnist } from "../train/mnist.ts";
import { readJson, root, workspace } from "./command.ts";

const { evaluate, path } = workspace();
const BRIEF = ["--charts", "none", "--reports", "json"];

/** As NumPy rounds. */
function halfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}

beforeAll(() => {
  const { pixels, labels } = mnist("test", 10_000);
  writeFileSync(path("labels"), idxFile([10_000], labels));
  const write = (name: string, images: Uint8Array): void =>
    writeFileSync(path(name), idxFile([10_000, 28, 28], images));
  write(
    "shifted",
    pixels.map((x) => halfToEven(0.3 * x + 40)),
  );
  // Upside down, so that no model of digits helps to read them.
  write(
    "upside-down",
    pixels.map((_, i) => pixels[i - (i % 784) + 783 - (i % 784)]!),
  );
  const { weights, intercepts } = fedWith({ scale: "mnist", invert: false, transpose: false });
  const turned = weights.map((_, i) => weights[i - (i % 784) + 783 - (i % 784)]!);
  writeFileSync(path("upside-down.onnx"), linearGraph({ linear: { weights: turned, intercepts } }));
});

async function evaluated(images: string, model: string, ...more: string[]) {
  const args = ["--images", images, "--labels", "labels", "--model", model, "--out", "out", ...BRIEF];
  const { code, stderr, stdout } = await evaluate([...args, ...more]);
  return { code, stderr, stdout, ...readJson<Evaluation>(path("out/metrics.json")) };
}

describe("MNIST at a contrast of 0.3x + 40", () => {
  test.each([
    [SKLEARN, 0.3424, 0.727, 0.313],
    [`${root}test/fixtures/models/dup-output.onnx`, 0.7384, 0.97, 0.687],
  ])(
    "is fed to %s as it was trained, and what another way would give is told",
    async (model, accuracy, other, own) => {
      const { code, metrics, preflight, scorer, warnings } = await evaluated("shifted", model);
      expect(code).toBe(0);
      expect(scorer.preprocessing).toMatchObject({ scale: "unit", invert: false, transpose: false });
      expect(metrics["accuracy"]!.value).toBeCloseTo(accuracy, 4);
      expect(preflight!.source).toBe("training images");
      const looked = preflight!.candidates.filter(({ on }) => on === "scored images");
      const rate = (name: string) =>
        looked.find(({ scale, invert, transpose }) => scale === name && !invert && !transpose)!.accuracy;
      expect(rate("mnist")).toBeCloseTo(other, 2);
      expect(rate("unit")).toBeCloseTo(own, 2);
      expect(warnings[0]).toMatch(
        /^On 300 of the scored images mnist is right on [\d.]+ % against [\d.]+ % as unit, /,
      );
    },
  );
});

describe("a gate on images that only the scored ones tell how to feed", () => {
  const GATE = ["--gate", "accuracy >= 0.9"];

  test("cannot be told where that is another way than x/255", async () => {
    const { code, stderr, stdout, gates, preflight, scorer } = await evaluated(
      "upside-down",
      "upside-down.onnx",
      ...GATE,
    );
    expect(preflight!.source).toBe("scored images");
    expect(scorer.preprocessing.scale).toBe("mnist");
    const reason =
      "accuracy could not be told: how the pixels are fed was chosen on the scored images themselves: name --scale " +
      "mnist if the model was trained so";
    expect(gates).toMatchObject([{ result: "untold", passed: false, reason }]);
    expect({ code, stderr: stderr.split("\n").find((line) => line.includes("--gate")) }).toEqual({
      code: 2,
      stderr: `mnist-evaluate: --gate 'accuracy >= 0.9': ${reason}`,
    });
    expect(stdout.replaceAll(/\s+/g, " ")).toContain(
      "pixels fed as suits these images best (name --scale mnist to settle it)",
    );
  });

  test("is told as ever where the way is named", async () => {
    const { code, gates, preflight } = await evaluated(
      "upside-down",
      "upside-down.onnx",
      ...GATE,
      "--scale",
      "mnist",
    );
    expect(code).toBe(0);
    expect(gates).toMatchObject([{ result: "passed", passed: true }]);
    expect(preflight!.source).toBe("option");
    const same = await evaluated("upside-down", "upside-down.onnx", ...GATE, "--scale", "0.1307,0.3081");
    expect([same.code, same.metrics["accuracy"]]).toEqual([
      0,
      (await evaluated("upside-down", "upside-down.onnx", "--scale", "mnist")).metrics["accuracy"],
    ]);
  });
});
