import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { seededRandom } from "../../src/random.ts";
import { type LogisticFit, logisticSteps, trainLogistic } from "../../src/train/logistic.ts";
import { type Images, mnist } from "./mnist.ts";

const C = 1.25;
const fit = ({ pixels, labels }: Images, tolerance = 1e-9, classes = 10): LogisticFit =>
  trainLogistic(pixels, labels, { classes, C, tolerance });

/** The objective and its gradient's norm for one class, term by term as they are defined. */
function objectiveOf({ pixels, labels }: Images, { weights, intercepts }: LogisticFit, label: number) {
  const w = [...weights.subarray(label * 784, (label + 1) * 784), intercepts[label]!];
  const gradient = [...w];
  let objective = w.reduce((sum, value) => sum + value * value, 0) / 2;
  for (const [image, truth] of labels.entries()) {
    const x = [...pixels.subarray(image * 784, (image + 1) * 784), 255].map((value) => value / 255);
    const y = truth === label ? 1 : -1;
    const margin = y * x.reduce((sum, value, at) => sum + value * w[at]!, 0);
    objective += C * Math.log1p(Math.exp(-margin));
    for (const [at, value] of x.entries()) gradient[at]! -= (C * y * value) / (1 + Math.exp(margin));
  }
  return { objective, gradientNorm: Math.hypot(...gradient) };
}

test("trainLogistic(pixels, labels) finds scikit-learn's weights", () => {
  const reference = JSON.parse(
    readFileSync(new URL("../fixtures/logistic.json", import.meta.url), "utf8"),
  ) as {
    images: number;
    every: number;
    weights: number[][];
    intercepts: number[];
    objective: number[];
  };
  const { weights, intercepts, objective } = fit(mnist("train", reference.images));
  for (let label = 0; label < 10; label++) {
    const row = weights.subarray(label * 784, (label + 1) * 784);
    for (const [at, expected] of reference.weights[label]!.entries())
      expect(Math.abs(row[at * reference.every]! - expected)).toBeLessThanOrEqual(1e-6);
    expect(Math.abs(intercepts[label]! - reference.intercepts[label]!)).toBeLessThanOrEqual(1e-6);
    expect(objective[label]!).toBeCloseTo(reference.objective[label]!, 8);
  }
});

test("trainLogistic(pixels, labels) ends where the gradient vanishes, and reports it", () => {
  const images = mnist("train", 200);
  const trained = fit(images);
  for (const label of [0, 4, 9]) {
    const { objective, gradientNorm } = objectiveOf(images, trained, label);
    expect(gradientNorm).toBeLessThan(2e-9);
    expect(trained.gradientNorm[label]!).toBeLessThanOrEqual(1e-9);
    expect(trained.objective[label]!).toBeCloseTo(objective, 9);
  }
});

test("trainLogistic(pixels, labels) gives a pixel that is always 0 the weight 0", () => {
  const { weights } = fit(mnist("train", 100));
  expect([0, 1, 27, 783].map((pixel) => weights[3 * 784 + pixel])).toEqual([0, 0, 0, 0]);
});

test("trainLogistic(pixels, labels) does not depend on the order of the images", () => {
  const { pixels, labels } = mnist("train", 400);
  const random = seededRandom(7);
  const order = Array.from(labels, (_, image) => image);
  for (let at = order.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  const shuffled = {
    pixels: Uint8Array.from(order.flatMap((image) => [...pixels.subarray(image * 784, (image + 1) * 784)])),
    labels: Uint8Array.from(order, (image) => labels[image]!),
  };
  const one = fit({ pixels, labels });
  const other = fit(shuffled);
  expect(order).not.toEqual(order.toSorted((a, b) => a - b));
  const differences = one.weights.map((weight, at) => Math.abs(weight - other.weights[at]!));
  expect(Math.max(...differences)).toBeLessThan(1e-8);
});

test("trainLogistic(pixels, labels) trains each class as if it were alone", () => {
  const { pixels, labels } = mnist("train", 300);
  const all = fit({ pixels, labels });
  const alone = fit({ pixels, labels: labels.map((label) => (label === 7 ? 0 : 1)) }, 1e-9, 1);
  const row = all.weights.subarray(7 * 784, 8 * 784);
  expect(Math.max(...row.map((weight, at) => Math.abs(weight - alone.weights[at]!)))).toBeLessThan(1e-8);
});

test("trainLogistic(pixels, labels) finds the same optimum where it begins on a fifth of the images", () => {
  const few = mnist("train", 2000);
  const times = 10;
  const many = {
    pixels: new Uint8Array(few.pixels.length * times),
    labels: new Uint8Array(few.labels.length * times),
  };
  for (let time = 0; time < times; time++) {
    many.pixels.set(few.pixels, time * few.pixels.length);
    many.labels.set(few.labels, time * few.labels.length);
  }
  // Ten copies of each image at a tenth of C are the same problem.
  const repeated = trainLogistic(many.pixels, many.labels, { classes: 1, C: C / times, tolerance: 1e-8 });
  const { weights } = fit(few, 1e-8, 1);
  const differences = weights.map((weight, at) => Math.abs(weight - repeated.weights[at]!));
  expect(Math.max(...differences)).toBeLessThan(3e-8);
});

test("logisticSteps(pixels, labels) tells how far it is until no class is unfinished", () => {
  const { pixels, labels } = mnist("train", 100);
  const steps = [...logisticSteps(pixels, labels, { classes: 10, C, tolerance: 1e-6 })];
  expect(steps[0]).toMatchObject({ evaluations: 1, unfinished: 10 });
  expect(steps.at(-1)).toEqual({ evaluations: steps.length, unfinished: 0, gradientNorm: 0 });
});

test("trainLogistic(pixels, labels) refuses pixels that do not belong to the labels", () => {
  expect(() => fit({ pixels: new Uint8Array(10), labels: new Uint8Array(3) })).toThrow(
    new RangeError("10 pixels are not a whole number for each of 3 images"),
  );
});
