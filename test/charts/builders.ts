import { calibrationTest } from "../../src/metrics/calibration.ts";
import { confusionMatrix as matrixOf, topConfusions, weakestClass } from "../../src/metrics/confusion.ts";
import { createLatencyTally } from "../../src/metrics/latency.ts";
import { seededRandom } from "../../src/random.ts";
import type {
  CalibrationBin,
  ClassCurves,
  ClassMetrics,
  Estimate,
  Evaluation,
  Example,
  Interval,
  Latency,
  Parity,
} from "../../src/types.ts";

/** What a test of a chart may care about; the rest is made up by seed, plausibly and consistently. */
export interface Options {
  /** Class names, or how many classes: `0`, `1`, …; 10 by default. */
  readonly classes?: number | readonly string[];
  /** Images of each class, 1,000 by default. */
  readonly support?: number;
  /** Share of images that are misread, 0.08 by default; 0 is a perfect model. */
  readonly errors?: number;
  /** False: the scorer gives labels only. */
  readonly probabilities?: boolean;
  /** [true][predicted] counts, in place of made-up ones. */
  readonly confusionMatrix?: readonly (readonly number[])[];
  readonly seed?: number;
  /** True: scored through an endpoint, beside a local model that differs on a few images. */
  readonly service?: boolean;
}

export const FASHION = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
];
/** EMNIST ByClass: digits, upper and lower case. */
export const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".split("");

const SHAPE = [28, 28] as const;

/** A plausible evaluation of which a test states only what matters to it. */
export function evaluation(options: Options = {}): Evaluation {
  const { classes: given = 10, support = 1000, errors = 0.08, probabilities = true, seed = 1 } = options;
  const classes = typeof given === "number" ? Array.from({ length: given }, (_, i) => String(i)) : given;
  const random = seededRandom(seed);
  const below = (bound: number) => random.below(bound);
  const matrix = options.confusionMatrix ?? confusionMatrix(classes.length, support, errors, below);
  const images = sum(matrix.map(sum));
  const right = sum(matrix.map((row, i) => row[i] ?? 0));
  const perClass = classes.map((name, i) => classMetrics(name, i, matrix, probabilities));
  const counted = matrixOf(Float64Array.from(matrix.flat()), classes.length);
  const bins = calibrationBins(images, right / images);
  const undefinedUnless = (value: number) => estimate(probabilities ? value : null);
  return {
    schemaVersion: 1,
    createdAt: "2026-11-22T12:00:00.000Z",
    durationSeconds: 0.6,
    seed: 42,
    dataset: {
      name: "mnist",
      split: "test",
      images,
      scored: images,
      classes,
      shape: SHAPE,
      files: [],
      source: "local files",
    },
    scorer: {
      kind: "onnx",
      name: "model.onnx",
      preprocessing: { scale: "unit", layout: "flat", invert: false, transpose: false },
    },
    preflight: null,
    imagesPerSecond: 412_000,
    environment: null,
    confusionMatrix: matrix,
    withoutProbabilities: probabilities ? 0 : images,
    metrics: {
      accuracy: images === 0 ? estimate(null) : { value: right / images, interval: interval(right, images) },
      roc_auc_macro: undefinedUnless(0.99),
      average_precision_macro: undefinedUnless(0.96),
      log_loss: undefinedUnless(0.34),
      brier_score: undefinedUnless(0.14),
      expected_calibration_error: undefinedUnless(0.057),
    },
    perClass,
    weakestClass: weakestClass(counted, classes),
    topConfusions: topConfusions(counted, classes),
    calibration: probabilities ? { bins, test: calibrationTest(bins) } : null,
    confidence: probabilities ? { bins: confidenceBins(images, right) } : null,
    curves: probabilities ? { exact: true, classes: classes.map(curves) } : null,
    failures: { count: 0, perClass: classes.map(() => 0), accuracyRange: null, images: [] },
    gates: [],
    parity: options.service ? parityOf(classes, images, probabilities, below) : null,
    repeatability: null,
    comparison: null,
    latency: options.service ? latencyOf([12, 9, 31, 14, 8, 11, 250, 10, 12, 13], { "429": 3 }) : null,
    slices: null,
    warnings: [],
    examples: examples(classes, matrix, probabilities, below),
  };
}

/** Requests of 64 images, one after the other; failed ones at the end. */
export function latencyOf(
  milliseconds: readonly number[],
  failed: Readonly<Record<string, number>> = {},
): Latency {
  const tally = createLatencyTally();
  let startMs = 0;
  const send = (outcome: string, elapsedMs: number) => {
    const [bytesSent, bytesReceived, concurrent] = [1_000, 100, 1];
    tally.add({ id: "", images: 64, startMs, elapsedMs, bytesSent, bytesReceived, outcome, concurrent });
    startMs += elapsedMs;
  };
  for (const elapsedMs of milliseconds) send("answered", elapsedMs);
  for (const [reason, times] of Object.entries(failed)) for (let i = 0; i < times; i++) send(reason, 2);
  return tally.latency(0);
}

/** A service and a model that differ on up to 30 images. */
export function parityOf(
  classes: readonly string[],
  images: number,
  probabilities: boolean,
  below: (bound: number) => number,
): Parity {
  const count = Math.min(30, images);
  const examples = Array.from({ length: count }, (_, i) => ({
    index: 7 * i,
    truth: classes[i % classes.length]!,
    endpoint: classes[(i + (i % 3 === 0 ? 0 : 1)) % classes.length]!,
    model: classes[(i + (i % 3 === 0 ? 1 : 0)) % classes.length]!,
    endpointConfidence: probabilities ? 0.99999 - 0.02 * i : null,
    modelConfidence: 1 - 0.02 * i,
    pixels: pixels(i % classes.length, below),
  }));
  return {
    model: {
      kind: "onnx",
      name: "model.onnx",
      preprocessing: { scale: "unit", layout: "flat", invert: false, transpose: false },
    },
    images,
    agreement: ratio(images - count, images),
    maxDifference: probabilities ? 0.5 : null,
    meanDifference: probabilities ? 0.01 : null,
    modelAccuracy: estimate(0.9),
    verdict: "skew",
    statement: "They differ",
    differing: { count, images: [] },
    examples,
  };
}

