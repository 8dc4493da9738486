import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

import { beforeAll, describe, expect, test } from "vitest";

import type { Evaluation } from "../../src/types.ts";
import { linearGraph } from "../scorer/models/linear.ts";
import { readJson, run, workspace, type Finished } from "./command.ts";

const { evaluate, path } = workspace();
const BRIEF = ["--charts", "none", "--reports", "json", "--quiet"];
const LABELS_ONLY = ["--output", "label"];
const CENTRE = 14 * 28 + 14;

/** Has no scores for images with ink in the centre: every class's sigmoid is 0 there, and the sum that divides it too. */
function modelWithGaps(): Uint8Array {
  const weights = new Float64Array(10 * 784);
  for (let k = 0; k < 10; k++) weights[k * 784 + CENTRE] = -1e6;
  return linearGraph({ linear: { weights, intercepts: new Float64Array(10) } });
}

beforeAll(() => {
  writeFileSync(path("text.onnx"), "not a model");
  writeFileSync(path("gaps.onnx"), modelWithGaps());
  writeFileSync(path("file"), "");
  writeFileSync(path("labels"), Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 2, 0, 1]));
  writeFileSync(path("images"), Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]));
  execFileSync("mkfifo", [path("pipe")]);
  mkdirSync(path("in-the-way/metrics.json"), { recursive: true });
  mkdirSync(path("mine/charts"), { recursive: true });
  for (const name of ["manifest.json", "metrics.json", "report.md", "charts/roc.png", "charts/mine.png"])
    writeFileSync(path("mine", name), "mine");
});

/** Every one is told in one message on stderr, with nothing on stdout. `…` stands for a list of names. */
const FAILURES: readonly (readonly [code: number, args: readonly string[], message: string])[] = [
  [2, ["--bogus"], "Unknown argument: bogus (see mnist-evaluate --help)"],
  [2, ["--limt", "5"], "Unknown argument: limt, did you mean --limit? (see mnist-evaluate --help)"],
  [2, ["--limit"], "--limit needs a value"],
  [2, ["--gate", "acc > 1"], "--gate 'acc > 1': there is no metric 'acc'…"],
  [2, ["--gate", "recall[x] > 1"], "--gate 'recall[x] > 1': there is no class 'x'…"],
  [2, ["--images", "images"], "--images and --labels go together: name both files of the pair"],
  [
    2,
    ["--config", "nowhere.json"],
    "nowhere.json: cannot read the config file: there is no such file: check --config",
  ],
  [
    3,
    ["--images", "images", "--labels", "labels"],
    "labels holds 2 labels but images holds 3 images: give two files that belong together",
  ],
  [
    3,
    ["--images", "nowhere", "--labels", "labels"],
    "nowhere does not exist: give a whole IDX file, gzipped or not",
  ],
  [
    4,
    ["--model", "nowhere.onnx"],
    "nowhere.onnx: cannot read the model: there is no such file: check --model",
  ],
  // None of them is waited for.
  [
    3,
    ["--images", "images", "--labels", "pipe"],
    "pipe is no regular file, and it is read more than once: give a whole IDX file, gzipped or not",
  ],
  [
    4,
    ["--model", "/dev/zero"],
    "/dev/zero: cannot read the model: it is no regular file: name the .onnx file in --model",
  ],
  [
    4,
    ["--model", "pipe"],
    "pipe: cannot read the model: it is no regular file: name the .onnx file in --model",
  ],
  [4, ["--model", "."], ".: cannot read the model: it is a folder: name the .onnx file in --model"],
  [4, ["--model", "text.onnx"], "text.onnx is a text file, not a model: name an .onnx file in --model"],
  [
    5,
    ["--out", "file"],
    "file: cannot write the report there: a file of that name is in the way: choose another folder with --out",
  ],
  [
    5,
    ["--out", "file/deeper"],
    "file/deeper: cannot write the report there: a file of that name is in the way: choose another folder with --out",
  ],
  [
    5,
    ["--out", "in-the-way"],
    "in-the-way/metrics.json: cannot write it: a folder of that name is in the way: remove it or choose another folder with --out",
  ],
];

describe("the exit code and stderr", () => {
  test.each(FAILURES)("are %i for %j", async (code, args, message) => {
    const finished = await evaluate([
      ...BRIEF,
      ...(args.includes("--limit") ? [] : ["--limit", "20"]),
      ...args,
    ]);
    expect(finished).toMatchObject({ code, stdout: "" });
    const [told, more] = [`mnist-evaluate: ${message}`, message.endsWith("…")];
    expect(more ? finished.stderr.slice(0, told.length - 1) : finished.stderr).toBe(
      more ? told.slice(0, -1) : `${told}\n`,
    );
    expect(finished.stderr).not.toMatch(/^ +at /m);
  });

  test("are 5 before anything is scored where files are in the way, and --force overwrites those alone", async () => {
    const args = ["--quiet", "--limit", "20", "--charts", "png", "--reports", "json", "--out", "mine"];
    expect(await evaluate([...args, "--model", "nowhere.onnx"])).toMatchObject({
      code: 5,
      stdout: "",
      stderr:
        "mnist-evaluate: mine holds files that no earlier run has written, or that were edited since: manifest.json, " +
        "metrics.json, charts/roc.png: move them away, choose another folder with --out, or overwrite them with --force\n",
    });
    expect(await evaluate([...args, "--force"])).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(readJson<Evaluation>(path("mine/metrics.json")).dataset.images).toBe(20);
    for (const name of ["report.md", "charts/mine.png"])
      expect(readFileSync(path("mine", name), "utf8")).toBe("mine");
    expect(await evaluate(args)).toMatchObject({ code: 0, stdout: "", stderr: "" });
  });

  test("are 3 and what to do where the data is nowhere", async () => {
    const finished = await evaluate([...BRIEF, "--dataset", "kmnist"]);
    expect(finished).toMatchObject({ code: 3, stdout: "" });
    expect(finished.stderr).toContain(
      `mnist-evaluate: t10k-images-idx3-ubyte of Kuzushiji-MNIST is not in ${path("data/kmnist")}, and --offline forbids`,
    );
    expect(finished.stderr).not.toMatch(/^ +at /m);
  });

  test("are those of one of the two where neither the model nor the data is there", async () => {
    const finished = await evaluate([...BRIEF, "--dataset", "kmnist", "--model", "nowhere.onnx"]);
    expect([3, 4]).toContain(finished.code);
    expect(finished.stderr).toMatch(/^mnist-evaluate: /);
    expect(finished.stderr.match(/^mnist-evaluate: /gm)).toHaveLength(1);
  });

  test("are 3 for a cache that cannot be written", async () => {
    const finished = await run([
      "evaluate",
      "--offline",
      "--data-dir",
      path("file"),
      ...BRIEF,
      "--out",
      path("r"),
    ]);
    expect(finished.code).toBe(3);
    expect(finished.stderr).toContain("choose another folder with --data-dir");
  });
});

