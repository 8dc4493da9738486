import { whyBetter, type Reason } from "../metrics/comparison.ts";
import { grouped } from "../grouped.ts";
import { listed, loss, percent } from "../metrics/wording.ts";
import { wayName, wayText } from "../report/preprocessing.ts";
import { CONVINCING_TO_STAY, isRunnerUp, isWanted, type Decision, type Wanted, type Way } from "./decide.ts";
import type { PixelChoice } from "../types.ts";

/** Ways that a warning lists. */
const LISTED = 4;
/** Images on which even ways that are far apart may not be told from each other. */
const FEW_IMAGES = 30;

const images = (count: number): string => `${grouped(count)} labelled ${count === 1 ? "image" : "images"}`;

/** What is said where there is nothing to try a choice on. */
export function untriedStatement(chosen: PixelChoice): string {
  return `Pixels as ${wayText(chosen)}: there are no labelled images to try other ways on`;
}

/** The choice and its reason, as one sentence without its full stop. */
export function statementOf(decision: Decision, wanted: Wanted): string {
  const { chosen, columns, hopeless } = decision;
  const asked = wanted.scale === null && wanted.invert === null ? "" : ", as asked";
  const pixels = `Pixels as ${wayText(chosen.choice)}${asked}`;
  if (hopeless) {
    return `${pixels}: no way to feed them is better than chance on ${images(chosen.result.images)}`;
  }
  const matched = columns === null ? "" : "with its classes matched one to one, ";
  const transposed = chosen.choice.transpose
    ? "; rows and columns stand exchanged between these images and those that it was trained on (EMNIST's files hold them so)"
    : "";
  return `${pixels}: ${matched}${evidence(decision)}${transposed}`;
}

function evidence({ chosen, verdict, ways }: Decision): string {
  const next = nextBest(chosen, ways);
  const on = `on ${images(chosen.result.images)}`;
  if (verdict === "same") return `their scale makes no difference to this model, ${figure(chosen)} ${on}`;
  if (next === undefined) return `${figure(chosen)} ${on}`;
  const own = whyBetter(chosen.result, next.result);
  const others = whyBetter(next.result, chosen.result);
  const name = wayName(next.choice);
  const [sure, alsoSure] = [chosen, next].map(({ result }) => percent(result.saturated ?? 0));
  if (own === "saturation") {
    return `${figure(chosen)} ${on}, while ${name} makes ${alsoSure} of the confidences 1 to seven digits`;
  }
  if (others === "saturation") {
    return `${figure(chosen)} ${on}, with ${sure} of the confidences 1 to seven digits, against ${alsoSure} with ${name}`;
  }
  const reason = own ?? whyBetter(chosen.result, next.result, CONVINCING_TO_STAY);
  const [measure, first, second] =
    others === null ? figures(chosen, next, reason) : figures(next, chosen, others);
  const [mine, theirs] = others === null ? [first, second] : [second, first];
  const against = verdict === "close" ? `with ${name}` : `for the next best (${name})`;
  return `${measure} ${mine} ${on}, against ${theirs} ${against}`;
}

/** The best way of another scale or polarity. */
function nextBest(chosen: Way, ways: readonly Way[]): Way | undefined {
  return ways.find((way) => isRunnerUp(way, chosen));
}

function figure({ result }: Way): string {
  return result.logLoss === null
    ? `accuracy ${percent(result.accuracy)}`
    : `log loss ${loss(result.logLoss)}`;
}

/** The measure that tells two ways apart, and both in it: `log loss`, `0.35` and `2.81`. */
function figures(way: Way, other: Way, reason: Reason | null): [string, string, string] {
  const [own, others] = [way.result, other.result];
  if (
    own.logLoss === null ||
    others.logLoss === null ||
    (reason === "accuracy" && own.logLoss >= others.logLoss)
  ) {
    return ["accuracy", percent(own.accuracy), percent(others.accuracy)];
  }
  return ["log loss", loss(own.logLoss), loss(others.logLoss)];
}

/** What a reader must know before believing numbers of pixels fed in this way. */
export function warningsOf(decision: Decision, wanted: Wanted): string[] {
  if (decision.hopeless) return [hopelessWarning(decision)];
  const better = betterWarning(decision, wanted);
  if (better !== null) return [better];
  return decision.undecided.length > 1 ? [closeWarning(decision)] : [];
}

function hopelessWarning({ chosen, ways }: Decision): string {
  const most = Math.max(...ways.map(({ result }) => result.images));
  const best = ways
    .filter(({ result }) => result.images === most)
    .reduce((best, way) => (way.result.accuracy > best.result.accuracy ? way : best));
  return (
    `No way to feed the pixels is better than chance on ${images(best.result.images)}: the best is right on ` +
    `${percent(best.result.accuracy)} of them (${wayName(best.choice)}). The model looks untrained, or made for other ` +
    `data; its pixels are fed as ${wayText(chosen.choice)}.`
  );
}

function closeWarning({ chosen, undecided }: Decision): string {
  const table = undecided.map(({ choice, result }) => {
    const logLoss = result.logLoss === null ? "" : `, log loss ${loss(result.logLoss)}`;
    return `${wayName(choice)} (accuracy ${percent(result.accuracy)}${logLoss})`;
  });
  const tried = chosen.result.images;
  const doubt =
    tried < FEW_IMAGES
      ? `${images(tried)} ${tried === 1 ? "is" : "are"} too few to tell these ways to feed the pixels apart`
      : `These ways to feed the pixels are too close to tell apart on ${images(tried)}`;
  return (
    `${doubt}: ${listed(table, LISTED)}. They are fed as ${wayText(chosen.choice)}: if the model was trained otherwise, ` +
    "name its way with --scale or --invert."
  );
}

/** Where the command line fixed something, and another way is surely better. */
function betterWarning({ chosen, ways }: Decision, wanted: Wanted): string | null {
  const better = ways.find(
    (way) => !isWanted(way.choice, wanted) && whyBetter(way.result, chosen.result) !== null,
  );
  if (better === undefined) return null;
  const options = wantedOptions(wanted, better.choice);
  const advice = `leave ${listed(options)} out, unless the model was trained so.`;
  return `${listed(options)} ${options.length > 1 ? "were" : "was"} asked for, but ${shortfall(better, chosen)}: ${advice}`;
}

/** What was asked for and the better way does not do. */
function wantedOptions({ scale, invert }: Wanted, better: PixelChoice): string[] {
  return [
    ...(scale !== null && scale !== better.scale ? [`--scale ${scale}`] : []),
    ...(invert !== null && invert !== better.invert ? [invert ? "--invert" : "--no-invert"] : []),
  ];
}

function shortfall(better: Way, chosen: Way): string {
  const reason = whyBetter(better.result, chosen.result);
  const on = `on ${images(Math.min(better.result.images, chosen.result.images))}`;
  const name = wayName(better.choice);
  if (reason === "saturation") {
    const shares = [chosen, better].map(({ result }) => percent(result.saturated ?? 0));
    return `${on} it makes ${shares[0]} of the confidences 1 to seven digits, and ${name} ${shares[1]} at about the same accuracy`;
  }
  if (reason === "accuracy") {
    return `${on} ${name} is right on ${percent(better.result.accuracy)} against ${percent(chosen.result.accuracy)}`;
  }
  const [measure, own, other] = figures(better, chosen, reason);
  return `${on} ${name} has ${measure} ${own} against ${other}`;
}
