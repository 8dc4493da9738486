import type { Measurements } from "../types.ts";
import { wilson } from "../statistics/wilson.ts";
import type { Relabelling } from "./relabelling.ts";
import { grouped } from "../grouped.ts";
import { loss, percent } from "./wording.ts";

/** What a warning is about. */
export type GuardName =
  | "no prediction"
  | "label alone"
  | "not normalised"
  | "saturated"
  | "no probabilities"
  | "softmax twice"
  | "all alike"
  | "one class"
  | "other order"
  | "at chance"
  | "never predicted"
  | "class without images";

/** What was seen. */
export interface Finding {
  readonly guard: GuardName;
  /** A warning, as one or more sentences. */
  readonly text: string;
}

/** The finding of a guard that warns, and none of one that does not. */
export function found(guard: GuardName, text: string | null): Finding[] {
  return text === null ? [] : [{ guard, text }];
}

/** What is counted of the scores. */
export interface ScoreCounts {
  /** Images with probabilities. */
  images: number;
  /** Images with a label, and scores that are no probabilities. */
  lacking: number;
  /** Rows of scores that do not sum to one. */
  rowSumsOff: number;
  /** k×k, rows true, columns predicted: images whose confidence is 1. */
  readonly sure: Float64Array;
  /** The largest probability of all. */
  largest: number;
  /** Every row so far is softmax of a distribution. */
  softmaxTwice: boolean;
  /** k: the smallest and the largest probability of each class. */
  readonly lowest: Float64Array;
  readonly highest: Float64Array;
}

/** Share of confidences of 1 that only wrongly scaled pixels or a broken output give. */
const NEARLY_ALL_SURE = 0.9;
/** Share of mistakes among predictions of confidence 1 that is surely too many: fewer where nearly all are so. */
const WRONG_WHERE_ALL_SURE = 0.001;
const WRONG_WHERE_SOME_SURE = 0.01;
/** Mistakes that are more than a wrong label in the data. */
const LEAST_MISTAKES = 3;
/** Level of the intervals that a warning stands on. */
const LEVEL = 0.99;
const GOOD_ACCURACY = 0.5;

/** Images whose scores are no probabilities: those without a prediction, and those whose scores are all 0. */
export interface Unusable {
  readonly unpredicted: number;
  readonly zero: number;
}

/** What the scores are, whatever the predictions. */
export function scoreFindings(
  counts: ScoreCounts,
  measurements: Measurements,
  relabelling: Relabelling | null,
  unusable: Unusable,
): Finding[] {
  // One of these is enough: each says that the confidences are not what they claim.
  const confidences = [
    ...found("saturated", saturated(counts, relabelling)),
    ...found("no probabilities", noProbabilities(counts, measurements)),
    ...found("softmax twice", softmaxTwice(counts, measurements)),
  ];
  return [
    ...found("no prediction", withoutPrediction(unusable, counts.lacking, imagesOf(measurements))),
    ...found("label alone", labelAlone(unusable, counts.lacking, imagesOf(measurements))),
    ...found("not normalised", notNormalised(counts)),
    ...confidences.slice(0, 1),
  ];
}

export function imagesOf({ confusionMatrix }: Measurements): number {
  return confusionMatrix.flat().reduce((sum, count) => sum + count, 0);
}

const NO_PROBABILITIES = "scores that are not finite, not in 0 to 1, or all 0";

function withoutPrediction(unusable: Unusable, lacking: number, images: number): string | null {
  const { unpredicted } = unusable;
  if (unpredicted === 0) return null;
  return (
    `${grouped(unpredicted)} of ${grouped(images + unpredicted)} images have ${NO_PROBABILITIES}: they have no prediction ` +
    `and are in no number of this report but the range of the accuracy. ${causeOf(unusable, lacking)}`
  );
}

