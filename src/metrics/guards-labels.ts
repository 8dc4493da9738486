import type { Measurements } from "../types.ts";
import { found, imagesOf, type Finding, type ScoreCounts } from "./guards-scores.ts";
import { wilson } from "../statistics/wilson.ts";
import type { Relabelling } from "./relabelling.ts";
import { grouped } from "../grouped.ts";
import { listed, percent } from "./wording.ts";

/** Images below which a few classes may well be missed by chance. */
const ENOUGH_IMAGES = 100;
/** Images of a class that a sound model does not all miss. */
const ENOUGH_OF_CLASS = 10;
/** Share of the way from chance to perfect recall that a model at chance stays below. */
const CHANCE_SKILL = 0.1;
/** Probabilities that differ by no more are the same. */
const SAME_PROBABILITY = 1e-6;
/** Classes that are listed by name. */
const LISTED = 10;

/** Which classes are predicted. One finding silences those that only follow from it. */
export function labelFindings(
  counts: ScoreCounts,
  measurements: Measurements,
  classes: readonly string[],
  relabelling: Relabelling | null,
): Finding[] {
  const absent = found("class without images", withoutImages(measurements));
  if (relabelling !== null) {
    return [...found("other order", otherOrder(relabelling, imagesOf(measurements), classes)), ...absent];
  }
  // On images of one class alone nothing tells a perfect model from one that always says the same.
  const others = otherImages(measurements);
  if (others < ENOUGH_OF_CLASS) return absent;
  const collapsed = [
    ...found("all alike", identical(counts)),
    ...found("one class", constant(measurements, classes)),
  ];
  if (collapsed.length > 0) return [...collapsed.slice(0, 1), ...absent];
  return [
    ...found("at chance", atChance(measurements)),
    ...found("never predicted", neverPredicted(measurements)),
    ...absent,
  ];
}

/** Images of other classes than the commonest. */
function otherImages({ perClass }: Measurements): number {
  const supports = perClass.map(({ support }) => support);
  return supports.reduce((sum, support) => sum + support, 0) - Math.max(...supports);
}

function identical({ images, lowest, highest }: ScoreCounts): string | null {
  if (images < 2 || highest.some((high, c) => high - lowest[c]! > SAME_PROBABILITY)) return null;
  return (
    `All ${grouped(images)} images have the same probabilities: the model does not see the pixels. It is probably ` +
    "untrained, or its pixels are scaled so that nothing is left of them (see --scale)."
  );
}

function constant({ perClass }: Measurements, classes: readonly string[]): string | null {
  const [only, ...others] = classes.filter((_, c) => perClass[c]!.predicted > 0);
  if (only === undefined || others.length > 0) return null;
  const images = perClass.reduce((sum, { support }) => sum + support, 0);
  return (
    `All ${grouped(images)} images are predicted to be ${only}: the model is probably untrained, or its pixels are ` +
    "scaled or inverted wrongly (see --scale and --invert)."
  );
}

function otherOrder(
  { columns, moved, correct, matched }: Relabelling,
  images: number,
  classes: readonly string[],
): string {
  const order = classes.map((_, column) => classes[columns.indexOf(column)]!);
  const whole = classes.length <= 2 * LISTED && order.every((name) => !name.includes(","));
  const pairs = moved.map((row) => `${classes[columns[row]!]} means ${classes[row]}`);
  const meaning = whole
    ? `its outputs seem to stand in the order ${order.join(",")}`
    : `of its outputs, ${listed(pairs, LISTED)}`;
  return (
    `The accuracy would be ${percent(matched / images, 2)} instead of ${percent(correct / images, 2)} if the model's ` +
    `classes stood in another order: ${meaning}. Export the model with the classes in the data set's order.`
  );
}

/** No better than always the commonest class, nor than guessing if all classes were as common. */
function atChance({ perClass, metrics }: Measurements): string | null {
  const supports = perClass.map(({ support }) => support);
  const images = supports.reduce((sum, support) => sum + support, 0);
  const present = supports.filter((support) => support > 0).length;
  if (images < ENOUGH_IMAGES || present < 2) return null;
  const accuracy = metrics["accuracy"]?.value ?? 0;
  const balanced = metrics["balanced_accuracy"]?.value ?? 0;
  const commonest = Math.max(...supports) / images;
  const low = wilson(Math.round(accuracy * images), images)?.low ?? 0;
  if (low > commonest || (balanced - 1 / present) / (1 - 1 / present) > CHANCE_SKILL) return null;
  return (
    `The accuracy of ${percent(accuracy, 2)} is no better than chance: always answering the commonest class gives ` +
    `${percent(commonest, 2)}. The model is untrained or made for other data, its pixels are fed in a way that it was ` +
    "not trained with (see --scale, --invert and --layout), or the labels are not those of these images."
  );
}

function neverPredicted({ perClass }: Measurements): string | null {
  const missing = perClass.filter(({ support, predicted }) => predicted === 0 && support >= ENOUGH_OF_CLASS);
  if (missing.length === 0) return null;
  const names = missing.map(({ class: name, support }) => `${name} (${grouped(support)} images)`);
  const [are, classes, them, name] =
    missing.length === 1
      ? ["is", "that class", "it", "another name"]
      : ["are", "those classes", "them", "other names"];
  return (
    `${listed(names, LISTED)} ${are} never predicted: the model was trained without ${classes}, has hardly learned ` +
    `${them}, or knows ${them} under ${name}.`
  );
}

/** Averages over the classes, as scikit-learn's, count a class that is only predicted as 0. */
function withoutImages({ perClass, metrics }: Measurements): string | null {
  const absent = perClass.filter(({ support, predicted }) => support === 0 && predicted > 0);
  const f1 = metrics["f1_macro"]?.value ?? null;
  const counted = perClass.filter(({ support, predicted }) => support + predicted > 0).length;
  if (absent.length === 0 || f1 === null || counted === absent.length) return null;
  const names = absent.map(({ class: name, predicted }) => `${name} (${grouped(predicted)} predicted)`);
  const without = (f1 * counted) / (counted - absent.length);
  return (
    `There are no images of ${listed(names, LISTED)}: with precision, recall and F1 of 0 ${absent.length === 1 ? "it lowers" : "they lower"} ` +
    `their averages over the classes. F1, macro, is ${percent(f1, 2)}, and ${percent(without, 2)} without.`
  );
}
