import { grouped } from "../grouped.ts";
import { isMoreAccurate, losesLess } from "../metrics/comparison.ts";
import { calibratedLosses, firstOf, resultOf, type TrialResult } from "../metrics/trial.ts";
import { listed, loss, percent } from "../metrics/wording.ts";
import { pinningOptions, wayName, wayText } from "../report/preprocessing.ts";
import type { PixelChoice, Preflight, Scale, TrialSource } from "../types.ts";
import { isAlike, type Decision, type Way } from "./decide.ts";

/** A trial, and what it was made on. */
export interface Tried {
  readonly decision: Decision;
  readonly on: TrialSource;
  /** To be read after a number: `of MNIST's training images`. */
  readonly name: string;
}

/** A choice, and all that it rests on. */
export interface Facts {
  readonly chosen: PixelChoice;
  readonly source: Preflight["source"];
  readonly asked: { readonly scale: Scale | null; readonly invert: boolean | null };
  /** What the scorer itself says, to be read after "Pixels as x/255 (unit), ". */
  readonly how: string | null;
  readonly chosenOn: Tried | null;
  readonly lookedAt: Tried | null;
  /** Whether each image that is tried is asked of a service. */
  readonly service: boolean;
}

/** Ways that a sentence lists. */
const LISTED = 4;
/** Images on which ways that are not told apart may still be far apart. */
const FEW_IMAGES = 1_000;
/** Significance from which on a difference of accuracies speaks for itself. */
const PLAIN = 0.001;
/** Standard errors from which on a log loss is said to be lower. */
const SURELY_LOWER = 5;

/** The choice and its reason, as one sentence without its full stop. */
export function statementOf({ chosen, asked, how, source, chosenOn, lookedAt, service }: Facts): string {
  const said = asked.scale !== null || asked.invert !== null ? ", as asked" : how === null ? "" : `, ${how}`;
  const pixels = `Pixels as ${wayText(chosen)}${said}`;
  if (source === "default") return `${pixels}: there are no labelled images to try other ways on`;
  const answers = [chosenOn, lookedAt]
    .flatMap((tried) => tried?.decision.ways ?? [])
    .reduce((sum, { result }) => sum + result.images, 0);
  const cost =
    service && answers > 0 ? `; it took ${grouped(answers)} answers of the service to find out` : "";
  return `${pixels}${chosenOn === null ? "" : `: ${evidence(chosenOn)}`}${cost}`;
}

function evidence({ decision, name }: Tried): string {
  const { chosen, columns, hopeless } = decision;
  const most = Math.max(...decision.ways.map(({ result }) => result.images));
  if (hopeless) return `no way to feed them is better than chance on ${grouped(most)} ${name}`;
  const matched = columns === null ? "" : "with its classes matched one to one, ";
  const transposed = chosen.choice.transpose
    ? "; rows and columns stand exchanged between these images and those that it was trained on (EMNIST's files hold them so)"
    : "";
  return `${matched}${comparison(decision, name)}${disagreement(decision)}${transposed}`;
}

function comparison({ chosen, ways, open, columns }: Decision, name: string): string {
  const right = `right on ${rightOn(chosen.result, name)}`;
  if (open.length > 0) {
    const rivals = open.map(({ choice, result }) => `${wayName(choice)} (${percent(result.accuracy)})`);
    return `${right}, from which ${listed(rivals, LISTED)} cannot be told`;
  }
  if (makesNoDifference(chosen, ways)) return `their scale makes no difference to this model, ${right}`;
  const next = nextBest(chosen, ways);
  if (next === undefined) return right;
  const { images, figures } = against(chosen, next, columns);
  return `right on ${figures[0]} of ${grouped(images)} ${name}, against ${figures[1]} as ${wayName(next.choice)}${figures[2]}`;
}

/** Both ways' figures on the same images, of which one may have seen fewer; the third only where accuracy does not tell. */
function against(
  first: Way,
  second: Way,
  columns: Decision["columns"],
): { images: number; figures: [string, string, string] } {
  const images = Math.min(first.result.images, second.result.images);
  const trials = [first, second].map(({ trial }) => firstOf(trial, images));
  const [one, other] = trials.map((trial) => resultOf(trial, columns)) as [TrialResult, TrialResult];
  const isPlain = isMoreAccurate(one, other, PLAIN) || isMoreAccurate(other, one, PLAIN);
  const losses = trials.map((trial) => calibratedLosses(trial, columns)).filter((each) => each !== null);
  const [mine, theirs] = losses.map((each) => loss(mean(each)));
  const more =
    isPlain || mine === undefined
      ? ""
      : `, with a log loss of ${mine} against ${theirs} at the best temperature of each`;
  return { images, figures: [percent(one.accuracy), percent(other.accuracy), more] };
}

function makesNoDifference({ choice, ...chosen }: Way, ways: readonly Way[]): boolean {
  const others = ways.filter(
    ({ choice: { scale, invert, transpose } }) =>
      scale !== choice.scale && invert === choice.invert && transpose === choice.transpose,
  );
  return others.length > 0 && others.every((way) => isSameOnFirst(way, { choice, ...chosen }));
}

/** `95.3 % of 300 of MNIST's training images` */
const rightOn = ({ accuracy, images }: TrialResult, name: string): string =>
  `${percent(accuracy)} of ${grouped(images)} ${name}`;

const mean = (numbers: Float64Array): number =>
  numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

/** The way that came nearest: of those that stayed longest, the most accurate one. */
function nextBest(chosen: Way, ways: readonly Way[]): Way | undefined {
  return ways
    .filter((way) => way !== chosen && !isSameOnFirst(way, chosen))
    .toSorted((a, b) => b.result.images - a.result.images || b.result.accuracy - a.result.accuracy)[0];
}

