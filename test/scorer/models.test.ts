import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { InferenceSession } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { NamedScale, Preprocessing } from "../../src/types.ts";
import { decodeModel, encodeModel } from "../../src/scorer/onnx-proto.ts";
import { mnist } from "../train/mnist.ts";
import { MODELS, PERMUTATION, WRONG, writeModel, writeWrong } from "./models.ts";
import type { ModelName, TestModel, WrongName } from "./models.ts";
import { answers, correct, logLoss, type Images } from "./models/feed.ts";
import { constant, value } from "./models/graph.ts";
import { pixels } from "./models/linear.ts";
import { fromHalf, toHalf } from "./models/half.ts";
import { loadRuntime } from "../../src/scorer/session.ts";

const t10k = mnist("test", 10_000);
/** Every 50th image: t10k's first half is harder than its second, so that the first 200 would not stand for all. */
const few = every(50);

let folder = "";
// Before any tensor is made, as the scorer itself does.
beforeAll(() => loadRuntime());
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-models-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const sessions = new Map<ModelName, Promise<InferenceSession>>();
function sessionOf(name: ModelName): Promise<InferenceSession> {
  const session = sessions.get(name) ?? opened(writeModel(folder, name));
  sessions.set(name, session);
  return session;
}

function every(step: number): Images {
  const chosen = Array.from({ length: t10k.labels.length / step }, (_, i) => i * step);
  const pixels = new Uint8Array(chosen.length * 784);
  chosen.forEach((image, i) => pixels.set(t10k.pixels.subarray(image * 784, (image + 1) * 784), i * 784));
  return { pixels, labels: Uint8Array.from(chosen, (image) => t10k.labels[image]!) };
}

const opened = (path: string): Promise<InferenceSession> =>
  InferenceSession.create(path, { intraOpNumThreads: 1, logSeverityLevel: 4 });

const names = Object.keys(MODELS) as ModelName[];
const sound = names.filter((name) => (MODELS[name] as TestModel).flaw === undefined);

async function scores(name: ModelName, images: Images, feed?: Partial<Preprocessing>) {
  const model: TestModel = MODELS[name];
  const session = await sessionOf(name);
  const { classes, probabilities } = await answers(session, model, images, { ...model.feed, ...feed });
  return { classes, probabilities, right: correct(classes, images.labels) };
}

/** Fewer right, or a log loss that is more than rounding above. Not a number is worse, too. */
async function isWorse(name: ModelName, feed: Partial<Preprocessing>): Promise<boolean> {
  const right = await scores(name, few);
  const wrong = await scores(name, few, feed);
  const loss = (of: typeof right): number => (of.probabilities ? logLoss(of.probabilities, few.labels) : 0);
  return wrong.right < right.right || !(loss(wrong) <= loss(right) + 1e-3);
}

/** How many of `few` have a probability of which this is true. */
async function rowsWith(name: ModelName, is: (probability: number) => boolean): Promise<number> {
  const { probabilities } = await scores(name, few);
  return few.labels.filter((_, i) => probabilities!.subarray(i * 10, i * 10 + 10).some(is)).length;
}

async function predictedBy(name: ModelName): Promise<number[]> {
  const { classes } = await scores(name, t10k);
  return [...new Set(classes)].sort((a, b) => a - b);
}

/** Largest difference of a probability from the bundled model's: for those whose weights or arithmetic are not its own. */
const tolerances: Partial<Record<ModelName, number>> = { float16: 5e-3, "scale-invariant": 2e-2 };

describe("every model of MODELS", () => {
  test.each(names)("%s gets as much of t10k right as it says, fed as it says", async (name) => {
    const [low, high] = MODELS[name].correct;
    const { right } = await scores(name, t10k);
    expect(right).toBeGreaterThanOrEqual(low);
    expect(right).toBeLessThanOrEqual(high);
  });

  test("without a flaw gives the probabilities of the bundled one, where it gives any and has all pixels", async () => {
    const { probabilities: expected } = await scores("label-and-probabilities", few);
    const others = sound.filter(
      (name) => !/^(rectangle|cnn|fixed-1-mixing|one-vs-rest|log-of-softmax)/.test(name),
    );
    const far: string[] = [];
    for (const name of others) {
      const { probabilities } = await scores(name, few);
      const differences = probabilities?.map((p, i) => Math.abs(p - expected![i]!)) ?? [0];
      const furthest = Math.max(...differences);
      if (!(furthest < (tolerances[name] ?? 1e-4))) far.push(`${name}: ${furthest}`);
    }
    expect(far).toEqual([]);
  });
});

