import { assignment } from "../metrics/assignment.ts";
import { CONVINCING, isSame, whyBetter, type Certainty } from "../metrics/comparison.ts";
import { confusionOf, resultOf, type Trial, type TrialResult } from "../metrics/trial.ts";
import type { PixelChoice, Preflight, Scale } from "../types.ts";

/** What the command line fixed; null where free. */
export interface Wanted {
  readonly scale: Scale | null;
  readonly invert: boolean | null;
}

/** One way to feed the pixels, and what it gave. */
export interface Way {
  readonly choice: PixelChoice;
  readonly result: TrialResult;
}

/** What the trials come to. */
export interface Decision {
  readonly chosen: Way;
  readonly verdict: Preflight["verdict"];
  /** All that were tried, best first. */
  readonly ways: readonly Way[];
  /** Those that may be chosen and cannot be told from the best one, which is the first. */
  readonly undecided: readonly Way[];
  /** Which predicted class stands for each true one; null: those of the same number. */
  readonly columns: readonly number[] | null;
  /** No way is better than chance. */
  readonly hopeless: boolean;
}

/** What suffices to stay with x/255, the commonest way; leaving it takes `CONVINCING`. */
export const CONVINCING_TO_STAY: Certainty = { standardErrors: 2, significance: 0.0455 };
/** Classes are matched one to one where that lifts the accuracy of the best way from below this by as much as that. */
const POOR_ACCURACY = 0.6;
const MATCHED_LIFT = 0.3;
const MATCHED_ACCURACY = 0.5;
/** Standard errors above 1/k from which on an accuracy is no chance; one of many ways is the best. */
const CHANCE_ERRORS = 4;
/** Images below which any accuracy may be chance, and none is called so. */
const LEAST_IMAGES = 30;

export function isWanted({ scale, invert }: PixelChoice, wanted: Wanted): boolean {
  return (
    (wanted.scale === null || scale === wanted.scale) && (wanted.invert === null || invert === wanted.invert)
  );
}

/** Whether a way is of another scale or polarity and makes a difference: what a choice is compared with. */
export function isRunnerUp({ choice, result }: Way, best: Way): boolean {
  const { scale, invert, transpose } = best.choice;
  const differs = choice.scale !== scale || choice.invert !== invert;
  return differs && choice.transpose === transpose && !isSame(result, best.result);
}

/** What the trials so far come to. @param classes k */
export function decide(trials: ReadonlyMap<PixelChoice, Trial>, classes: number, wanted: Wanted): Decision {
  const columns = matchedColumns([...trials.values()], classes);
  const ways = ranked(
    [...trials].map(([choice, trial]) => ({ choice, result: resultOf(trial, classes, columns) })),
  );
  const present = Math.max(...[...trials.values()].map(({ truth }) => new Set(truth).size));
  const hopeless = ways.every(({ result }) => isChance(result, Math.max(present, 2)));
  const choice = chooseAmong(ways, wanted, hopeless);
  return { ...choice, ways: chosenBeforeSame(ways, choice.chosen), columns, hopeless };
}

/**
 * Where every way is poor but one of them tells the classes apart by other names, ways are compared under that way's
 * names: otherwise the one that is least sure of its wrong classes would win.
 */
function matchedColumns(trials: readonly Trial[], classes: number): number[] | null {
  const best = Math.max(...trials.map((trial) => resultOf(trial, classes, null).accuracy));
  if (best >= POOR_ACCURACY) return null;
  let bestMatched = Math.max(MATCHED_ACCURACY, best + MATCHED_LIFT);
  let columns: number[] | null = null;
  for (const trial of trials) {
    const matching = assignment(confusionOf(trial, classes));
    const { accuracy } = resultOf(trial, classes, matching);
    if (accuracy > bestMatched) [bestMatched, columns] = [accuracy, matching];
  }
  return columns;
}

function isChance({ accuracy, images }: TrialResult, classes: number): boolean {
  const chance = 1 / classes;
  if (images < LEAST_IMAGES) return false;
  return accuracy <= chance + CHANCE_ERRORS * Math.sqrt((chance * (1 - chance)) / images);
}

