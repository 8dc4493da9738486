import type { ClassMetrics, Estimate } from "../types.ts";
import type { Calibration } from "./calibration.ts";
import * as labels from "./classification.ts";
import type { ConfusionMatrix } from "./confusion.ts";
import { pointEstimate } from "./intervals.ts";
import type { Losses } from "./losses.ts";
import { macroArea, weightedArea, type Areas, type TrueRanks } from "./ranking.ts";

/** What metrics of the probabilities are computed from. */
export interface ScoreSummary {
  readonly losses: Losses;
  readonly calibration: Calibration;
  readonly ranks: TrueRanks;
  /** k: null for a class without images, or without images of others. */
  readonly areas: readonly (Areas | null)[];
}

interface MetricText {
  readonly title: string;
  readonly better: "higher" | "lower";
  /** What a run lacks where the metric is undefined, to be read after "it needs". */
  readonly needs: string;
  /** A share of the images that have probabilities: of those left out, none or all could be in it. */
  readonly share?: true;
}

export type Metric =
  | (MetricText & {
      readonly needsProbabilities: false;
      compute(matrix: ConfusionMatrix): Estimate;
    })
  | (MetricText & {
      readonly needsProbabilities: true;
      compute(matrix: ConfusionMatrix, scores: ScoreSummary): Estimate;
    });

const IMAGES = "at least one image";
const VARIETY = "more than one class in the truth or the predictions";
const ALL_CLASSES = "images of every class";

/** Every metric of a run, in the order of the report. */
export const METRICS = {
  accuracy: {
    title: "Accuracy",
    better: "higher",
    needsProbabilities: false,
    needs: IMAGES,
    compute: labels.accuracy,
  },
  balanced_accuracy: {
    title: "Balanced accuracy",
    better: "higher",
    needsProbabilities: false,
    needs: IMAGES,
    compute: labels.balancedAccuracy,
  },
  precision_macro: {
    title: "Precision, mean of the classes",
    better: "higher",
    needsProbabilities: false,
    needs: IMAGES,
    compute: (matrix) => labels.macroAverage(matrix, labels.classPrecision),
  },
  recall_macro: {
    title: "Recall, mean of the classes",
    better: "higher",
    needsProbabilities: false,
    needs: IMAGES,
    compute: (matrix) => labels.macroAverage(matrix, labels.classRecall),
  },
  f1_macro: {
    title: "F1, mean of the classes",
    better: "higher",
    needsProbabilities: false,
    needs: IMAGES,
    compute: (matrix) => labels.macroAverage(matrix, labels.classF1),
  },
  precision_weighted: {
    title: "Precision, weighted by images",
    better: "higher",
    needsProbabilities: false,
    needs: IMAGES,
    compute: (matrix) => labels.weightedAverage(matrix, labels.classPrecision),
  },
  recall_weighted: {
    title: "Recall, weighted by images",
    better: "higher",
    needsProbabilities: false,
    needs: IMAGES,
    // The classes' images cancel out: it is the accuracy, and so a proportion with an interval.
    compute: labels.accuracy,
  },
  f1_weighted: {
    title: "F1, weighted by images",
    better: "higher",
    needsProbabilities: false,
    needs: IMAGES,
    compute: (matrix) => labels.weightedAverage(matrix, labels.classF1),
  },
  cohen_kappa: {
    title: "Cohen's kappa",
    better: "higher",
    needsProbabilities: false,
    needs: VARIETY,
    compute: labels.cohenKappa,
  },
  matthews_corrcoef: {
    title: "Matthews correlation",
    better: "higher",
    needsProbabilities: false,
    needs: "more than one class in the truth and in the predictions",
    compute: labels.matthewsCorrelation,
  },
  top_2_accuracy: {
    title: "Top-2 accuracy",
    better: "higher",
    needsProbabilities: true,
    share: true,
    needs: "more than 2 classes",
    compute: (_, { ranks }) => ranks.topAccuracy(2),
  },
  top_3_accuracy: {
    title: "Top-3 accuracy",
    better: "higher",
    needsProbabilities: true,
    share: true,
    needs: "more than 3 classes",
    compute: (_, { ranks }) => ranks.topAccuracy(3),
  },
  top_5_accuracy: {
    title: "Top-5 accuracy",
    better: "higher",
    needsProbabilities: true,
    share: true,
    needs: "more than 5 classes",
    compute: (_, { ranks }) => ranks.topAccuracy(5),
  },
  log_loss: {
    title: "Log loss",
    better: "lower",
    needsProbabilities: true,
    needs: IMAGES,
    compute: (_, { losses }) => losses.logLoss(),
  },
  brier_score: {
    title: "Brier score",
    better: "lower",
    needsProbabilities: true,
    needs: IMAGES,
    compute: (_, { losses }) => losses.brierScore(),
  },
  roc_auc_macro: {
    title: "ROC AUC, mean of the classes",
    better: "higher",
    needsProbabilities: true,
    needs: ALL_CLASSES,
    compute: (_, { areas }) => macroArea(areas.map(rocAuc)),
  },
  roc_auc_weighted: {
    title: "ROC AUC, weighted by images",
    better: "higher",
    needsProbabilities: true,
    needs: ALL_CLASSES,
    compute: ({ support }, { areas }) => weightedArea(areas.map(rocAuc), support),
  },
  average_precision_macro: {
    title: "Average precision, mean of the classes",
    better: "higher",
    needsProbabilities: true,
    needs: ALL_CLASSES,
    compute: (_, { areas }) => macroArea(areas.map(averagePrecision)),
  },
  expected_calibration_error: {
    title: "Expected calibration error",
    better: "lower",
    needsProbabilities: true,
    needs: IMAGES,
    compute: (_, { calibration }) => calibration.expectedError(),
  },
} satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;
export const METRIC_NAMES = Object.keys(METRICS) as MetricName[];

