import type { Evaluation } from "../types.ts";
import type { NumberStyle } from "./format.ts";

/** How a metric is called and shown, and what it means. */
export interface Definition {
  readonly label: string;
  readonly style: NumberStyle;
  /** One sentence; empty for a metric that is not listed here. */
  readonly meaning: string;
}

const share = (label: string, meaning: string): Definition => ({ label, style: "percent", meaning });
const number = (label: string, meaning: string): Definition => ({ label, style: "decimal", meaning });

const METRICS: Readonly<Record<string, Definition>> = {
  accuracy: share("Accuracy", "Share of images whose predicted class is the true one."),
  balanced_accuracy: share(
    "Balanced accuracy",
    "Mean of the recalls of the classes that occur: each counts the same.",
  ),
  precision_macro: share("Precision, macro", "Mean of the classes' precisions."),
  recall_macro: share("Recall, macro", "Mean of the classes' recalls."),
  f1_macro: share("F1, macro", "Mean of the classes' F1 scores."),
  precision_weighted: share("Precision, weighted", "Mean of the classes' precisions, weighted by support."),
  recall_weighted: share(
    "Recall, weighted",
    "Mean of the classes' recalls, weighted by support: the accuracy.",
  ),
  f1_weighted: share("F1, weighted", "Mean of the classes' F1 scores, weighted by support."),
  cohen_kappa: number(
    "Cohen's kappa",
    "Agreement of truth and prediction beyond chance: 1 is perfect, 0 is chance.",
  ),
  matthews_corrcoef: number(
    "Matthews correlation",
    "Correlation of truth and prediction, multiclass: 1 is perfect, 0 is chance.",
  ),
  top_2_accuracy: share("Top-2 accuracy", "Share of images whose true class is among the 2 most probable."),
  top_3_accuracy: share("Top-3 accuracy", "Share of images whose true class is among the 3 most probable."),
  top_5_accuracy: share("Top-5 accuracy", "Share of images whose true class is among the 5 most probable."),
  log_loss: number(
    "Log loss",
    "Mean of −ln of the probability given to the true class, each row divided by its sum, in nats: lower is better.",
  ),
  brier_score: number(
    "Brier score",
    "Mean over images of the squared error of the given probabilities, summed over classes: lower is better, and at most 2 where they sum to 1.",
  ),
  roc_auc_macro: number("ROC AUC, macro", "Mean of the classes' one-vs-rest areas under the ROC curve."),
  roc_auc_weighted: number(
    "ROC AUC, weighted",
    "The classes' one-vs-rest areas under the ROC curve, weighted by support.",
  ),
  average_precision_macro: number("Average precision, macro", "Mean of the classes' average precisions."),
  expected_calibration_error: number(
    "Expected calibration error",
    "Mean gap between confidence and accuracy over 15 equal-width bins of confidence, weighted by count: lower is better.",
  ),
};

/** What the columns of the per-class table and the intervals mean. */
export const TERMS: readonly (readonly [term: string, meaning: string])[] = [
  ["Support", "Images that truly are of the class."],
  ["Predicted", "Images that were predicted to be of the class."],
  ["Precision", "Of the images predicted to be of the class, the share that truly are."],
  ["Recall", "Of the images that truly are of the class, the share that was predicted so."],
  ["F1", "Harmonic mean of precision and recall."],
  [
    "ROC AUC",
    "Chance that an image of the class gets a higher score for it, as the model gave it, than an image of another class.",
  ],
  ["Average precision", "Precision averaged over the recalls reached as the threshold falls."],
  [
    "Weakest class",
    "The class with the lowest recall. Its interval there allows for its being picked from all: Clopper and Pearson's, held together over the classes.",
  ],
  [
    "Strongest confusion",
    "The pair of classes whose share of the true class is surely the highest: by the low end of an interval that holds for all pairs together.",
  ],
  [
    "Interval",
    "Range that holds the true value with the stated confidence, were the images a random sample.",
  ],
  ["–", "Undefined in this run, such as the precision of a class that was never predicted."],
];

/** Data sets of NIST's handwriting: each writer gave many of their images. */
const BY_WRITERS = /^q?mnist$|^emnist-/;

/** Why a data set's images are less of a sample than they look; empty where nothing is known of it. */
export function samplingNote({ dataset }: Pick<Evaluation, "dataset">): string {
  return BY_WRITERS.test(dataset.name)
    ? "The intervals take the images for independent of each other, but these come from writers with many " +
        "images each: for other writers the range is wider, on MNIST's test images 1.4 to 1.8 times as wide."
    : "";
}

/** What the numbers of a service mean. */
export const SERVICE_TERMS: readonly (readonly [term: string, meaning: string])[] = [
  ["p50, p90, p99", "Times that 50, 90 and 99 % of the answered requests did not exceed."],
  ["Latency of an image", "That of its request, divided by the request's images."],
  ["Failed attempts", "Requests that were not answered, by HTTP status or in a word; most are sent again."],
];

/** What the comparison with a local model means. */
export const PARITY_TERMS: readonly (readonly [term: string, meaning: string])[] = [
  ["Parity", "Share of images for which the service and the local model predict the same class."],
  ["Difference of a probability", "Absolute, of the same image and class."],
];

/** Of a metric that is not listed here, the name itself is the label, and it is shown as a plain number. */
export function definition(metric: string): Definition {
  const known = Object.hasOwn(METRICS, metric) ? METRICS[metric] : undefined;
  return known ?? { label: metric.replaceAll("_", " "), style: "decimal", meaning: "" };
}
