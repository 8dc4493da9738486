import { setImmediate } from "node:timers/promises";
import { DatasetError } from "../errors.ts";
import { PIXELS_KEY } from "../scorer/stated.ts";
import type { Dataset, SourceFile } from "../types.ts";
import { type LogisticFit, type LogisticIteration, logisticSteps } from "./logistic.ts";

/** The tutorial's 1/0.8. */
const C = 1 / 0.8;
/** Distance from the optimum, in a class's weights: below what float32 resolves. */
const TOLERANCE = 1e-6;
/** Images of one read. */
const BATCH = 1024;

export interface TrainOptions {
  /** The images to learn from. */
  readonly train: Dataset;
  /** Images to measure the accuracy on. It goes into the summary, not into the model. */
  readonly test?: Dataset;
  readonly signal: AbortSignal;
  readonly progress?: (iteration: LogisticIteration) => void;
  /** Milliseconds. */
  readonly now?: () => number;
}

export interface TrainSummary {
  readonly images: number;
  readonly C: number;
  /** Sum of the classes' minima. */
  readonly objective: number;
  /** The largest of the classes': the distance of a class's weights from the optimum is at most this. */
  readonly gradientNorm: number;
  /** Steps of each class. */
  readonly iterations: readonly number[];
  /** Time spent on training, without reading the images. */
  readonly seconds: number;
  readonly trainingAccuracy: number;
  readonly testAccuracy: number | null;
}

export interface TrainedModel {
  /** An ONNX file. The same images give the same bytes. */
  readonly bytes: Uint8Array;
  readonly summary: TrainSummary;
}

/**
 * Trains the bundled model: one-vs-rest logistic regression on pixels / 255.
 *
 * @throws DatasetError where the images cannot be read, or there are none
 * @throws the signal's reason, within about two seconds of the abort
 */
export async function trainBundledModel(options: TrainOptions): Promise<TrainedModel> {
  const { train, test, signal, now = () => performance.now() } = options;
  const images = await collect(train, signal);
  const started = now();
  const fit = await fitLogistic(images, train.classes.length, options);
  const seconds = (now() - started) / 1000;
  const model = { weights: Float32Array.from(fit.weights), intercepts: Float32Array.from(fit.intercepts) };
  const summary: TrainSummary = {
    images: images.labels.length,
    C,
    objective: fit.objective.reduce((sum, objective) => sum + objective, 0),
    gradientNorm: Math.max(...fit.gradientNorm),
    iterations: fit.iterations,
    seconds,
    trainingAccuracy: accuracy(images, model),
    testAccuracy: test ? accuracy(await collect(test, signal), model) : null,
  };
  const { logisticModel } = await import("./onnx.ts");
  const description = `One-vs-rest logistic regression on ${train.name} (pixels / 255), trained by mnist-evaluate`;
  const bytes = logisticModel({ ...model, description, metadata: metadataOf(train, summary, description) });
  return { bytes, summary };
}

interface LabelledImages {
  /** n×d, 0–255. */
  readonly pixels: Uint8Array;
  /** n */
  readonly labels: Uint8Array;
}

async function collect(dataset: Dataset, signal: AbortSignal): Promise<LabelledImages> {
  if (dataset.size === 0)
    throw new DatasetError(`${dataset.name} ${dataset.split} holds 0 images, expected at least 1`);
  const [height, width] = dataset.shape;
  const pixels = new Uint8Array(dataset.size * height * width);
  const labels = new Uint8Array(dataset.size);
  let read = 0;
  for await (const batch of dataset.batches(BATCH)) {
    signal.throwIfAborted();
    pixels.set(batch.pixels, read * height * width);
    labels.set(batch.labels, read);
    read += batch.labels.length;
  }
  return { pixels, labels };
}

/** Gives way after every walk over the images, so that Ctrl-C and progress are heard. */
async function fitLogistic(
  { pixels, labels }: LabelledImages,
  classes: number,
  { signal, progress }: TrainOptions,
): Promise<LogisticFit> {
  const steps = logisticSteps(pixels, labels, { classes, C, tolerance: TOLERANCE });
  for (;;) {
    signal.throwIfAborted();
    const step = steps.next();
    if (step.done) return step.value;
    progress?.(step.value);
    await setImmediate();
  }
}

/** The share of images whose largest score is that of their class. */
function accuracy(
  { pixels, labels }: LabelledImages,
  { weights, intercepts }: { readonly weights: Float32Array; readonly intercepts: Float32Array },
): number {
  const size = pixels.length / labels.length;
  const classes = intercepts.length;
  const scores = new Float64Array(classes);
  let correct = 0;
  for (const [image, label] of labels.entries()) {
    for (let k = 0; k < classes; k++) scores[k] = intercepts[k]! * 255;
    for (let pixel = 0; pixel < size; pixel++) {
      const value = pixels[image * size + pixel]!;
      if (value === 0) continue;
      for (let k = 0; k < classes; k++) scores[k]! += value * weights[k * size + pixel]!;
    }
    if (scores.indexOf(Math.max(...scores)) === label) correct++;
  }
  return correct / labels.length;
}

/** Nothing of the machine or the time, so that the same images give the same file everywhere. */
function metadataOf(train: Dataset, summary: TrainSummary, description: string): Record<string, string> {
  const digests = train.files().map(({ name, sha256 }: SourceFile) => [`sha256 ${name}`, sha256]);
  return {
    description,
    [PIXELS_KEY]: "x/255",
    classes: JSON.stringify(train.classes),
    dataset: train.name,
    split: train.split,
    ...Object.fromEntries(digests),
    training_images: String(summary.images),
    training_accuracy: summary.trainingAccuracy.toFixed(6),
    solver: "L-BFGS with a sampled Hessian, one-vs-rest, L2 penalty on weights and intercepts",
    C: String(summary.C),
    objective: summary.objective.toFixed(6),
  };
}
