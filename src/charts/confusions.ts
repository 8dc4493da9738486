import type { Confusion, Evaluation, Interval } from "../types.ts";
import { percent, wholeNumber } from "./wording.ts";

/** One off-diagonal cell of the confusion matrix that holds at least one image. */
export interface Mistaken {
  readonly truth: string;
  readonly predicted: string;
  /** Images of `truth` that were predicted to be `predicted`. */
  readonly count: number;
  /** Images of `truth`. */
  readonly support: number;
}

/** Every pair of classes that was confused, in the matrix's order. */
export function confusionsOf({ confusionMatrix, dataset: { classes } }: Evaluation): Mistaken[] {
  return confusionMatrix.flatMap((row, t) => {
    const support = total(row);
    return row.flatMap((count, p) =>
      count === 0 || t === p
        ? []
        : [{ truth: classes[t] ?? "", predicted: classes[p] ?? "", count, support }],
    );
  });
}

/**
 * The strongest confusion as the evaluation ranks them: several on a tie, none of a perfect model. Those of one image are
 * all alike, whatever their rates.
 */
export function strongest({ topConfusions }: Evaluation): Confusion[] {
  const [first] = topConfusions;
  return topConfusions.filter(
    ({ count, rate }) => count === first?.count && (count === 1 || rate === first.rate),
  );
}

/** ` (2.5–7.5 %, a 95 % interval for all 90 together)`; empty without an interval. */
export function pickedRange(interval: Interval | null): string {
  if (interval === null) return "";
  const { low, high, level, simultaneous = 1 } = interval;
  const together = simultaneous > 1 ? ` for all ${wholeNumber(simultaneous)} together` : "";
  return ` (${percent(low).replace(" %", "")}–${percent(high)}, a ${percent(level, 0)} interval${together})`;
}

/** Images that the confusion matrix counts, and how many of them were predicted correctly. */
export function tally({ confusionMatrix }: Evaluation): { readonly images: number; readonly right: number } {
  return {
    images: total(confusionMatrix.map(total)),
    right: total(confusionMatrix.map((row, i) => row[i] ?? 0)),
  };
}

export function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
