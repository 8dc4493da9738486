/** What the reliability diagram's title says of models that are calibrated, or off by a known amount, over many runs. */
import { describe, expect, test } from "vitest";
import { reliability } from "../../src/charts/reliability.ts";
import { Calibration, calibrationTest } from "../../src/metrics/calibration.ts";
import type { Evaluation } from "../../src/types.ts";
import { evaluation } from "./builders.ts";

const BASE = evaluation();

/** A confidence from a uniform number. */
const MODELS = {
  sharp: (u: number) => 1 - 0.6 * u ** 8,
  flat: (u: number) => 0.25 + 0.7 * u,
  certain: (u: number) => (u < 0.7 ? 1 - 1e-6 * u : 1 - 0.5 * u ** 3),
};

/** Tommy Ettinger's mulberry32: millions of numbers in a moment, which the program's own source is not made for. */
function uniformNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
}

/** So many images of which each is right with the probability that the model claims, less `excess`. */
function run(model: keyof typeof MODELS, images: number, seed: number, excess = 0): Evaluation {
  const uniform = uniformNumbers(seed);
  const probabilities = new Float64Array(2 * images);
  const truth = new Uint8Array(images);
  for (let row = 0; row < images; row++) {
    const confidence = MODELS[model](uniform());
    probabilities[2 * row] = confidence;
    probabilities[2 * row + 1] = 1 - confidence;
    truth[row] = uniform() < confidence - excess ? 0 : 1;
  }
  const calibration = new Calibration();
  calibration.add(truth, new Uint8Array(images), probabilities, 2);
  const bins = calibration.bins();
  return { ...BASE, calibration: { bins, test: calibrationTest(bins) } };
}

const ALARM = /-confident|off both ways|not by chance/;

function alarms(model: keyof typeof MODELS, images: number, excess = 0): number {
  const runs = Math.min(1_000, 1_000_000 / images);
  const seeds = Array.from({ length: runs }, (_, i) => 1_000 * images + i);
  return (
    seeds.filter((seed) => ALARM.test(reliability.title(run(model, images, seed, excess)))).length / runs
  );
}

const sizes = Object.keys(MODELS).flatMap((model) =>
  [200, 1_000, 10_000].map((images) => [model as keyof typeof MODELS, images] as const),
);

describe("reliability.title()", () => {
  test.each(sizes)(
    "calls a %s model that is calibrated off in at most 5 %% of runs of %i images",
    (model, images) => {
      expect(alarms(model, images)).toBeLessThanOrEqual(0.05);
    },
  );

  test.each([
    ["flat", 1_000, 0.08],
    ["sharp", 1_000, 0.04],
    ["sharp", 10_000, 0.02],
    ["certain", 10_000, 0.02],
  ] as const)(
    "finds out a %s model on %i images that is right %f less often than it claims",
    (model, images, excess) => {
      expect(alarms(model, images, excess)).toBeGreaterThanOrEqual(0.9);
      expect(reliability.title(run(model, images, 1, excess))).toBe(
        "The model is over-confident: it is right less often than it claims",
      );
    },
  );
});
