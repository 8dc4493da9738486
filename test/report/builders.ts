import { calibrationTest } from "../../src/metrics/calibration.ts";
import { confusionMatrix, topConfusions, weakestClass } from "../../src/metrics/confusion.ts";
import type {
  ClassMetrics,
  Estimate,
  Evaluation,
  Measurements,
  ModelFacts,
  Preflight,
  PreflightCandidate,
} from "../../src/types.ts";
import { accuracyRange } from "../../src/metrics/unanswered.ts";

export interface EvaluationOptions extends Partial<
  Omit<Evaluation, keyof Measurements | "dataset" | "failures">
> {
  /** All of the first class. */
  readonly failures?: Pick<Evaluation["failures"], "count" | "images">;
  readonly classes?: readonly string[];
  /** [true][predicted]; the metrics that follow from it alone are worked out. */
  readonly matrix?: readonly (readonly number[])[];
  /** False as for a scorer that gives labels only. */
  readonly probabilities?: boolean;
  readonly metrics?: Readonly<Record<string, Estimate>>;
}

const LABEL_METRICS =
  "balanced_accuracy precision_macro recall_macro f1_macro precision_weighted recall_weighted"
    .concat(" f1_weighted cohen_kappa matthews_corrcoef")
    .split(" ");
const SCORE_METRICS =
  "top_2_accuracy top_3_accuracy top_5_accuracy log_loss brier_score roc_auc_macro roc_auc_weighted"
    .concat(" average_precision_macro expected_calibration_error")
    .split(" ");

export const UNDEFINED: Estimate = { value: null, interval: null };

/** A number with an interval of its own width around it. */
export function estimate(value: number | null, half = 0.02): Estimate {
  if (value === null) return UNDEFINED;
  const interval = {
    low: Math.max(0, value - half),
    high: Math.min(1, value + half),
    level: 0.95,
    method: "wilson",
  };
  return { value, interval };
}

