import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { createTally } from "../../src/metrics/tally.ts";
import { BINS, logitBin } from "../../src/metrics/scores.ts";
import { scoreTables, writeArgmax, writeScores } from "../../src/scorer/answers.ts";
import type { Measurements, ScoredBatch, ScoreMeaning } from "../../src/types.ts";
import { names } from "./builders.ts";

interface Figures {
  /** A digit an image. */
  readonly predicted: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly perClass: readonly { readonly roc_auc: number; readonly average_precision: number }[];
  /** Images in each of the reliability diagram's bins. */
  readonly bins: readonly number[];
}

/** scikit-learn's, see fixtures/given_scores.py. */
const { cases } = JSON.parse(
  readFileSync(new URL("../fixtures/given-scores.json", import.meta.url), "utf8"),
) as { readonly cases: Readonly<Record<string, Figures>> };

const K = 10;
/** As float32 holds them, whose rows do not quite sum to one. */
const { tables } = JSON.parse(readFileSync(new URL("../fixtures/metrics.json", import.meta.url), "utf8")) as {
  readonly tables: readonly { readonly truth: number[]; readonly probabilities_f32le_base64?: string }[];
};
const [{ truth, probabilities_f32le_base64: base64 }] = tables as [(typeof tables)[number]];
const float32 = Array.from(new Float32Array(Uint8Array.from(Buffer.from(base64!, "base64")).buffer));
const rounded = (digits: number) => float32.map((p) => Number(p.toFixed(digits)));
const logits = float32.map((_, at) => {
  const [image, column] = [Math.floor(at / K), at % K];
  return ((image * 7919 + column * 104729) % 1601) - 1000 + (column === truth[image] ? 600 : 0);
});

/** Scores as a scorer hands them on. */
function scored(scores: readonly number[], meaning: ScoreMeaning): ScoredBatch {
  const images = truth.length;
  const tables = scoreTables(meaning, images, K);
  const given = Float64Array.from(scores);
  writeScores(given, tables, 0, images, K);
  const predicted = new Uint8Array(images);
  writeArgmax(given, predicted, 0, images, K);
  const indices = Uint32Array.from({ length: images }, (_, i) => i);
  return { indices, pixels: new Uint8Array(0), truth: Uint8Array.from(truth), predicted, ...tables };
}

function measured(batch: ScoredBatch, exactScores?: number): Measurements {
  const tally = createTally(names(K), exactScores === undefined ? {} : { exactScores });
  tally.add(batch);
  return tally.measurements();
}

const AREA = /^(roc_auc|average_precision)/;

describe("scores as they were given", () => {
  test.each([
    ["float32", float32, "probabilities"],
    ["1 digits", rounded(1), "one-vs-rest"],
    ["2 digits", rounded(2), "one-vs-rest"],
    ["3 digits", rounded(3), "probabilities"],
    ["4 digits", rounded(4), "probabilities"],
    ["logits", logits, "logits"],
  ] as const)(
    "%s have scikit-learn's figures, areas to 1e-9 and all others to 1e-12",
    (name, scores, meaning) => {
      const batch = scored(scores, meaning);
      const { metrics, perClass, calibration } = measured(batch);
      const expected = cases[name]!;
      expect([...batch.predicted].join("")).toBe(expected.predicted);
      expect(calibration!.bins.map(({ count }) => count)).toEqual(expected.bins);
      const far = Object.entries(expected.metrics).filter(
        ([metric, value]) => Math.abs(metrics[metric]!.value! - value) > (AREA.test(metric) ? 1e-9 : 1e-12),
      );
      expect(far).toEqual([]);
      for (const [c, areas] of expected.perClass.entries()) {
        expect(Math.abs(perClass[c]!.roc_auc.value! - areas.roc_auc)).toBeLessThan(1e-9);
        expect(Math.abs(perClass[c]!.average_precision.value! - areas.average_precision)).toBeLessThan(1e-9);
      }
    },
  );

  test("logits in bins have areas within the error that is told", () => {
    const exact = measured(scored(logits, "logits"));
    const binned = measured(scored(logits, "logits"), 1_000);
    expect(binned.curves!.exact).toBe(false);
    const error = binned.curves!.maxAreaError!;
    expect(error).toBeLessThan(0.01);
    for (const [c, row] of exact.perClass.entries()) {
      expect(Math.abs(binned.perClass[c]!.roc_auc.value! - row.roc_auc.value!)).toBeLessThanOrEqual(error);
    }
  });

  test("logits and probabilities are not ranked together", () => {
    const tally = createTally(names(K));
    tally.add(scored(logits, "logits"));
    expect(() => tally.add(scored(float32, "probabilities"))).toThrow(
      new RangeError("probabilities cannot be ranked among logits"),
    );
  });

  test("a probability that rounding left above 1 is a confidence of 1", () => {
    const scores = float32.map((_, at) => (at % K === truth[Math.floor(at / K)] ? 1.0000001 : 0));
    const { metrics, calibration } = measured(scored(scores, "probabilities"));
    expect(calibration!.bins.at(-1)!.count).toBe(truth.length);
    expect(metrics["expected_calibration_error"]!.value).toBeCloseTo(1e-7, 12);
    expect(metrics["log_loss"]!.value).toBeCloseTo(0, 12);
  });
});

test("a logit's bin is never lower for a higher one", () => {
  const ordered = [-Infinity, -1e30, -20_000, -3.01, -3, -1e-9, 0, 1e-9, 0.5, 3, 3.01, 1000, 1002, 1e30];
  const bins = ordered.map(logitBin);
  expect(bins).toEqual(bins.toSorted((a, b) => a - b));
  expect([bins[0], bins.at(-1)! < BINS - 1]).toEqual([0, true]);
  expect(new Set(bins).size).toBe(ordered.length);
  expect(logitBin(-0)).toBe(logitBin(0));
});

describe("images with a label alone", () => {
  const batch = scored(float32, "probabilities");
  const lacking = 30;
  const holed = {
    ...batch,
    probabilities: batch.probabilities!.map((p, at) => (at < lacking * K ? NaN : p)),
  };

  test("count in the accuracy, and are left out of what needs probabilities", () => {
    const all = measured(batch);
    const rest = createTally(names(K));
    rest.add({
      ...batch,
      truth: batch.truth.subarray(lacking),
      predicted: batch.predicted.subarray(lacking),
      probabilities: batch.probabilities!.subarray(lacking * K),
    });
    const { metrics, withoutProbabilities, confusionMatrix, calibration } = measured(holed);
    expect(withoutProbabilities).toBe(lacking);
    expect(confusionMatrix).toEqual(all.confusionMatrix);
    expect(metrics["accuracy"]).toEqual(all.metrics["accuracy"]);
    for (const name of ["log_loss", "brier_score", "roc_auc_macro", "top_2_accuracy"])
      expect(metrics[name]).toEqual(rest.measurements().metrics[name]);
    expect(calibration).toEqual(rest.measurements().calibration);
  });

  test("leave nothing that needs probabilities where all are so", () => {
    const none = { ...batch, probabilities: batch.probabilities!.map(() => NaN) };
    const { metrics, calibration, curves, withoutProbabilities } = measured(none);
    expect(withoutProbabilities).toBe(truth.length);
    expect([metrics["log_loss"]!.value, calibration, curves]).toEqual([null, null, null]);
    expect(metrics["accuracy"]!.value).toBe(cases["float32"]!.metrics["accuracy"]);
  });
});
