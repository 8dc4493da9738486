import type { Estimate } from "../types.ts";
import type { ConfusionMatrix } from "./confusion.ts";
import { pointEstimate, proportion } from "./intervals.ts";

// Metrics of the predicted labels alone. The definitions are scikit-learn's, but for what is 0/0: a class's precision
// without predictions, its recall without images, kappa and the correlation of a constant are null here.

/** Share of the images that were predicted right. */
export function accuracy({ correct, total }: ConfusionMatrix): Estimate {
  return proportion(correct, total);
}

/** Mean recall of the classes that have images. */
export function balancedAccuracy({ hits, support }: ConfusionMatrix): Estimate {
  let sum = 0;
  let present = 0;
  for (let c = 0; c < hits.length; c++) {
    if (support[c] === 0) continue;
    sum += hits[c]! / support[c]!;
    present += 1;
  }
  return pointEstimate(sum / present);
}

/** Share of the images predicted as the class that are of it; undefined without predictions. */
export function classPrecision({ hits, predicted }: ConfusionMatrix, c: number): Estimate {
  return proportion(hits[c]!, predicted[c]!);
}

/** Share of the class's images that were predicted as it; undefined without images. */
export function classRecall({ hits, support }: ConfusionMatrix, c: number): Estimate {
  return proportion(hits[c]!, support[c]!);
}

/** 2·hits / (support + predicted): harmonic mean of precision and recall; undefined with neither images nor predictions. */
export function classF1({ hits, support, predicted }: ConfusionMatrix, c: number): Estimate {
  return pointEstimate((2 * hits[c]!) / (support[c]! + predicted[c]!));
}

export type ClassMetric = (matrix: ConfusionMatrix, c: number) => Estimate;

/**
 * Mean over the classes that have images or predictions. As scikit-learn does by default, a class where the metric is
 * undefined counts as 0: the average stays comparable, and a class that is never predicted is seen in it.
 */
export function macroAverage(matrix: ConfusionMatrix, metric: ClassMetric): Estimate {
  let sum = 0;
  let classes = 0;
  for (let c = 0; c < matrix.hits.length; c++) {
    if (matrix.support[c] === 0 && matrix.predicted[c] === 0) continue;
    sum += metric(matrix, c).value ?? 0;
    classes += 1;
  }
  return pointEstimate(sum / classes);
}

/** Mean weighted by the classes' images; an undefined precision counts as 0, as in `macroAverage`. */
export function weightedAverage(matrix: ConfusionMatrix, metric: ClassMetric): Estimate {
  let sum = 0;
  for (let c = 0; c < matrix.hits.length; c++) sum += (metric(matrix, c).value ?? 0) * matrix.support[c]!;
  return pointEstimate(sum / matrix.total);
}

/**
 * Cohen's kappa: the share of chance's errors that the predictions avoid. Undefined where chance makes no error,
 * with one class in truth and predictions (scikit-learn: NaN).
 */
export function cohenKappa(matrix: ConfusionMatrix): Estimate {
  const { total, correct } = matrix;
  return pointEstimate(1 - (total - correct) / (total - chanceAgreement(matrix) / total));
}

/**
 * Matthews' correlation of truth and predictions, Gorodkin's form for more than two classes. Undefined where either
 * holds one class only, because a constant correlates with nothing (scikit-learn: 0).
 */
export function matthewsCorrelation(matrix: ConfusionMatrix): Estimate {
  const { total, correct, support, predicted } = matrix;
  const spread = (counts: readonly number[]) =>
    total ** 2 - counts.reduce((sum, count) => sum + count ** 2, 0);
  const covariance = correct * total - chanceAgreement(matrix);
  return pointEstimate(covariance / Math.sqrt(spread(support) * spread(predicted)));
}

/** total² × the agreement that independent labels with the same margins would have. */
function chanceAgreement({ support, predicted }: ConfusionMatrix): number {
  return support.reduce((sum, count, c) => sum + count * predicted[c]!, 0);
}
