import type { Tensor } from "onnxruntime-node";

import { ScorerError } from "../errors.ts";
import type { ScoreMeaning, Scores } from "../types.ts";
import type { Row } from "./outputs.ts";

/** Tables [n, k] to write scores into: as they are given, and, where those are no probabilities, what softmax makes of them. */
export type ScoreTables = Pick<Scores, "logits"> & { readonly probabilities: Float64Array };

/** Tables for `images` images. */
export function scoreTables(meaning: ScoreMeaning, images: number, classes: number): ScoreTables {
  const probabilities = new Float64Array(images * classes);
  const given = meaning === "probabilities" || meaning === "one-vs-rest";
  return given ? { probabilities } : { probabilities, logits: new Float64Array(images * classes) };
}

/** Writes the scores of `rows` images, from the start of `scores` to image `start` of the tables. */
export function writeScores(
  scores: Row,
  { probabilities, logits }: ScoreTables,
  start: number,
  rows: number,
  classes: number,
): void {
  (logits ?? probabilities).set(scores.subarray(0, rows * classes), start * classes);
  if (logits === undefined) return;
  for (let row = start; row < start + rows; row++) softmax(logits, probabilities, row * classes, classes);
}

/** softmax(x) = exp(x − max x) / Σ exp(x − max x), which gives probabilities back for their logarithms too. */
function softmax(scores: Float64Array, target: Float64Array, start: number, classes: number): void {
  const end = start + classes;
  let largest = -Infinity;
  for (let at = start; at < end; at++) largest = Math.max(largest, scores[at]!);
  let sum = 0;
  for (let at = start; at < end; at++) sum += target[at] = Math.exp(scores[at]! - largest);
  for (let at = start; at < end; at++) target[at]! /= sum;
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
  for (let row = 0; row < rows; row++) labels[start + row] = classOf(file, data[row], classes);
}

/** The position in `classes` of what a model calls a class: its name, or its number. */
function classOf(file: string, answer: unknown, classes: readonly string[]): number {
  const label = typeof answer === "string" ? classes.indexOf(answer.trim()) : Number(answer);
  if (!(label >= 0 && label < classes.length)) throw unknownLabel(file, answer, classes);
  return label;
}

/**
 * Which of a table's columns is of each class; null where they stand in the classes' order.
 *
 * @param names k: what the model calls each column's class; undefined: by its number
 * @throws ScorerError where one is none of the classes
 */
export function columnOrder(
  file: string,
  names: readonly (string | number)[] | undefined,
  classes: readonly string[],
): readonly number[] | null {
  if (names === undefined) return null;
  const found = names.map((name) => classOf(file, name, classes));
  return found.every((c, column) => c === column) ? null : classes.map((_, c) => found.indexOf(c));
}

/** A table [n, k] with its columns in such an order. */
export function inOrder(table: Row, order: readonly number[] | null): Row {
  if (order === null) return table;
  const ordered = table.slice();
  for (let start = 0; start < table.length; start += order.length) {
    for (const [c, column] of order.entries()) ordered[start + c] = table[start + column]!;
  }
  return ordered;
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
