import { describe, expect, test } from "vitest";

import { mnistSample } from "../../src/dataset/trial-images.ts";
import { preflight, type TrialImages } from "../../src/preflight.ts";
import { mnist } from "../train/mnist.ts";
import { CHOICES, scorerOf, softmax, type Model } from "./models.ts";

const IMAGES = 1_500;
const SIZE = 784;

interface Training {
  readonly steps: number;
  /** Share of the truth that is spread over all classes. */
  readonly smoothing?: number;
  readonly penalty?: number;
}

/** An image's ink: where it is, and how much, in 0–1. */
function inkOf(pixels: Uint8Array): { readonly at: Uint16Array; readonly value: Float64Array } {
  const at = Uint16Array.from([...pixels.keys()].filter((pixel) => pixels[pixel] !== 0));
  return { at, value: Float64Array.from(at, (pixel) => pixels[pixel]! / 255) };
}

/** Softmax regression on x/255 by gradient descent on MNIST's first training images. */
function trained({ steps, smoothing = 0, penalty = 0 }: Training): Model {
  const { pixels, labels } = mnist("train", IMAGES);
  const images = Array.from(labels, (_, i) => inkOf(pixels.subarray(i * SIZE, (i + 1) * SIZE)));
  // Of each class a weight a pixel, and the intercept.
  const weights = Array.from({ length: 10 }, () => new Float64Array(SIZE + 1));
  for (let step = 0; step < steps; step++) {
    const gradients = weights.map((row) => row.map((weight, at) => (at === SIZE ? 0 : penalty * weight)));
    for (const [i, { at, value }] of images.entries()) {
      const scores = weights.map((row) => {
        let sum = row[SIZE]!;
        for (let j = 0; j < at.length; j++) sum += value[j]! * row[at[j]!]!;
        return sum;
      });
      softmax(scores).forEach((p, k) => {
        const error = (p - smoothing / 10 - (labels[i] === k ? 1 - smoothing : 0)) / IMAGES;
        const gradient = gradients[k]!;
        for (let j = 0; j < at.length; j++) gradient[at[j]!]! += error * value[j]!;
        gradient[SIZE]! += error;
      });
    }
    weights.forEach((row, k) => row.forEach((_, at) => (row[at]! -= 0.1 * gradients[k]![at]!)));
  }
  return (input) =>
    softmax(
      weights.map((row) => {
        let sum = row[SIZE]!;
        for (let at = 0; at < SIZE; at++) sum += input[at]! * row[at]!;
        return sum;
      }),
    );
}

const trialImages = (name: string, load: TrialImages["load"]): TrialImages => ({
  name,
  foreign: false,
  load,
});

/** Fed a larger scale they are surer, which lowers their log loss, and more often wrong. */
describe("preflight() feeds models that are under-confident and were trained on x/255 as x/255", () => {
  test.each<[string, Training]>([
    ["a label smoothing of 0.2", { steps: 60, smoothing: 0.2 }],
    ["a label smoothing of 0.4", { steps: 60, smoothing: 0.4 }],
    ["a strong penalty", { steps: 60, penalty: 0.1 }],
    ["a stronger penalty", { steps: 60, penalty: 0.3 }],
    ["5 steps", { steps: 5 }],
    ["15 steps", { steps: 15 }],
  ])("by %s", async (_, training) => {
    const none = trialImages("of none", async () => await Promise.resolve(null));
    const { preflight: found, warnings } = await preflight({
      classes: 10,
      choices: CHOICES,
      asked: { scale: null, invert: null },
      stated: null,
      independent: [
        trialImages("of MNIST's training images", () => mnistSample(new AbortController().signal)),
      ],
      scored: none,
      firstScored: none,
      own: false,
      limit: { images: 5_000, answers: 12_000 },
      service: false,
      score: scorerOf(trained(training)),
    });
    expect({ chosen: found.chosen, warnings }).toEqual({
      chosen: { scale: "unit", invert: false, transpose: false },
      warnings: [],
    });
    const lossOf = (name: string): number =>
      found.candidates.find(({ scale, invert, transpose }) => scale === name && !invert && !transpose)!
        .log_loss!;
    expect(lossOf("mnist"), "by log loss alone, mnist would be taken").toBeLessThan(lossOf("unit"));
  });
});
