import { Matrix } from "ml-matrix";
import type { Confusion, ScoredBatch } from "../types.ts";
import { wilson } from "./intervals.ts";

/** How many off-diagonal cells are listed by name. */
export const TOP_CONFUSIONS = 20;

/** k×k counts as they are gathered, rows true, columns predicted. */
export type ConfusionCounts = Float64Array;

/** The confusion matrix with its margins, from which every metric of the predicted labels follows. */
export interface ConfusionMatrix {
  /** k×k, rows true, columns predicted. */
  readonly counts: Matrix;
  /** Images. */
  readonly total: number;
  /** Images on the diagonal. */
  readonly correct: number;
  /** k: images truly of the class. */
  readonly support: readonly number[];
  /** k: images predicted to be of the class. */
  readonly predicted: readonly number[];
  /** k: images of the class that were predicted so. */
  readonly hits: readonly number[];
}

export function countBatch(
  counts: ConfusionCounts,
  { truth, predicted }: ScoredBatch,
  classes: number,
): void {
  for (let row = 0; row < truth.length; row++) counts[truth[row]! * classes + predicted[row]!]! += 1;
}

export function confusionMatrix(counts: ConfusionCounts, classes: number): ConfusionMatrix {
  const matrix = Matrix.from1DArray(classes, classes, counts);
  return {
    counts: matrix,
    total: matrix.sum(),
    correct: matrix.trace(),
    support: matrix.sum("row"),
    predicted: matrix.sum("column"),
    hits: matrix.diagonal(),
  };
}

/** The off-diagonal cells that are not empty, most frequent first, ties in reading order; at most `limit`. */
export function topConfusions(
  { counts, support }: ConfusionMatrix,
  classes: readonly string[],
  limit = TOP_CONFUSIONS,
): Confusion[] {
  const cells: { row: number; column: number; count: number }[] = [];
  for (let row = 0; row < classes.length; row++) {
    for (let column = 0; column < classes.length; column++) {
      const count = counts.get(row, column);
      if (row !== column && count > 0) cells.push({ row, column, count });
    }
  }
  // The sort is stable, so that ties stay in reading order.
  cells.sort((a, b) => b.count - a.count);
  return cells.slice(0, limit).map(({ row, column, count }) => ({
    true: classes[row]!,
    predicted: classes[column]!,
    count,
    rate: count / support[row]!,
    interval: wilson(count, support[row]!),
  }));
}
