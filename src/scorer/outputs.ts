import type { InferenceSession, Tensor } from "onnxruntime-node";

import { messageOf, ScorerError } from "../errors.ts";
import type { ScoreMeaning } from "../types.ts";
import { describeTensor, type Metadata, type TensorMetadata } from "./adapter.ts";
import { toDoubles } from "./elements.ts";

export type Outputs = InferenceSession.OnnxValueMapType;
type Row = Float32Array | Float64Array;

/** Which of a model's outputs are read, and what they mean. */
export interface OutputPlan {
  /** One number a class, [n, k]; null for a model that gives labels only. */
  readonly scores: string | null;
  /** One whole number or string an image; null where labels come from the scores. */
  readonly label: string | null;
  readonly meaning: ScoreMeaning;
  /** The output that is named in reports. */
  readonly description: string;
}

/** How far a row of float32 probabilities may be from summing to one; float16 keeps three digits. */
const SUM_TOLERANCE = 5e-3;

/** The outputs that can be fetched: the runtime refuses a run that asks for a sequence or a map. */
export function tensorOutputs(
  file: string,
  outputs: readonly Metadata[],
  wanted: string | null,
): readonly TensorMetadata[] {
  if (outputs.length === 0) {
    throw new ScorerError(`${file} has no output: export it again, with the class scores as its output`);
  }
  const named = wanted === null ? outputs : outputs.filter(({ name }) => name === wanted);
  if (named.length === 0) {
    const names = outputs.map(({ name }) => name).join(", ");
    throw new ScorerError(`${file} has no output ${wanted}: --output takes one of ${names}`);
  }
  const tensors = named.filter((output): output is TensorMetadata => output.isTensor);
  if (tensors.length === 0) {
    throw new ScorerError(
      `${file} gives no tensor (${named.map(({ name }) => name).join(", ")} is a sequence or a map): ` +
        "export it with zipmap=False, or with a label output beside it",
    );
  }
  // Some exports list the same output twice.
  return tensors.filter(({ name }, i) => tensors.findIndex((other) => other.name === name) === i);
}

/**
 * Finds out what the outputs are, from what the model answered for `images` images at each of a few scales.
 *
 * @throws ScorerError where none holds a label an image, or a score an image and class
 */
export function outputPlan(
  file: string,
  tensors: readonly TensorMetadata[],
  answers: readonly Outputs[],
  images: number,
  classes: readonly string[],
): OutputPlan {
  const found = tensors.map((tensor) => ({
    tensor,
    values: answers.flatMap((answer) => answer[tensor.name] ?? []),
  }));
  const scores = found.flatMap(({ tensor, values }) => {
    if (values.length === 0 || !values.every((value) => isTable(value, images, classes.length))) return [];
    const meanings = values.map((value) => meaningOf(toDoubles(value)!, classes.length));
    return [{ tensor, meaning: meaningOfAll(meanings) }];
  });
  const label = found.find(({ values: [value] }) => value !== undefined && isList(value, images))?.tensor;
  // Beside logits, the probabilities made from them are the better witness.
  const best = scores.find(({ meaning }) => meaning === "probabilities") ?? scores[0];
  if (best === undefined && label === undefined) {
    throw refusal(
      file,
      tensors,
      found.flatMap(({ values }) => values.slice(0, 1)),
      images,
      classes.length,
    );
  }
  return {
    scores: best?.tensor.name ?? null,
    label: label?.name ?? null,
    meaning: best?.meaning ?? "labels",
    description: describeTensor((best?.tensor ?? label)!),
  };
}

/** What holds at every scale. */
function meaningOfAll(meanings: readonly Exclude<ScoreMeaning, "labels">[]): ScoreMeaning {
  const [first = "logits"] = meanings;
  if (meanings.every((meaning) => meaning === first)) return first;
  return meanings.every((meaning) => meaning === "probabilities" || meaning === "one-vs-rest")
    ? "one-vs-rest"
    : "logits";
}

const FLOATS = new Set(["float32", "float64", "float16"]);

/** [n, k], or with dimensions of one around it. A list of labels of one class would look the same, but is no float. */
function isTable({ type, dims, data }: Tensor, images: number, classes: number): boolean {
  const sizes = dims.filter((size, i) => i === 0 || size !== 1);
  const shaped = sizes.length === 2 && sizes[0] === images && sizes[1] === classes;
  return data.length === images * classes && shaped && (FLOATS.has(type) || type === "uint8");
}

function isList({ type, data }: Tensor, images: number): boolean {
  return data.length === images && (type === "string" || /^u?int/.test(type));
}

