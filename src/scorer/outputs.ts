import type { InferenceSession, Tensor } from "onnxruntime-node";

import { messageOf, ScorerError } from "../errors.ts";
import type { ScoreMeaning } from "../types.ts";
import { describeTensor, type Metadata, type TensorMetadata } from "./adapter.ts";
import { toDoubles } from "./elements.ts";

export type Outputs = InferenceSession.OnnxValueMapType;
export type Row = Float32Array | Float64Array;

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
        "export it with the class scores as a tensor, or with a label output beside it",
    );
  }
  // Some exports list the same output twice.
  return tensors.filter(({ name }, i) => tensors.findIndex((other) => other.name === name) === i);
}

/** An output, and what the model answered with it at each scale. */
interface Found {
  readonly tensor: TensorMetadata;
  readonly values: readonly Tensor[];
}

/**
 * Finds out what the outputs are, from what the model answered for `images` images at each of a few scales.
 *
 * @throws ScorerError where none holds a label an image, or a score an image and class; or where one holds labels and
 *   another the scores of some other number of classes
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
    return [{ tensor, meaning: meaningAtAll(values, classes.length) }];
  });
  const label = found.find(({ values: [value] }) => value !== undefined && isList(value, images))?.tensor;
  // Beside logits, the probabilities made from them are the better witness.
  const best = scores.find(({ meaning }) => meaning === "probabilities") ?? scores[0];
  if (best === undefined) {
    if (label === undefined) throw refusal(file, found, images, classes.length);
    refuseOtherScores(file, found, label.name, images, classes.length);
  }
  return {
    scores: best?.tensor.name ?? null,
    label: label?.name ?? null,
    meaning: best?.meaning ?? "labels",
    description: describeTensor((best?.tensor ?? label)!),
  };
}

/** What scores are by their values at each scale. */
function meaningAtAll(values: readonly Tensor[], classes: number): Exclude<ScoreMeaning, "labels"> {
  return meaningOfAll(values.map((value) => meaningOf(toDoubles(value)!, classes)));
}

/** What holds at every scale. */
function meaningOfAll(meanings: readonly Exclude<ScoreMeaning, "labels">[]): Exclude<ScoreMeaning, "labels"> {
  const [first = "logits"] = meanings;
  if (meanings.every((meaning) => meaning === first)) return first;
  return meanings.every((meaning) => meaning === "probabilities" || meaning === "one-vs-rest")
    ? "one-vs-rest"
    : "logits";
}

const FLOATS = new Set(["float32", "float64", "float16"]);

/** [n, k], or with dimensions of one around it. A list of labels of one class would look the same, but is no float. */
function isTable(value: Tensor, images: number, classes: number): boolean {
  return columnsOf(value, images) === classes && (FLOATS.has(value.type) || value.type === "uint8");
}

function isList({ type, data }: Tensor, images: number): boolean {
  return data.length === images && (type === "string" || /^u?int/.test(type));
}

function refusal(file: string, found: readonly Found[], images: number, classes: number): ScorerError {
  const outputs = found.map(({ tensor }) => describeTensor(tensor)).join(", ");
  const columns = found.map(({ values }) => columnsOf(values[0], images)).find((count) => count > 1);
  if (columns !== undefined) {
    return new ScorerError(
      `${file} gives ${columns} scores an image (${outputs}), but the data set has ${classes} classes: ` +
        `use a model made for this data set,${namingAll(columns, classes)} or name another output with --output`,
    );
  }
  return new ScorerError(
    `${file} gives neither labels nor ${classes} scores an image (${outputs}): ` +
      "use a classifier made for this data set, or name another output with --output",
  );
}

/** A data set of one's own has as many classes as its labels show, which may be fewer than there are. */
function namingAll(columns: number, classes: number): string {
  return columns > classes ? ` name all ${columns} classes with --classes,` : "";
}

/** m of [n, m], or with dimensions of one around it; 0 for any other shape. */
function columnsOf(value: Tensor | undefined, images: number): number {
  const [rows, columns = 0, ...others] = largeSizes(value?.dims ?? []);
  return rows === images && others.length === 0 ? columns : 0;
}

function largeSizes(dims: readonly number[]): number[] {
  return dims.filter((size, i) => i === 0 || size !== 1);
}

const CALLED_SCORES = /prob|logit|score|softmax|sigmoid/i;

/**
 * Labels alone would be taken from a model that also scores some other number of classes, and every measure that needs
 * scores would be lost without a word. A hidden layer is no such table.
 */
function refuseOtherScores(
  file: string,
  found: readonly Found[],
  label: string,
  images: number,
  classes: number,
): void {
  const others = found.filter(({ tensor }) => tensor.name !== label);
  for (const { tensor, values } of others) {
    const columns = columnsOf(values[0], images);
    if (columns < 2 || !values.every((value) => isTable(value, images, columns))) continue;
    const areScores =
      others.length === 1 || CALLED_SCORES.test(tensor.name) || meaningAtAll(values, columns) !== "logits";
    if (!areScores) continue;
    throw new ScorerError(
      `${file} gives ${columns} scores an image (${describeTensor(tensor)}), but the data set has ${classes} classes: ` +
        `use a model made for this data set,${namingAll(columns, classes)} or take the labels alone with --output ${label}`,
    );
  }
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

/** The runtime's message without what only its developers understand. */
export function runtimeMessage(error: unknown): string {
  return messageOf(error).split("\n")[0]!.trim().slice(0, 300);
}