/** The prediction is the model's own label, or its largest score. */
function labelAlone(unusable: Unusable, lacking: number, images: number): string | null {
  if (lacking === 0) return null;
  return (
    `${grouped(lacking)} of ${grouped(images)} images have a label and no probabilities, as they have ${NO_PROBABILITIES}: they ` +
    `count in the accuracy, and are left out of all that needs probabilities. ${causeOf(unusable, lacking)}`
  );
}

function causeOf({ unpredicted, zero }: Unusable, lacking: number): string {
  return zero === unpredicted + lacking
    ? "All of their scores are 0: they are probably too small for float32. Export the model with its logits, or their " +
        "log-softmax, as its output."
    : "The model's arithmetic probably overflows on pixels of this size (see --scale), or its weights are damaged.";
}

function notNormalised({ rowSumsOff, images }: ScoreCounts): string | null {
  if (rowSumsOff === 0) return null;
  return (
    `${grouped(rowSumsOff)} of ${grouped(images)} rows of scores do not sum to one: each was divided by its sum for the log loss. ` +
    "The scores are probably not the model's probabilities: log loss, calibration and curves mean little, the " +
    "predicted classes are not affected. Export the model with softmax as its last step, or name the right --output."
  );
}

/** Predictions of confidence 1 claim to be never wrong; those of a sound model are not, but for a wrong label or two. */
function saturated({ images, sure }: ScoreCounts, relabelling: Relabelling | null): string | null {
  const k = Math.sqrt(sure.length);
  const all = sure.reduce((sum, count) => sum + count, 0);
  let right = 0;
  for (let row = 0; row < k; row++) right += sure[row * k + (relabelling?.columns[row] ?? row)]!;
  const wrong = all - right;
  const tolerable = all > NEARLY_ALL_SURE * images ? WRONG_WHERE_ALL_SURE : WRONG_WHERE_SOME_SURE;
  if (wrong < LEAST_MISTAKES || (wilson(wrong, all, LEVEL)?.low ?? 0) <= tolerable) return null;
  return (
    `${grouped(all)} of ${grouped(images)} confidences are 1 to seven digits, and ${grouped(wrong)} of those predictions are ` +
    "wrong: the pixels may be scaled wrongly for this model (see --scale), or many labels may be wrong. The accuracy may be " +
    "right all the same, but log loss, calibration and curves are not."
  );
}

/** Worse than the same probability for every class, though the predictions are good. */
function noProbabilities({ images }: ScoreCounts, { metrics, confusionMatrix }: Measurements): string | null {
  const logLoss = metrics["log_loss"]?.value ?? null;
  const accuracy = metrics["accuracy"]?.value ?? null;
  const chance = Math.log(confusionMatrix.length);
  if (images === 0 || logLoss === null || accuracy === null) return null;
  if (logLoss <= chance || accuracy < GOOD_ACCURACY) return null;
  return (
    `The log loss is ${loss(logLoss)}, above the ${loss(chance)} of the same probability for every class, though ` +
    `${percent(accuracy)} of the predictions are right: the scores are no probabilities of these labels. Another output ` +
    "may be the one to read (see --output), or many labels may be wrong: do not trust log loss, calibration and confidences."
  );
}

/** Share of the most that softmax of probabilities can give from which a row was one of a model that is sure. */
const NEAR_MOST = 0.9;

/** Softmax of probabilities can give no more than e / (e + k − 1), and comes near it for a model that is sure. */
function softmaxTwice(
  { images, largest, softmaxTwice }: ScoreCounts,
  { metrics, confusionMatrix }: Measurements,
): string | null {
  const most = Math.E / (Math.E + confusionMatrix.length - 1);
  const accuracy = metrics["accuracy"]?.value ?? 0;
  if (images === 0 || !softmaxTwice || largest < NEAR_MOST * most || accuracy < most + 0.2) return null;
  return (
    `No confidence is above ${percent(largest)}, though ${percent(accuracy)} of the predictions are right, and every row ` +
    "is softmax of what is itself a distribution: softmax was probably applied twice. Log loss and calibration are not " +
    "the model's own."
  );
}
