import { Matrix } from "ml-matrix";
import { clopperPearson } from "../statistics/binomial.ts";
import type { Confusion, Interval, ScoredBatch, WeakestClass } from "../types.ts";

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

/**
 * The off-diagonal cells that are not empty, the surest first: by the low end of an interval that holds for all of them
 * together, so that one image of a rare class is not the strongest confusion. Ties by count, then in reading order; at
 * most `limit`.
 */
export function topConfusions(
  { counts, support }: ConfusionMatrix,
  classes: readonly string[],
  limit = TOP_CONFUSIONS,
): Confusion[] {
  const simultaneous = support.filter((images) => images > 0).length * (classes.length - 1);
  const intervals = new Map<string, Interval | null>();
  const cells: Confusion[] = [];
  for (let row = 0; row < classes.length; row++) {
    for (let column = 0; column < classes.length; column++) {
      const count = counts.get(row, column);
      if (row === column || count === 0) continue;
      const images = support[row]!;
      // Most cells of many classes hold one of a few counts.
      const key = `${count}/${images}`;
      if (!intervals.has(key)) intervals.set(key, clopperPearson(count, images, { simultaneous }));
      const interval = intervals.get(key)!;
      cells.push({ true: classes[row]!, predicted: classes[column]!, count, rate: count / images, interval });
    }
  }
  // The sort is stable, so that ties stay in reading order.
  return cells.sort((a, b) => b.interval!.low - a.interval!.low || b.count - a.count).slice(0, limit);
}

/**
 * The class with the lowest recall, the first of several, with an interval that allows for its being picked; null where
 * all recalls are equal or fewer than two are defined.
 */
export function weakestClass(
  { hits, support }: ConfusionMatrix,
  classes: readonly string[],
): WeakestClass | null {
  const present = [...classes.keys()].filter((c) => support[c]! > 0);
  const recalls = present.map((c) => hits[c]! / support[c]!);
  const lowest = Math.min(...recalls);
  if (present.length < 2 || lowest === Math.max(...recalls)) return null;
  const c = present[recalls.indexOf(lowest)]!;
  const interval = clopperPearson(hits[c]!, support[c]!, { simultaneous: present.length });
  return { class: classes[c]!, recall: { value: lowest, interval } };
}