/** Best first: by how many others each surely beats less those that beat it, then by loss, accuracy and given order. */
function ranked(ways: readonly Way[]): Way[] {
  const scored = ways.map((way) => ({ way, wins: 0 }));
  for (const [at, one] of scored.entries()) {
    for (const other of scored.slice(at + 1)) {
      const lead = beats(one.way, other.way) ? 1 : beats(other.way, one.way) ? -1 : 0;
      one.wins += lead;
      other.wins -= lead;
    }
  }
  scored.sort(
    (a, b) =>
      b.wins - a.wins ||
      (a.way.result.logLoss ?? 0) - (b.way.result.logLoss ?? 0) ||
      b.way.result.accuracy - a.way.result.accuracy,
  );
  return scored.map(({ way }) => way);
}

function beats(way: Way, other: Way, certainty = CONVINCING): boolean {
  return whyBetter(way.result, other.result, certainty) !== null;
}

const isPlainUnit = ({ choice }: Way): boolean =>
  choice.scale === "unit" && !choice.invert && !choice.transpose;

/** @param ways best first */
function chooseAmong(
  ways: readonly Way[],
  wanted: Wanted,
  hopeless: boolean,
): Pick<Decision, "chosen" | "verdict" | "undecided"> {
  const open = ways.filter((way) => isWanted(way.choice, wanted) && !isIdleTransposing(way, ways));
  if (hopeless) return { chosen: preferred(open), verdict: "close", undecided: open };
  const undecided = undecidedOf(simplest(open[0]!, open), open);
  const chosen = preferred(undecided);
  const allRivals = rivalsOf(chosen, ways);
  const scales = ways.filter(({ choice: { scale, invert, transpose } }) => {
    const { choice } = chosen;
    return scale !== choice.scale && invert === choice.invert && transpose === choice.transpose;
  });
  const noDifference = scales.length > 0 && scales.every(({ result }) => isSame(result, chosen.result));
  const verdict = allRivals.length > 0 ? "close" : noDifference ? "same" : "clear";
  return { chosen, verdict, undecided };
}

/** Among ways that are all wrong, because the right one is not wanted, transposing may look better by chance. */
function isIdleTransposing(way: Way, ways: readonly Way[]): boolean {
  return way.choice.transpose && ways.some((other) => !other.choice.transpose && beats(other, way));
}

/** A way and those that cannot be told from it. */
function undecidedOf(best: Way, ways: readonly Way[]): Way[] {
  const rivals = rivalsOf(best, ways);
  const upright = best.choice.transpose ? rivals.find(({ choice }) => !choice.transpose) : undefined;
  return upright === undefined ? [best, ...rivals] : undecidedOf(upright, ways);
}

/** The chosen way stands before others that are the same to the model. */
function chosenBeforeSame(ways: readonly Way[], chosen: Way): readonly Way[] {
  const first = ways.findIndex(({ result }) => isSame(result, chosen.result));
  return [...ways.slice(0, first), chosen, ...ways.slice(first).filter((way) => way !== chosen)];
}

/** Those that differ from a way and are not surely worse. Transposing takes evidence, leaving it out takes none. */
function rivalsOf(way: Way, ways: readonly Way[]): Way[] {
  const certainty = isPlainUnit(way) ? CONVINCING_TO_STAY : CONVINCING;
  return ways.filter(
    (other) =>
      other !== way &&
      (way.choice.transpose || !other.choice.transpose) &&
      !isSame(way.result, other.result) &&
      (!beats(way, other, certainty) || beats(other, way)),
  );
}

/** Of all ways that are the same to the model, the one that changes the pixels least, if possible x/255. */
function simplest(way: Way, ways: readonly Way[]): Way {
  const same = ways.filter(({ result }) => isSame(way.result, result));
  const least = leastEffort(same.map(({ choice }) => choice));
  return same.find(({ choice }) => choice === least) ?? way;
}

/** The first of those that change the pixels least, if possible x/255. */
export function leastEffort(choices: readonly PixelChoice[]): PixelChoice | null {
  return choices.toSorted((a, b) => effort(a) - effort(b))[0] ?? null;
}

function effort({ scale, invert, transpose }: PixelChoice): number {
  return (transpose ? 4 : 0) + (invert ? 2 : 0) + (scale === "unit" ? 0 : 1);
}

/** x/255 if it is among them, else the best one that is not transposed, else the best. */
function preferred(ways: readonly Way[]): Way {
  return ways.find(isPlainUnit) ?? ways.find(({ choice }) => !choice.transpose) ?? ways[0]!;
}
