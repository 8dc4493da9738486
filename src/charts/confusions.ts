import type { Evaluation } from "../types.ts";

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

/** The confusions for which `measure` is highest: several on a tie. */
export function highest(confusions: readonly Mistaken[], measure: (c: Mistaken) => number): Mistaken[] {
  const top = Math.max(...confusions.map(measure));
  return confusions.filter((c) => measure(c) === top);
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