const isSameOnFirst = (way: Way, chosen: Way): boolean =>
  way.result.images === chosen.result.images && isAlike(way, chosen);

/** Where likelihood would choose otherwise than accuracy did. */
function disagreement({ chosen, ways, columns }: Decision): string {
  for (const way of ways) {
    const images = Math.min(way.result.images, chosen.result.images);
    const [other, own] = [way, chosen].map(({ trial }) => resultOf(firstOf(trial, images), columns));
    if (other!.accuracy > own!.accuracy || !losesLess(other!.losses, own!.losses, SURELY_LOWER)) continue;
    const losses = `${loss(other!.logLoss!)} against ${loss(own!.logLoss!)}`;
    return `; ${wayName(way.choice)} has the lower log loss (${losses}), but is right no more often`;
  }
  return "";
}

/** What a reader must know before believing numbers of pixels fed in this way. */
export function warningsOf(facts: Facts): string[] {
  const { chosenOn, lookedAt, chosen, source } = facts;
  const warnings: string[] = [];
  if (chosenOn !== null && chosenOn.decision.hopeless) warnings.push(hopelessWarning(chosenOn));
  else if (chosenOn?.decision.better != null)
    warnings.push(betterWarning(facts, chosenOn, chosenOn.decision.better));
  else if (chosenOn !== null && isTooClose(facts, chosenOn)) warnings.push(closeWarning(chosenOn));
  if (lookedAt?.decision.better != null)
    warnings.push(lookWarning(facts, lookedAt, lookedAt.decision.better));
  if (source === "scored images" && pinningOptions(chosen) !== "") warnings.push(tunedWarning(chosen));
  return warnings;
}

function hopelessWarning({ decision: { ways, chosen }, name }: Tried): string {
  const best = ways[0]!;
  return (
    `No way to feed the pixels is better than chance on ${grouped(best.result.images)} ${name}: the best is right on ` +
    `${percent(best.result.accuracy)} of them (${wayName(best.choice)}). The model looks untrained, or made for other ` +
    `data; its pixels are fed as ${wayText(chosen.choice)}.`
  );
}

/** Whether a way that was not settled may still be far from the right one. */
const isTooClose = ({ asked, how }: Facts, { decision: { chosen, open } }: Tried): boolean =>
  asked.scale === null && how === null && open.length > 0 && chosen.result.images < FEW_IMAGES;

function closeWarning({ decision: { chosen, open }, name }: Tried): string {
  const { images } = chosen.result;
  const ways = [chosen, ...open].map(
    ({ choice, result }) => `${wayName(choice)} (right on ${percent(result.accuracy)})`,
  );
  return (
    `${grouped(images)} ${name} ${images === 1 ? "is" : "are"} too few to tell these ways to feed the pixels apart: ` +
    `${listed(ways, LISTED)}. They are fed as ${wayText(chosen.choice)}: if the model was trained otherwise, name its ` +
    "way with --scale or --invert."
  );
}

/** `on 300 of MNIST's training images unit is right on 90.3 % against 77.0 %` */
function lead({ decision: { chosen, columns }, name }: Tried, better: Way): string {
  const { images, figures } = against(better, chosen, columns);
  return `on ${grouped(images)} ${name} ${wayName(better.choice)} is right on ${figures[0]} against ${figures[1]}${figures[2]}`;
}

/** On images that are not scored, another way is surely better than what was settled. */
function betterWarning({ asked, how, chosen }: Facts, tried: Tried, better: Way): string {
  const options = [
    ...(asked.scale !== null && asked.scale !== better.choice.scale ? [`--scale ${asked.scale}`] : []),
    ...(asked.invert !== null && asked.invert !== better.choice.invert
      ? [asked.invert ? "--invert" : "--no-invert"]
      : []),
  ];
  if (options.length === 0)
    return `Pixels are fed as ${wayText(chosen)}${how === null ? "" : `, ${how}`}, but ${lead(tried, better)}: name the right way with --scale or --invert.`;
  const were = options.length > 1 ? "were" : "was";
  return `${listed(options)} ${were} asked for, but ${lead(tried, better)}: leave ${listed(options)} out, unless the model was trained so.`;
}

/** On the scored images, another way than the chosen one is surely better. */
function lookWarning({ chosen, source, chosenOn }: Facts, tried: Tried, better: Way): string {
  const believed = chosenOn !== null && !chosenOn.decision.hopeless ? chosenOn : null;
  const ground =
    believed !== null
      ? `, which is right on ${rightOn(believed.decision.chosen.result, believed.name)}: these images differ from those ` +
        "that the model was trained on"
      : `${source === "option" ? ", as asked" : ""}: these images differ from those that the model was trained on, or it ` +
        "is fed wrongly";
  const options = pinningOptions(better.choice);
  const advice = better.choice.transpose
    ? "turn these images, if they are stored on their side."
    : `name it with ${options === "" ? "--scale unit" : options}, if the model was trained so or the images are stored so.`;
  return (
    `${capitalised(lead(tried, better))} as ${wayName(chosen)}${ground}. Nothing is chosen on the images that are scored: ` +
    advice
  );
}

const capitalised = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}`;

function tunedWarning(chosen: PixelChoice): string {
  const remedy = chosen.transpose
    ? "Turn the images as those that it was trained on"
    : `Name how it was trained, as with ${pinningOptions(chosen)}`;
  return (
    `Pixels are fed as ${wayText(chosen)} because that suits the scored images themselves best, so that the numbers ` +
    `flatter the model. ${remedy}: without that, no gate can be told.`
  );
}
