import { expect, test } from "vitest";
import { DatasetError, InterruptedError } from "../../src/errors.ts";
import { decodeModel } from "../../src/scorer/onnx-proto.ts";
import { trainBundledModel } from "../../src/train/train.ts";
import { dataset } from "./mnist.ts";

const { signal } = new AbortController();

test("trainBundledModel(options) gives the same bytes for the same images", async () => {
  const train = dataset("train", 250);
  const [one, two] = [
    await trainBundledModel({ train, signal }),
    await trainBundledModel({ train, signal, now: () => 0 }),
  ];
  expect(Buffer.compare(one.bytes, two.bytes)).toBe(0);
});

test("trainBundledModel(options) sums up the training", async () => {
  const train = dataset("train", 250);
  const clock = [1000, 3500];
  const { summary } = await trainBundledModel({
    train,
    test: dataset("test", 1000),
    signal,
    now: () => clock.shift()!,
  });
  expect(summary).toMatchObject({ images: 250, C: 1.25, seconds: 2.5, trainingAccuracy: 1 });
  expect(summary.gradientNorm).toBeLessThanOrEqual(1e-6);
  expect(summary.iterations).toHaveLength(10);
  expect(summary.testAccuracy).toBeGreaterThan(0.7);
  expect(summary.testAccuracy).toBeLessThan(0.8);
});

test("trainBundledModel(options) writes what the model was made from into it", async () => {
  const train = dataset("train", 200);
  const { bytes, summary } = await trainBundledModel({ train, signal });
  const [images, labels] = train.files();
  const model = decodeModel(bytes);
  expect(model.producerName).toBe("mnist-evaluate");
  expect(model.metadataProps).toEqual([
    {
      key: "description",
      value: "One-vs-rest logistic regression on mnist (pixels / 255), trained by mnist-evaluate",
    },
    { key: "pixels", value: "x/255" },
    { key: "classes", value: '["0","1","2","3","4","5","6","7","8","9"]' },
    { key: "dataset", value: "mnist" },
    { key: "split", value: "train" },
    { key: "sha256 train-images-idx3-ubyte", value: images!.sha256 },
    { key: "sha256 train-labels-idx1-ubyte", value: labels!.sha256 },
    { key: "training_images", value: "200" },
    { key: "training_accuracy", value: "1.000000" },
    {
      key: "solver",
      value: "L-BFGS with a sampled Hessian, one-vs-rest, L2 penalty on weights and intercepts",
    },
    { key: "C", value: "1.25" },
    { key: "objective", value: summary.objective.toFixed(6) },
  ]);
});

test("trainBundledModel(options) reports progress and stops with the signal's reason", async () => {
  const controller = new AbortController();
  const seen: number[] = [];
  const training = trainBundledModel({
    train: dataset("train", 200),
    signal: controller.signal,
    progress: ({ evaluations }) => {
      seen.push(evaluations);
      if (evaluations === 3) controller.abort(new InterruptedError("interrupted"));
    },
  });
  await expect(training).rejects.toThrow(new InterruptedError("interrupted"));
  expect(seen).toEqual([1, 2, 3]);
});

test("trainBundledModel(options) refuses a data set without images", async () => {
  await expect(trainBundledModel({ train: dataset("train", 0), signal })).rejects.toThrow(
    new DatasetError("mnist train holds 0 images, expected at least 1"),
  );
});