function gated(gates: string[], ...more: string[]): Promise<Finished> {
  const args = gates.flatMap((gate) => ["--gate", gate]);
  return evaluate([...BRIEF, "--limit", "200", "--out", "gates", ...args, ...more]);
}

describe("gates", () => {
  test("that pass end with 0", async () => {
    const finished = await gated(["accuracy >= 0.5", "recall[5] > 0.1"]);
    expect(finished).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
    const { gates } = readJson<Evaluation>(path("gates/metrics.json"));
    expect(gates.map(({ expression, passed }) => [expression, passed])).toEqual([
      ["accuracy >= 0.5", true],
      ["recall[5] > 0.1", true],
    ]);
  });

  test("end with 1 where one fails, and the report is written", async () => {
    const finished = await gated(["accuracy >= 0.5", "accuracy > 1"]);
    expect(finished).toEqual({ code: 1, signal: null, stdout: "", stderr: "" });
    const { gates } = readJson<Evaluation>(path("gates/metrics.json"));
    expect(gates.map(({ passed }) => passed)).toEqual([true, false]);
  });

  test("end with 2 and the reason where one cannot be told", async () => {
    const finished = await gated(["accuracy >= 0.5", "log_loss < 1"], ...LABELS_ONLY);
    expect(finished).toMatchObject({ code: 2, stdout: "" });
    expect(finished.stderr).toBe(
      "mnist-evaluate: --gate 'log_loss < 1': log_loss could not be told: it needs probabilities, and the model gives labels only\n",
    );
  });

  test("end with 1 where one fails and another cannot be told, and the reason is still given", async () => {
    const finished = await gated(["accuracy > 1", "log_loss < 1"], ...LABELS_ONLY);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toMatch(/^mnist-evaluate: --gate 'log_loss < 1': .*\n$/);
  });
});

describe("images without a prediction", () => {
  test("end with 4, also where a gate fails, and the report says which they are", async () => {
    const finished = await evaluate([
      ...BRIEF,
      "--model",
      "gaps.onnx",
      "--out",
      "gaps",
      "--limit",
      "100",
      "--scale",
      "unit",
      "--gate",
      "accuracy > 1",
    ]);
    expect(finished).toMatchObject({ code: 4, stdout: "" });
    const { failures, dataset, confusionMatrix } = readJson<Evaluation>(path("gaps/metrics.json"));
    expect(failures.count).toBeGreaterThan(10);
    expect(dataset).toMatchObject({ images: 100, scored: 100 - failures.count });
    expect(confusionMatrix.flat().reduce((sum, count) => sum + count, 0)).toBe(dataset.scored);
    expect(finished.stderr).toBe(
      `mnist-evaluate: ${failures.count} of 100 images have no prediction (the model's scores are no probabilities: not ` +
        "finite, not in 0 to 1, or all 0): see failures in gaps/metrics.json\n",
    );
  });

  test.each([
    [4, [], ["balanced_accuracy >= 0.11"]],
    [2, ["--max-failures", "90%"], ["balanced_accuracy >= 0.11", "accuracy >= 0.01"]],
    [1, ["--max-failures", "90%"], ["balanced_accuracy >= 0.11", "accuracy > 1"]],
    [0, ["--max-failures", "90%"], ["accuracy >= 0.01"]],
  ])("end with %i, %j and the gates %j", async (code, options, gates) => {
    const finished = await evaluate([
      ...BRIEF,
      "--model=gaps.onnx",
      "--out=open",
      "--limit=200",
      "--scale=unit",
      ...options,
      ...gates.flatMap((gate) => ["--gate", gate]),
    ]);
    expect(finished.code).toBe(code);
    const { dataset, failures, metrics, perClass } = readJson<Evaluation>(path("open/metrics.json"));
    // Every prediction is 0, and no 1 is without ink in its centre: one of nine classes, and one of ten with all images.
    expect(metrics["balanced_accuracy"]!.value).toBeCloseTo(1 / 9, 12);
    const zeros = perClass[0]!.support;
    const reason =
      "mnist-evaluate: --gate 'balanced_accuracy >= 0.11': balanced_accuracy could not be told: it is 0.111111 on the " +
      `${dataset.scored} images with a prediction, but ${zeros / (zeros + failures.perClass[0]!) / 10} on all 200 if the other ${failures.count} are wrong\n`;
    expect(finished.stderr.includes(reason)).toBe(gates.some((gate) => gate.startsWith("balanced")));
  });
});
