import type { Evaluation, Failure, GateResult, RenderedChart, ScoredBatch } from "../../src/types.ts";
import { candidate, estimate, evaluation, modelFacts, preflight, UNDEFINED } from "./builders.ts";
import {
  endpoint,
  endpointFacts,
  latency,
  parity,
  parityDifference,
  UNANSWERED,
} from "./service-builders.ts";

/** A gate on the accuracy. */
export function gate(options: Partial<GateResult> = {}): GateResult {
  return {
    expression: "accuracy >= 0.92",
    metric: "accuracy",
    operator: ">=",
    expected: 0.92,
    actual: 0.9917,
    level: null,
    result: "passed",
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
  result: "failed",
  passed: false,
  reason: "recall[dog] is 0.9333, below 0.95",
});

export const UNDEFINED_GATE = gate({
  expression: "log_loss < 0.3",
  metric: "log_loss",
  operator: "<",
  expected: 0.3,
  actual: null,
  result: "untold",
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
  "::error::אבג \u202Egnp.exe\u2066\u200B\u009B31m\u2028::add-mask::x ##vso[task.complete]##[error]",
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
        source: "scored images",
        statement:
          "Pixels as x/255 (unit): right on 90.0 % of 300 of the scored images, from which raw (90.0 %) cannot be told",
        candidates: (["unit", "raw"] as const).map((scale) =>
          candidate({ scale, log_loss: null, saturated: null, on: "scored images" }),
        ),
      }),
    }),
  },
  {
    name: "no image to choose on",
    evaluation: evaluation({
      preflight: preflight({
        source: "default",
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
  { name: "a service", evaluation: serviceEvaluation() },
  {
    name: "a service that does not repeat its answers",
    evaluation: serviceEvaluation({
      repeatability: {
        images: 100,
        differing: 14,
        maxDifference: 0.93,
        repeatable: false,
        statement:
          "The service answered 14 of 100 images differently when it was asked again; a probability differed by up to 0.93",
      },
      gates: [UNDEFINED_GATE],
    }),
  },
  {
    name: "a service that differs on many images, with probabilities",
    evaluation: evaluation({
      scorer: endpoint({ meaning: "probabilities", model: null, version: null, server: null }),
      latency: latency({ resumed: 64, retries: {}, requestImages: { mean: 1, max: 1 } }),
      parity: parity({
        verdict: "skew",
        statement:
          "The service and pets.onnx agree on 0 of 1,200 images; the largest probability difference is 1",
        agreement: estimate(0, 0.01),
        maxDifference: 1,
        meanDifference: 3.14e-7,
        differing: {
          count: 1200,
          images: Array.from({ length: 1000 }, (_, i) => parityDifference(i, { endpointConfidence: 0.9999 })),
        },
      }),
    }),
  },
  {
    name: "a service that answers nothing",
    evaluation: evaluation({
      matrix: [
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
      ],
      scorer: endpoint(),
      latency: latency({ ...UNANSWERED, concurrency: null, durationSeconds: 0, bytesSent: 0 }),
      parity: parity({
        images: 0,
        agreement: UNDEFINED,
        modelAccuracy: UNDEFINED,
        verdict: "skew",
        statement: "No image was answered by both the service and pets.onnx, so that nothing can be compared",
        differing: { count: 0, images: [] },
        examples: [],
      }),
      failures: { count: 3000, images: manyFailures(1000) },
    }),
  },
];

/** Images that failed for three reasons. */
export function manyFailures(count: number): Failure[] {
  const reasons = [
    "HTTP 500: the service says nothing",
    "no reply within 30 s",
    "HTTP 400: <b>bad</b> pixel",
  ];
  return Array.from({ length: count }, (_, i) => ({
    index: 3 * i,
    reason: reasons[i % 7 === 0 ? 1 : i % 100 === 3 ? 2 : 0]!,
    request: `0f8e-${i % 7}`,
  }));
}

/** A run through an endpoint, beside a local model, with all that can be told of it. */
export function serviceEvaluation(overrides: Partial<Evaluation> = {}): Evaluation {
  const parityGate = gate({
    expression: "parity >= 1",
    metric: "parity",
    expected: 1,
    actual: 1198 / 1200,
    result: "failed",
    passed: false,
    reason: "parity is 0.998333, below 1",
  });
  const latencyGate = gate({
    expression: "latency_p99 <= 50",
    metric: "latency_p99",
    operator: "<=",
    expected: 50,
    actual: 48.7,
    reason: "latency_p99 is 48.7, at most 50 as asked",
  });
  return evaluation({
    scorer: endpoint(),
    probabilities: false,
    latency: latency(),
    parity: parity(),
    repeatability: {
      images: 100,
      differing: 0,
      maxDifference: null,
      repeatable: true,
      statement: "The service gave 100 images the same classes when it was asked again",
    },
    failures: { count: 24, images: manyFailures(24) },
    gates: [parityGate, latencyGate],
    warnings: ["24 of 1,224 images have no answer from the service."],
    ...overrides,
  });
}

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
      kind: "endpoint",
      protocol: image,
      model: modelFacts({ producer: script, input: image, output: lines }),
      endpoint: endpointFacts({
        model: script,
        version: image,
        server: EVIL_NAMES.join(" "),
        encoding: lines,
        found: script,
        output: image,
      }),
    },
    latency: latency({ retries: Object.fromEntries(EVIL_NAMES.map((name, i) => [name, i + 1])) }),
    parity: parity({
      statement: EVIL_NAMES.join(" "),
      model: { ...base.scorer, name: script },
      differing: {
        count: 2,
        images: [parityDifference(1, { truth: script, endpoint: image, model: lines })],
      },
    }),
    environment: { node: script, platform: image, cpu: lines, packages: { [script]: image }, git: null },
    warnings: EVIL_NAMES,
    failures: {
      ...base.failures,
      count: 9,
      images: EVIL_NAMES.map((reason, index) => ({ index, reason, request: image })),
    },
    gates: EVIL_NAMES.map((name) =>
      gate({ expression: `recall[${name}] > 0`, reason: name, result: "failed", passed: false }),
    ),
  };
}