/** The same value, of which nothing can be changed. */
export function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function estimate(value: number | null): Estimate {
  return { value, interval: null };
}

/** Wilson's score interval at 95 %. */
function interval(successes: number, n: number): Interval {
  const z = 1.959964;
  const p = successes / n;
  const centre = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return { low: centre - half, high: centre + half, level: 0.95, method: "wilson" };
}

/** Each class is mostly taken for one other, and now and then for any. */
function confusionMatrix(k: number, support: number, errors: number, below: (bound: number) => number) {
  const matrix = Array.from({ length: k }, () => Array.from({ length: k }, () => 0));
  matrix.forEach((row, i) => {
    const wrong = Math.round(support * errors);
    row[i] = support - wrong;
    for (let n = 0; n < wrong; n++) {
      const shift = 1 + (below(2) === 0 ? i % (k - 1) : below(k - 1));
      row[(i + shift) % k]! += 1;
    }
  });
  return matrix;
}

function ratio(part: number, whole: number): Estimate {
  return whole === 0 ? estimate(null) : { value: part / whole, interval: interval(part, whole) };
}

function classMetrics(
  name: string,
  i: number,
  matrix: readonly (readonly number[])[],
  probabilities: boolean,
): ClassMetrics {
  const support = sum(matrix[i] ?? []);
  const predicted = sum(matrix.map((row) => row[i] ?? 0));
  const right = matrix[i]?.[i] ?? 0;
  const total = support + predicted;
  return {
    class: name,
    support,
    predicted,
    precision: ratio(right, predicted),
    recall: ratio(right, support),
    f1: estimate(total === 0 ? null : (2 * right) / total),
    roc_auc: estimate(probabilities && support > 0 ? 0.999 - 0.001 * i : null),
    average_precision: estimate(probabilities && support > 0 ? 0.99 - 0.005 * i : null),
  };
}

/** Images whose confidence is in the first so many of 15 bins: none in 4, then growing as a square. */
function upTo(bins: number, images: number): number {
  return Math.round(images * (Math.max(0, bins - 4) / 11) ** 2);
}

function calibrationBins(images: number, accuracy: number): CalibrationBin[] {
  return Array.from({ length: 15 }, (_, i) => {
    const [low, high] = [i / 15, (i + 1) / 15];
    const count = upTo(i + 1, images) - upTo(i, images);
    const share = accuracy === 1 ? 1 : Math.min(1, high + 0.03);
    const right = Math.round(count * share);
    return count === 0
      ? { low, high, count, accuracy: null, confidence: null, interval: null }
      : {
          low,
          high,
          count,
          accuracy: right / count,
          confidence: (low + high) / 2,
          interval: interval(right, count),
        };
  });
}

function confidenceBins(images: number, right: number) {
  const [correct, wrong] = [right / 2500, (images - right) / 1275];
  return Array.from({ length: 50 }, (_, i) => ({
    low: i / 50,
    high: (i + 1) / 50,
    correct: Math.round(correct * 2 * (i + 0.5)),
    wrong: Math.round(wrong * (50 - i)),
  }));
}

function curves(name: string, i: number): ClassCurves {
  const steps = Array.from({ length: 100 }, (_, n) => n / 99);
  const bend = 0.02 + 0.03 * (i % 10);
  return {
    class: name,
    roc: { fpr: steps, tpr: steps.map((x) => x ** bend) },
    precision_recall: { recall: steps, precision: steps.map((x) => 1 - x ** (1 / bend)) },
  };
}

function examples(
  classes: readonly string[],
  matrix: readonly (readonly number[])[],
  probabilities: boolean,
  below: (bound: number) => number,
) {
  const wrong = matrix.flatMap((row, t) =>
    row.flatMap((count, p) => (count > 0 && p !== t ? [{ t, p }] : [])),
  );
  const right = matrix.flatMap((row, t) => ((row[t] ?? 0) > 0 ? [{ t, p: t }] : []));
  const example = ({ t, p }: { t: number; p: number }, n: number): Example => ({
    index: n * 7,
    truth: classes[t] ?? "",
    predicted: classes[p] ?? "",
    confidence: probabilities ? 0.999 - n * 0.01 : null,
    pixels: pixels(t, below),
  });
  const some = <T>(items: readonly T[], n: number) =>
    items.length === 0 ? [] : Array.from({ length: n }, () => items[below(items.length)]!);
  return {
    sample: [...some(wrong, wrong.length > 0 ? 3 : 0), ...some(right, wrong.length > 0 ? 27 : 30)].map(
      example,
    ),
    mistakes: some(wrong, Math.min(30, wrong.length)).map(example),
  };
}

/** A ring whose size tells the class, with noise. */
function pixels(label: number, below: (bound: number) => number): string {
  const [height, width] = SHAPE;
  const radius = 4 + (label % 8);
  const bytes = Uint8Array.from({ length: height * width }, (_, i) => {
    const distance = Math.hypot(Math.floor(i / width) - height / 2, (i % width) - width / 2);
    return Math.abs(distance - radius) < 1.5 ? 200 + below(56) : 0;
  });
  return Buffer.from(bytes).toString("base64");
}