/** What a class's metric needs to be defined, to be read after "it needs". */
export const CLASS_METRICS = {
  precision: { needsProbabilities: false, needs: "a prediction of that class" },
  recall: { needsProbabilities: false, needs: "an image of that class" },
  f1: { needsProbabilities: false, needs: "an image or a prediction of that class" },
  roc_auc: { needsProbabilities: true, needs: "images of that class and of others" },
  average_precision: { needsProbabilities: true, needs: "images of that class and of others" },
  support: { needsProbabilities: false, needs: "nothing" },
  predicted: { needsProbabilities: false, needs: "nothing" },
} satisfies Record<
  Exclude<keyof ClassMetrics, "class">,
  { readonly needsProbabilities: boolean; readonly needs: string }
>;

export type ClassMetricName = keyof typeof CLASS_METRICS;

/** @param scores null where the scorer gives labels only: what needs probabilities is then undefined */
export function computeMetrics(
  matrix: ConfusionMatrix,
  scores: ScoreSummary | null,
): Record<MetricName, Estimate> {
  const estimate = (metric: Metric): Estimate => {
    if (!metric.needsProbabilities) return metric.compute(matrix);
    return scores === null ? pointEstimate(null) : metric.compute(matrix, scores);
  };
  return Object.fromEntries(METRIC_NAMES.map((name) => [name, estimate(METRICS[name])])) as Record<
    MetricName,
    Estimate
  >;
}

export function computeClassMetrics(
  matrix: ConfusionMatrix,
  scores: ScoreSummary | null,
  classes: readonly string[],
): ClassMetrics[] {
  return classes.map((name, c) => ({
    class: name,
    support: matrix.support[c]!,
    predicted: matrix.predicted[c]!,
    precision: labels.classPrecision(matrix, c),
    recall: labels.classRecall(matrix, c),
    f1: labels.classF1(matrix, c),
    roc_auc: pointEstimate(rocAuc(scores?.areas[c] ?? null)),
    average_precision: pointEstimate(averagePrecision(scores?.areas[c] ?? null)),
  }));
}

function rocAuc(areas: Areas | null): number | null {
  return areas && areas.rocAuc;
}

function averagePrecision(areas: Areas | null): number | null {
  return areas && areas.averagePrecision;
}