function point(value: number | null): Estimate {
  return { value, interval: null };
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

/** A whole evaluation of 3 classes, cat, dog and bird, of which a test states only what matters to it. */
export function evaluation(options: EvaluationOptions = {}): Evaluation {
  const { classes = ["cat", "dog", "bird"], probabilities = true, metrics = {}, ...rest } = options;
  const { matrix = threeClasses(classes.length), failures = { count: 0, images: [] }, ...overrides } = rest;
  const measured = measurements(classes, matrix, probabilities);
  const scored = matrix.flat().reduce((sum, cell) => sum + cell, 0);
  const perClass = classes.map((_, c) => (c === 0 ? failures.count : 0));
  return {
    schemaVersion: 1,
    createdAt: "2026-11-22T12:00:00.000Z",
    durationSeconds: 0.61,
    seed: 42,
    dataset: {
      name: "pets",
      split: "test",
      images: scored + failures.count,
      scored,
      classes,
      shape: [2, 2],
      files: [{ name: "pets-images-idx3-ubyte", bytes: 816, sha256: "1f".repeat(32) }],
      source: "local files",
    },
    scorer: {
      kind: "onnx",
      name: "pets.onnx",
      sha256: "a0".repeat(32),
      preprocessing: { scale: "unit", layout: "flat", invert: false, transpose: false },
      model: modelFacts(),
    },
    preflight: null,
    imagesPerSecond: 412_000,
    environment: {
      node: "v20.20.2",
      platform: "linux x64",
      cpu: "Some CPU",
      packages: { "onnxruntime-node": "1.30.0" },
      git: { commit: "0123456789".repeat(4), branch: "main", dirty: true },
    },
    failures: {
      count: failures.count,
      perClass,
      accuracyRange: accuracyRange(measured, { count: failures.count, perClass }),
      images: failures.images,
    },
    gates: [],
    parity: null,
    repeatability: null,
    comparison: null,
    latency: null,
    slices: null,
    warnings: [],
    examples: { sample: [example(classes, probabilities)], mistakes: [] },
    ...measured,
    ...overrides,
    metrics: { ...measured.metrics, ...metrics },
  };
}

/** A small model of the three classes. */
export function modelFacts(facts: Partial<ModelFacts> = {}): ModelFacts {
  return {
    bytes: 32_553,
    parameters: 7850,
    opset: 13,
    irVersion: 8,
    producer: "pets-trainer 1.2",
    input: "pixels float32 [n, 4]",
    output: "scores float32 [n, 3]",
    meaning: "logits",
    fixedBatch: null,
    ...facts,
  };
}

/** One way to feed the pixels as it did on 300 images. */
export function candidate(way: Partial<PreflightCandidate> = {}): PreflightCandidate {
  return {
    scale: "unit",
    invert: false,
    transpose: false,
    accuracy: 0.9,
    log_loss: 0.35,
    saturated: 0,
    images: 300,
    on: "training images",
    ...way,
  };
}

const OTHERS = [
  candidate({ scale: "mnist", accuracy: 0.62, log_loss: 2.81, saturated: 0.1725 }),
  candidate({ scale: "raw", invert: true, transpose: true, accuracy: 0.1, log_loss: 27.6, images: 60 }),
];

/** What came of trying: `unit` was chosen, and nothing else came near. */
export function preflight(overrides: Partial<Preflight> = {}): Preflight {
  return {
    source: "training images",
    chosen: { scale: "unit", invert: false, transpose: false },
    statement:
      "Pixels as x/255 (unit): right on 90.0 % of 300 of Pets's training images, against 62.0 % as mnist",
    candidates: [candidate(), ...OTHERS],
    ...overrides,
  };
}

function example(classes: readonly string[], probabilities: boolean) {
  const name = classes[0] ?? "";
  return {
    index: 7,
    truth: name,
    predicted: name,
    confidence: probabilities ? 0.75 : null,
    pixels: "AAECAw==",
  };
}

/** 10 mistakes: the class at 0 taken for the one at 1 six times, and the other way round four times. */
function threeClasses(k: number): number[][] {
  return Array.from({ length: k }, (_, i) =>
    Array.from({ length: k }, (_, j) => {
      if (i === j) return [1_034, 56, 100][i] ?? 50;
      if (i === 0 && j === 1) return 6;
      return i === 1 && j === 0 ? 4 : 0;
    }),
  );
}

function measurements(
  classes: readonly string[],
  matrix: readonly (readonly number[])[],
  probabilities: boolean,
): Measurements {
  const total = matrix.flat().reduce((sum, cell) => sum + cell, 0);
  const correct = matrix.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
  const counted = confusionMatrix(Float64Array.from(matrix.flat()), classes.length);
  const bins = calibrationBins(total, correct);
  const score = (value: number): Estimate => point(probabilities && total > 0 ? value : null);
  return {
    confusionMatrix: matrix,
    withoutProbabilities: probabilities ? 0 : total,
    metrics: {
      accuracy: estimate(ratio(correct, total), 0.005),
      ...Object.fromEntries(LABEL_METRICS.map((name, i) => [name, point(total > 0 ? 0.9 + i / 1000 : null)])),
      ...Object.fromEntries(SCORE_METRICS.map((name, i) => [name, score(0.8 + i / 1000)])),
    },
    perClass: classes.map((name, i) => classMetrics(name, i, matrix, score)),
    weakestClass: weakestClass(counted, classes),
    topConfusions: topConfusions(counted, classes),
    calibration: probabilities ? { bins, test: calibrationTest(bins) } : null,
    confidence: probabilities ? { bins: [{ low: 0, high: 1, correct, wrong: total - correct }] } : null,
    curves: probabilities ? { exact: true, classes: classes.map(curves) } : null,
  };
}

function classMetrics(
  name: string,
  i: number,
  matrix: readonly (readonly number[])[],
  score: (value: number) => Estimate,
): ClassMetrics {
  const support = (matrix[i] ?? []).reduce((sum, cell) => sum + cell, 0);
  const predicted = matrix.reduce((sum, row) => sum + (row[i] ?? 0), 0);
  const right = matrix[i]?.[i] ?? 0;
  return {
    class: name,
    support,
    predicted,
    precision: estimate(ratio(right, predicted)),
    recall: estimate(ratio(right, support)),
    f1: point(ratio(2 * right, support + predicted)),
    roc_auc: score(0.99),
    average_precision: score(0.97),
  };
}

function calibrationBins(count: number, correct: number) {
  const empty = { low: 0, high: 0.5, count: 0, accuracy: null, confidence: null, interval: null };
  if (count === 0) return [empty];
  const { interval } = estimate(correct / count);
  return [empty, { low: 0.5, high: 1, count, accuracy: correct / count, confidence: 0.95, interval }];
}

function curves(name: string) {
  return {
    class: name,
    roc: { fpr: [0, 0, 1], tpr: [0, 0.9, 1] },
    precision_recall: { recall: [0, 0.5, 1], precision: [1, 0.95, 0.3] },
  };
}