function refusal(
  file: string,
  tensors: readonly TensorMetadata[],
  values: readonly Tensor[],
  images: number,
  classes: number,
): ScorerError {
  const outputs = tensors.map(describeTensor).join(", ");
  const columns = values.find(({ dims }) => dims.length === 2 && dims[0] === images)?.dims[1];
  if (columns !== undefined && columns > 1) {
    return new ScorerError(
      `${file} gives ${columns} scores an image (${outputs}), but the data set has ${classes} classes: ` +
        "use a model made for this data set, or name another output with --output",
    );
  }
  return new ScorerError(
    `${file} gives neither labels nor ${classes} scores an image (${outputs}): ` +
      "use a classifier made for this data set, or name another output with --output",
  );
}

/** Tells what scores are by their values. A model that gives logits has no reason to keep to any of these. */
export function meaningOf(scores: Row, classes: number): Exclude<ScoreMeaning, "labels"> {
  let [inUnit, sumsToOne, belowZero, exponentsSumToOne] = [true, true, true, true];
  for (let start = 0; start < scores.length; start += classes) {
    let [sum, exponents] = [0, 0];
    for (let k = start; k < start + classes; k++) {
      const score = scores[k]!;
      // NaN says nothing about the other rows.
      if (Number.isNaN(score)) [sum, exponents] = [1, 1];
      if (score < 0 || score > 1 + SUM_TOLERANCE) inUnit = false;
      if (score > SUM_TOLERANCE) belowZero = false;
      sum += score;
      exponents += Math.exp(score);
    }
    if (Math.abs(sum - 1) > SUM_TOLERANCE) sumsToOne = false;
    if (Math.abs(exponents - 1) > SUM_TOLERANCE) exponentsSumToOne = false;
  }
  if (inUnit) return sumsToOne ? "probabilities" : "one-vs-rest";
  return belowZero && exponentsSumToOne ? "log-probabilities" : "logits";
}

/** Writes scores as probabilities, `rows` images from the start of `scores` to image `start` of `target`. */
export function writeProbabilities(
  scores: Row,
  meaning: ScoreMeaning,
  target: Float32Array,
  start: number,
  rows: number,
  classes: number,
): void {
  if (meaning === "probabilities" || meaning === "one-vs-rest") {
    target.set(scores.subarray(0, rows * classes), start * classes);
    return;
  }
  for (let row = 0; row < rows; row++)
    softmax(scores, row * classes, target, (start + row) * classes, classes);
}

/** softmax(x) = exp(x − max x) / Σ exp(x − max x), which gives probabilities back for their logarithms too. */
function softmax(scores: Row, from: number, target: Float32Array, to: number, classes: number): void {
  let largest = -Infinity;
  for (let k = 0; k < classes; k++) largest = Math.max(largest, scores[from + k]!);
  let sum = 0;
  for (let k = 0; k < classes; k++) sum += Math.exp(scores[from + k]! - largest);
  for (let k = 0; k < classes; k++) target[to + k] = Math.exp(scores[from + k]! - largest) / sum;
}

/** The class of the largest score; the first of equal ones, as NumPy's argmax. */
export function writeArgmax(
  scores: Row,
  labels: Uint8Array,
  start: number,
  rows: number,
  classes: number,
): void {
  for (let row = 0; row < rows; row++) {
    const offset = row * classes;
    let best = 0;
    for (let k = 1; k < classes; k++) if (scores[offset + k]! > scores[offset + best]!) best = k;
    labels[start + row] = best;
  }
}

/**
 * Writes a label output as positions in `classes`.
 *
 * @throws ScorerError where a label is none of the classes
 */
export function writeLabels(
  file: string,
  { data }: Tensor,
  labels: Uint8Array,
  start: number,
  rows: number,
  classes: readonly string[],
): void {
  for (let row = 0; row < rows; row++) {
    const answer: unknown = data[row];
    const label = typeof answer === "string" ? classes.indexOf(answer.trim()) : Number(answer);
    if (!(label >= 0 && label < classes.length)) throw unknownLabel(file, answer, classes);
    labels[start + row] = label;
  }
}

function unknownLabel(file: string, answer: unknown, classes: readonly string[]): ScorerError {
  const known = classes.length > 12 ? `${classes.slice(0, 12).join(", ")}, …` : classes.join(", ");
  return typeof answer === "string"
    ? new ScorerError(
        `${file} answers with the label “${answer}”, which is none of the data set's classes (${known}): ` +
          "name the classes as the model does, in the data set's order, with --classes",
      )
    : new ScorerError(
        `${file} answers with the label ${String(answer)}, but the data set's ${classes.length} classes are numbered ` +
          `0 to ${classes.length - 1}: use a model made for this data set`,
      );
}

/** The runtime's message without what only its developers understand. */
export function runtimeMessage(error: unknown): string {
  return messageOf(error).split("\n")[0]!.trim().slice(0, 300);
}