describe("feeding another way", () => {
  const scales: readonly NamedScale[] = ["unit", "raw", "mnist", "signed", "centered"];
  const fractional = sound.filter((name) => !/uint8|^int/.test(name));

  test.each(fractional)(
    "%s scores worse under every other scale, but for those it is indifferent to",
    async (name) => {
      const { feed, indifferent = [] }: TestModel = MODELS[name];
      const others = scales.filter((scale) => scale !== feed.scale);
      const worse = await Promise.all(others.map((scale) => isWorse(name, { scale })));
      expect(others.filter((_, i) => !worse[i])).toEqual(
        others.filter((scale) => indifferent.includes(scale)),
      );
    },
  );

  test("and with exchanged polarity or orientation every sound model gets fewer right", async () => {
    for (const name of sound) {
      const { feed }: TestModel = MODELS[name];
      const { right } = await scores(name, few);
      const inverted = await scores(name, few, { invert: !feed.invert });
      expect([name, inverted.right < right / 2]).toEqual([name, true]);
      if (name.startsWith("rectangle")) continue;
      const transposed = await scores(name, few, { transpose: !feed.transpose });
      expect([name, transposed.right < right / 2]).toEqual([name, true]);
    }
  });
});

describe("models with a flaw", () => {
  test("permuted: PERMUTATION takes its columns back to the bundled model's classes", async () => {
    const { classes } = await scores("permuted", t10k);
    const mended = classes.map((column) => PERMUTATION[column]!);
    expect(correct(mended, t10k.labels)).toBe(9202);
  });

  test("saturated: nearly every confidence is 1 to float32's precision", async () => {
    expect(await rowsWith("saturated", (p) => p === 1)).toBeGreaterThan(0.9 * few.labels.length);
  });

  test("not-a-number and infinite: some or all of the scores are no probabilities", async () => {
    expect(await rowsWith("not-a-number", Number.isNaN)).toBe(16);
    expect(await rowsWith("infinite", Number.isNaN)).toBe(200);
  });

  test("constant and never-8: the first predicts 3 alone, the second all but 8", async () => {
    expect(await predictedBy("constant")).toEqual([3]);
    expect(await predictedBy("never-8")).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 9]);
  });
});

test("fixed-1-mixing answers otherwise once its batch is widened, though it still runs", async () => {
  const { fixedBatch: _, ...wide } = MODELS["fixed-1-mixing"];
  const { graph, ...model } = decodeModel(wide.build().bytes);
  const initializer = graph!.initializer!.map((tensor) =>
    tensor.name === "flat_shape" ? constant("flat_shape", "int64", [2], [-1, 784]) : tensor,
  );
  const input = [pixels(["N", 1, 28, 28])];
  const output = [value("probabilities", "float", ["N", 10])];
  const bytes = encodeModel({ ...model, graph: { ...graph, initializer, input, output } });
  const widened = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const { probabilities: together } = await answers(widened, wide, few);
  const { probabilities: alone } = await scores("fixed-1-mixing", few);
  expect(Math.max(...together!.map((p, i) => Math.abs(p - alone![i]!)))).toBeGreaterThan(0.1);
});

test("log-of-softmax holds −Infinity, which is a probability of 0", async () => {
  const { probabilities } = await scores("log-of-softmax", few);
  expect(probabilities!.filter((p) => p === 0).length).toBeGreaterThan(0);
  expect(probabilities!.some(Number.isNaN)).toBe(false);
});

describe("every file of WRONG", () => {
  const wrong = Object.keys(WRONG) as WrongName[];
  const showing = (where: string): WrongName[] => wrong.filter((name) => WRONG[name].shows === where);

  test("has a file name of its own", () => {
    expect(new Set(wrong.map((name) => WRONG[name].file)).size).toBe(wrong.length);
  });

  test.each(showing("opening"))("%s makes no session", async (name) => {
    await expect(opened(writeWrong(folder, name))).rejects.toThrow(Error);
  });

  test.each([...showing("metadata"), ...showing("running")])("%s makes one", async (name) => {
    const session = await opened(writeWrong(folder, name));
    expect(session.inputNames.length + session.outputNames.length).toBeGreaterThan(0);
    await session.release();
  });

  test("labels-from-one answers 1 to 10, and hidden-sizes takes no 28×28 pixels", async () => {
    const labels = await opened(writeWrong(folder, "labels-from-one"));
    const answer = { output: "label", meaning: "labels" } as const;
    const model: TestModel = { ...MODELS.label, answer };
    const { classes } = await answers(labels, model, few);
    expect([Math.min(...classes), Math.max(...classes)]).toEqual([1, 10]);
    const sizes = await opened(writeWrong(folder, "hidden-sizes"));
    const nhw: TestModel = { ...MODELS.raw, feed: { ...MODELS.raw.feed, layout: "nhw" } };
    await expect(answers(sizes, nhw, few)).rejects.toThrow(/GEMM: Dimension mismatch/);
  });
});

test("toHalf(fromHalf(bits)) is bits for every finite half, and rounds to the nearest, ties to even", () => {
  const finite = Array.from({ length: 0x10000 }, (_, bits) => bits).filter(
    (bits) => (bits & 0x7c00) !== 0x7c00,
  );
  expect(finite.filter((bits) => bits !== 0x8000 && toHalf(fromHalf(bits)) !== bits)).toEqual([]);
  expect([1 + 2 ** -11, 1 + 3 * 2 ** -11, 0.1].map(toHalf)).toEqual([0x3c00, 0x3c02, 0x2e66]);
});
