import type {
  ClassMetrics,
  Confusion,
  Estimate,
  Evaluation,
  GateResult,
  Measurements,
  RenderedChart,
  ScoredBatch,
} from "../../src/types.ts";

export interface EvaluationOptions extends Partial<Omit<Evaluation, keyof Measurements | "dataset">> {
  readonly classes?: readonly string[];
  /** [true][predicted]; the metrics that follow from it alone are worked out. */
  readonly matrix?: readonly (readonly number[])[];
  /** False as for a scorer that gives labels only. */
  readonly probabilities?: boolean;
  readonly metrics?: Readonly<Record<string, Estimate>>;
}

const LABEL_METRICS = [
  ...["balanced_accuracy", "precision_macro", "recall_macro", "f1_macro", "precision_weighted"],
  ...["recall_weighted", "f1_weighted", "cohen_kappa", "matthews_corrcoef"],
];
const SCORE_METRICS = [
  ...["top_2_accuracy", "top_3_accuracy", "top_5_accuracy", "log_loss", "brier_score", "roc_auc_macro"],
  ...["roc_auc_weighted", "average_precision_macro", "expected_calibration_error"],
];

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
  const { matrix = threeClasses(classes.length), ...overrides } = rest;
  const measured = measurements(classes, matrix, probabilities);
  return {
    schemaVersion: 1,
    createdAt: "2026-11-22T12:00:00.000Z",
    durationSeconds: 0.61,
    seed: 42,
    dataset: {
      name: "pets",
      split: "test",
      images: matrix.flat().reduce((sum, cell) => sum + cell, 0),
      classes,
      shape: [2, 2],
      files: [{ name: "pets-images-idx3-ubyte", bytes: 816, sha256: "1f".repeat(32) }],
      source: "local files",
    },
    scorer: {
      kind: "onnx",
      name: "pets.onnx",
      sha256: "a0".repeat(32),
      preprocessing: { scale: "unit", layout: "flat", invert: false },
    },
    environment: {
      node: "v20.20.2",
      platform: "linux x64",
      cpu: "Some CPU",
      packages: { "onnxruntime-node": "1.30.0" },
      git: { commit: "0123456789".repeat(4), branch: "main", dirty: true },
    },
    failures: { count: 0, images: [] },
    gates: [],
    parity: null,
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
  const score = (value: number): Estimate => point(probabilities && total > 0 ? value : null);
  return {
    confusionMatrix: matrix,
    metrics: {
      accuracy: estimate(ratio(correct, total), 0.005),
      ...Object.fromEntries(LABEL_METRICS.map((name, i) => [name, point(total > 0 ? 0.9 + i / 1000 : null)])),
      ...Object.fromEntries(SCORE_METRICS.map((name, i) => [name, score(0.8 + i / 1000)])),
    },
    perClass: classes.map((name, i) => classMetrics(name, i, matrix, score)),
    topConfusions: confusions(classes, matrix),
    calibration: probabilities ? { bins: calibrationBins(total, correct) } : null,
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

function confusions(classes: readonly string[], matrix: readonly (readonly number[])[]): Confusion[] {
  const cells = matrix.flatMap((row, i) =>
    row.flatMap((count, j): Confusion[] => {
      const rate = count / row.reduce((sum, cell) => sum + cell, 0);
      const { interval } = estimate(rate);
      if (i === j || count === 0) return [];
      return [{ true: classes[i] ?? "", predicted: classes[j] ?? "", count, rate, interval }];
    }),
  );
  return cells.sort((a, b) => b.count - a.count).slice(0, 20);
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

/** A gate on the accuracy. */
export function gate(options: Partial<GateResult> = {}): GateResult {
  return {
    expression: "accuracy >= 0.92",
    metric: "accuracy",
    operator: ">=",
    expected: 0.92,
    actual: 0.9917,
    level: null,
    passed: true,
    reason: "accuracy is 0.9917, at least 0.92",
    ...options,
  };
}

export const FAILED_GATE = gate({
  expression: "recall[dog] >= 0.95",
  metric: "recall[dog]",
  expected: 0.95,
  actual: 0.9333,
  passed: false,
  reason: "recall[dog] is 0.9333, below 0.95",
});

export const UNDEFINED_GATE = gate({
  expression: "log_loss < 0.3",
  metric: "log_loss",
  operator: "<",
  expected: 0.3,
  actual: null,
  passed: false,
  reason: "log_loss is undefined: it needs probabilities",
});

/** Names that would break out of every format, were they not escaped. */
export const EVIL_NAMES = [
  "<script>alert(1)</script>",
  `"><img src=x onerror="alert(2)">`,
  "a|b`c`\n# heading",
  '=1+1,"quoted"\r\n<!-- -- ]]> &amp;',
  "\u001B[31mred\u001B[0m\u0000\u0007 *bold* [link](javascript:x) @someone",
  `${"long".repeat(60)} ${"も".repeat(40)}`,
];

export const CHART: RenderedChart = {
  name: "confusion_matrix",
  title: "Dogs & cats are confused",
  description: "6 cats as dogs, <4> dogs as cats",
  svg: `<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="8" height="4" viewBox="0 0 8 4"><path d="M0,0h8"/></svg>`,
};

export const NO_CHARTS = { charts: [], files: [], fontFaceCss: "" };

/** Scored images without pixels, each `[index, truth, predicted]`. */
export function scored(
  rows: readonly (readonly [number, number, number])[],
  probabilities: Float64Array | null,
): ScoredBatch {
  return {
    indices: Uint32Array.from(rows, ([index]) => index),
    pixels: new Uint8Array(0),
    truth: Uint8Array.from(rows, ([, truth]) => truth),
    predicted: Uint8Array.from(rows, ([, , predicted]) => predicted),
    probabilities,
  };
}

export interface Case {
  readonly name: string;
  readonly evaluation: Evaluation;
}

const manyClasses = Array.from({ length: 62 }, (_, i) => String.fromCodePoint(i < 26 ? 65 + i : 71 + i));

/** Every kind of evaluation that each report must hold. */
export const CASES: readonly Case[] = [
  { name: "a plain run", evaluation: evaluation() },
  {
    name: "gates passed, failed and undefined",
    evaluation: evaluation({ gates: [gate(), FAILED_GATE, UNDEFINED_GATE], warnings: ["Mind the gap."] }),
  },
  { name: "no probabilities", evaluation: evaluation({ probabilities: false }) },
  {
    name: "images without a prediction",
    evaluation: evaluation({ failures: { count: 250, images: [{ index: 4711, reason: "HTTP 500 <b>" }] } }),
  },
  { name: "62 classes", evaluation: evaluation({ classes: manyClasses }) },
  { name: "evil names", evaluation: evilEvaluation() },
  {
    name: "no mistake",
    evaluation: evaluation({
      matrix: [
        [3, 0, 0],
        [0, 3, 0],
        [0, 0, 3],
      ],
    }),
  },
  { name: "one class", evaluation: evaluation({ classes: ["only"], matrix: [[5]] }) },
  {
    name: "no image",
    evaluation: evaluation({
      matrix: [
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
      ],
    }),
  },
  {
    name: "a fixed time",
    evaluation: evaluation({ durationSeconds: null, environment: null }),
  },
  {
    name: "an endpoint",
    evaluation: evaluation({
      scorer: {
        kind: "endpoint",
        name: "pets",
        url: "http://127.0.0.1:8080/score",
        protocol: "azureml",
        preprocessing: { scale: "mnist", layout: "nchw", invert: true },
      },
    }),
  },
];

/** Evil text wherever a text comes from outside. */
export function evilEvaluation(): Evaluation {
  const [script = "", image = "", lines = ""] = EVIL_NAMES;
  const base = evaluation({ classes: EVIL_NAMES });
  return {
    ...base,
    dataset: {
      ...base.dataset,
      name: script,
      split: image,
      source: lines,
      files: [{ name: image, bytes: 1, sha256: "0".repeat(64) }],
    },
    scorer: { ...base.scorer, name: EVIL_NAMES.join(" "), url: image },
    environment: { node: script, platform: image, cpu: lines, packages: { [script]: image }, git: null },
    warnings: EVIL_NAMES,
    failures: { count: 1, images: [{ index: 1, reason: script }] },
    gates: EVIL_NAMES.map((name) => gate({ expression: `recall[${name}] > 0`, reason: name, passed: false })),
  };
}
