import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";

import type { InferenceSession, Tensor } from "onnxruntime-node";

import { messageOf, ScorerError } from "../errors.ts";
import type { Batch, Layout, Scale, Scorer, Scores } from "../types.ts";
import { adapt, shapeOf, type Adapter } from "./adapter.ts";
import { scalePixels, scaleTable } from "./preprocess.ts";

export interface OnnxOptions {
  /** Path of the model. */
  readonly model: string;
  readonly scale: Scale;
  readonly layout: Layout | "auto";
  readonly invert: boolean;
}

/** A model that was read, before it is known which images it shall score. */
export interface LoadedModel {
  readonly file: string;
  readonly sha256: string;
  readonly session: InferenceSession;
  readonly runtime: typeof import("onnxruntime-node");
}

/**
 * Reads a model. Apart from `onnxScorer`, because it takes longest and needs nothing of the data set.
 *
 * @throws ScorerError where the file is missing or is no model.
 */
export async function loadModel(path: string): Promise<LoadedModel> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (error) {
    throw new ScorerError(`${path}: cannot read the model: ${reasonOf(error)}`, { cause: error });
  }
  const runtime = await import("onnxruntime-node");
  try {
    // By path rather than by content, so that weights in a file beside the model are found.
    const session = await runtime.InferenceSession.create(path, {
      intraOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    const sha256 = createHash("sha256").update(content).digest("hex");
    return { file: path, sha256, session, runtime };
  } catch (error) {
    throw new ScorerError(`${path}: not an ONNX model that can be run: ${messageOf(error).trim()}`, {
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT") return "there is no such file: check --model";
  if (code === "EISDIR") return "it is a folder: name the .onnx file in --model";
  if (code === "EACCES") return "permission denied: check the file's permissions";
  return messageOf(error);
}

/**
 * Scores images with an ONNX model.
 *
 * @throws ScorerError where the model cannot take the data set's images or does not know its classes.
 */
export function onnxScorer(
  loaded: LoadedModel,
  options: OnnxOptions,
  images: { readonly shape: readonly [number, number]; readonly classes: number },
): Scorer {
  const { session, runtime, file, sha256 } = loaded;
  const metadata = { inputs: session.inputMetadata, outputs: session.outputMetadata };
  const adapter = adapt(file, metadata, images, options.layout);
  const { scale, invert } = options;
  const table = scaleTable(scale, invert);
  const pixelsPerImage = images.shape[0] * images.shape[1];
  const wanted = [adapter.scores, adapter.label].filter((name) => name !== null);
  let buffer = new Float32Array(0);
  let meaning: ScoreMeaning | null = null;

  /** Runs `count` rows of `pixels`; a fixed batch is filled up with whatever the buffer holds, and cut again. */
  async function run(pixels: Uint8Array, count: number, scores: Scores, start: number): Promise<void> {
    const rows = adapter.fixedBatch ?? count;
    if (buffer.length !== rows * pixelsPerImage) buffer = new Float32Array(rows * pixelsPerImage);
    scalePixels(pixels, table, buffer);
    const feeds = {
      [adapter.input]: new runtime.Tensor("float32", buffer, shapeOf(adapter.layout, rows, images.shape)),
    };
    let outputs: InferenceSession.OnnxValueMapType;
    try {
      outputs = await session.run(feeds, wanted);
    } catch (error) {
      throw new ScorerError(`${file}: the model failed while scoring: ${messageOf(error).trim()}`, {
        cause: error,
      });
    }
    if (adapter.scores !== null && scores.probabilities !== null) {
      const raw = floats(file, outputs[adapter.scores], rows * images.classes);
      meaning ??= meaningOf(raw, count, images.classes);
      writeProbabilities(raw, meaning, scores.probabilities, start * images.classes, count, images.classes);
    }
    if (adapter.label !== null) {
      writeLabels(file, outputs[adapter.label], scores.labels, start, count, images.classes);
    } else if (scores.probabilities !== null) {
      writeArgmax(scores.probabilities, scores.labels, start, count, images.classes);
    }
  }

  return {
    describe: () => ({
      kind: "onnx",
      name: basename(file),
      sha256,
      preprocessing: { scale, layout: adapter.layout, invert, transpose: false },
    }),
    async score(batch, signal) {
      const count = batch.labels.length;
      const scores = emptyScores(count, images.classes, adapter);
      const step = adapter.fixedBatch ?? count;
      for (let start = 0; start < count; start += step) {
        signal.throwIfAborted();
        const rows = Math.min(step, count - start);
        await run(pixelsOf(batch, start, rows, pixelsPerImage), rows, scores, start);
      }
      return scores;
    },
    close: () => session.release(),
  };
}

function pixelsOf(batch: Batch, start: number, rows: number, pixelsPerImage: number): Uint8Array {
  return batch.pixels.subarray(start * pixelsPerImage, (start + rows) * pixelsPerImage);
}

function emptyScores(count: number, classes: number, adapter: Adapter): Scores {
  return {
    labels: new Uint8Array(count),
    probabilities: adapter.scores === null ? null : new Float32Array(count * classes),
  };
}

function floats(file: string, value: Tensor | undefined, expected: number): Float32Array {
  const data = value?.data;
  if (!(data instanceof Float32Array) || data.length !== expected) {
    throw new ScorerError(
      `${file}: the model gave ${data?.length ?? 0} scores where ${expected} were expected: ` +
        "its output must hold one score for each image and class",
    );
  }
  return data;
}

/** probabilities: each row is one distribution, or one-vs-rest scores in 0–1; logits: softmax makes it one. */
type ScoreMeaning = "probabilities" | "logits";

function meaningOf(raw: Float32Array, rows: number, classes: number): ScoreMeaning {
  for (let i = 0; i < rows * classes; i++) if (raw[i]! < 0 || raw[i]! > 1) return "logits";
  return "probabilities";
}

function writeProbabilities(
  raw: Float32Array,
  meaning: ScoreMeaning,
  target: Float32Array,
  offset: number,
  rows: number,
  classes: number,
): void {
  if (meaning === "probabilities") {
    target.set(raw.subarray(0, rows * classes), offset);
    return;
  }
  for (let row = 0; row < rows; row++) softmax(raw, row * classes, target, offset + row * classes, classes);
}

/** softmax(x) = exp(x − max x) / Σ exp(x − max x), which also leaves log-probabilities as probabilities. */
function softmax(raw: Float32Array, from: number, target: Float32Array, to: number, classes: number): void {
  let largest = -Infinity;
  for (let k = 0; k < classes; k++) largest = Math.max(largest, raw[from + k]!);
  let sum = 0;
  for (let k = 0; k < classes; k++) sum += Math.exp(raw[from + k]! - largest);
  for (let k = 0; k < classes; k++) target[to + k] = Math.exp(raw[from + k]! - largest) / sum;
}

function writeArgmax(
  probabilities: Float32Array,
  labels: Uint8Array,
  start: number,
  rows: number,
  classes: number,
): void {
  for (let row = start; row < start + rows; row++) {
    let best = 0;
    for (let k = 1; k < classes; k++) {
      if (probabilities[row * classes + k]! > probabilities[row * classes + best]!) best = k;
    }
    labels[row] = best;
  }
}

function writeLabels(
  file: string,
  value: Tensor | undefined,
  labels: Uint8Array,
  start: number,
  rows: number,
  classes: number,
): void {
  const data = value?.data;
  if (!(data instanceof BigInt64Array) || data.length < rows) {
    throw new ScorerError(
      `${file}: the model gave no label for some images: it must give one whole number an image`,
    );
  }
  for (let row = 0; row < rows; row++) {
    const label = Number(data[row]);
    if (label < 0 || label >= classes) {
      throw new ScorerError(
        `${file}: the model answered with the label ${label}, but the data set's ${classes} classes are numbered ` +
          `0 to ${classes - 1}: use a model made for this data set`,
      );
    }
    labels[start + row] = label;
  }
}
