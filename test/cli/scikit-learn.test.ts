import { readFileSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, describe, expect, test } from "vitest";

import type { Evaluation } from "../../src/types.ts";
import { readJson, root, workspace, type Finished } from "./command.ts";

interface Reference {
  readonly confusionMatrix: number[][];
  readonly metrics: Record<string, number>;
  /** A digit an image. */
  readonly predictions: string;
}

/** The model computes in float32 here, in float64 there. */
const TOLERANCE = 1e-5;
/** The runtime's float32 sigmoid is off by up to 1e-7, which is half of the smallest probabilities' own size. */
const LOG_LOSS_TOLERANCE = 1e-4;
const reference = readJson<Reference>(root, "test/fixtures/sklearn-logreg-t10k.json");
const { evaluate, path } = workspace();

describe("evaluate --model sklearn-logreg.onnx", () => {
  let evaluation: Evaluation;
  let finished: Finished;
  beforeAll(async () => {
    const model = join(root, "test/fixtures/models/sklearn-logreg.onnx");
    finished = await evaluate(["--model", model, "--charts", "none", "--reports", "json,csv", "--out", "r"]);
    evaluation = readJson<Evaluation>(path("r/metrics.json"));
  });

  test("ends with 0 and says nothing on stderr", () => {
    expect(finished).toMatchObject({ code: 0, stderr: "" });
  });

  test("gives scikit-learn's confusion matrix, cell for cell", () => {
    expect(evaluation.confusionMatrix).toEqual(reference.confusionMatrix);
  });

  test("gives scikit-learn's prediction for each of the 10,000 images", () => {
    const lines = readFileSync(path("r/predictions.csv"), "utf8").trim().split(/\r?\n/).slice(1);
    expect(lines.map((line) => line.split(",")[0])).toEqual(Array.from(lines, (_, i) => String(i)));
    expect(lines.map((line) => line.split(",")[2]).join("")).toBe(reference.predictions);
  });

  test.each(Object.entries(reference.metrics))("gives scikit-learn's %s", (name, expected) => {
    const tolerance = name === "log_loss" ? LOG_LOSS_TOLERANCE : TOLERANCE;
    expect(Math.abs(evaluation.metrics[name]!.value! - expected)).toBeLessThan(tolerance);
  });

  test("is held to all metrics", () => {
    expect(Object.keys(reference.metrics)).toEqual(Object.keys(evaluation.metrics));
  });
});
