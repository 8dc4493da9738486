import type { Evaluation, Measurements } from "../types.ts";
import { confusionMatrix, type ConfusionMatrix } from "./confusion.ts";
import { accuracy } from "./classification.ts";

/** The lowest and the highest that a number could be. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** How many images have no prediction, and how many of them are of each class. */
export type Unanswered = Pick<Evaluation["failures"], "count" | "perClass">;

/** The accuracy over all images, if those without a prediction were all wrong, and if they were all right. */
export function accuracyRange(
  { confusionMatrix: counts }: Pick<Measurements, "confusionMatrix">,
  unanswered: Unanswered,
): Range | null {
  return unanswered.count === 0 ? null : rangeOf(counts, unanswered, (matrix) => accuracy(matrix).value);
}

/** Between what a number of the confusion matrix lies, whatever the images without a prediction are predicted to be. */
export function rangeOf(
  counts: readonly (readonly number[])[],
  { perClass }: Unanswered,
  valueOf: (matrix: ConfusionMatrix) => number | null,
): Range | null {
  const values = completions(counts, perClass)
    .map(valueOf)
    .filter((value) => value !== null);
  return values.length === 0 ? null : { low: Math.min(...values), high: Math.max(...values) };
}

/** Between what a share of some images lies once others are among them, of which none or all may be in it. */
export function shareOf(value: number, images: number, others: number): Range {
  const all = images + others;
  return { low: (value * images) / all, high: (value * images + others) / all };
}

/**
 * The extremes of what the unanswered images can be: all right; all wrong as one class, for each class, which costs it
 * most; and all wrong as every other class alike, which costs all classes most.
 */
function completions(counts: readonly (readonly number[])[], perClass: readonly number[]): ConfusionMatrix[] {
  const k = counts.length;
  const completed = (share: (truth: number, predicted: number) => number): ConfusionMatrix => {
    const cells = counts.flatMap((row, truth) =>
      row.map((count, predicted) => count + perClass[truth]! * share(truth, predicted)),
    );
    return confusionMatrix(Float64Array.from(cells), k);
  };
  const wrongAs = (c: number) =>
    completed((truth, predicted) => Number(predicted === (truth === c ? (c + 1) % k : c)));
  return [
    completed((truth, predicted) => Number(truth === predicted)),
    ...counts.map((_, c) => wrongAs(c)),
    completed((truth, predicted) => (truth === predicted ? 0 : 1 / (k - 1))),
  ];
}
