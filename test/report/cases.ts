import type { Evaluation, GateResult, RenderedChart, ScoredBatch } from "../../src/types.ts";
import { candidate, evaluation, modelFacts, preflight } from "./builders.ts";

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

const manyClasses = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".split("");

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
    evaluation: evaluation({ durationSeconds: null, imagesPerSecond: null, environment: null }),
  },
  { name: "a clear choice of the pixels", evaluation: evaluation({ preflight: preflight() }) },
  {
    name: "a choice between ways that are close, of a scorer of labels",
    evaluation: evaluation({
      preflight: preflight({
        verdict: "close",
        statement: "Pixels as x/255 (unit): accuracy 90.0 % on 300 labelled images, against 90.0 % with raw",
        candidates: (["unit", "raw"] as const).map((scale) =>
          candidate({ scale, log_loss: null, saturated: null }),
        ),
      }),
    }),
  },
  {
    name: "no image to choose on",
    evaluation: evaluation({
      preflight: preflight({
        verdict: "close",
        statement: "Pixels as x/255 (unit): there are no labelled images to try other ways on",
        candidates: [],
      }),
    }),
  },
  {
    name: "a model of which little is known",
    evaluation: evaluation({
      scorer: {
        ...evaluation().scorer,
        model: modelFacts({
          opset: null,
          irVersion: null,
          producer: null,
          fixedBatch: 10,
          meaning: "labels",
        }),
      },
    }),
  },
  {
    name: "an endpoint",
    evaluation: evaluation({
      scorer: {
        kind: "endpoint",
        name: "pets",
        url: "http://127.0.0.1:8080/score",
        protocol: "azureml",
        preprocessing: { scale: "mnist", layout: "nchw", invert: true, transpose: false },
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
    scorer: {
      ...base.scorer,
      name: EVIL_NAMES.join(" "),
      url: image,
      model: modelFacts({ producer: script, input: image, output: lines }),
    },
    environment: { node: script, platform: image, cpu: lines, packages: { [script]: image }, git: null },
    warnings: EVIL_NAMES,
    failures: { count: 1, images: [{ index: 1, reason: script }] },
    gates: EVIL_NAMES.map((name) => gate({ expression: `recall[${name}] > 0`, reason: name, passed: false })),
  };
}
