import { assignment } from "../metrics/assignment.ts";
import { isMoreAccurate, isSame, losesLess } from "../metrics/comparison.ts";
import { calibratedLosses, confusionOf, resultOf, type Trial, type TrialResult } from "../metrics/trial.ts";
import type { PixelChoice, Scale } from "../types.ts";

/** What is settled before any trial; null where free. */
export interface Settled {
  readonly scale: Scale | null;
  readonly invert: boolean | null;
  readonly transpose: boolean | null;
}

/** One way to feed the pixels, and what it gave. */
export interface Way {
  readonly choice: PixelChoice;
  readonly trial: Trial;
  readonly result: TrialResult;
}

/** What the trials come to. */
export interface Decision {
  readonly chosen: Way;
  /** All that were tried, best first. */
  readonly ways: readonly Way[];
  /** Others that are neither surely better nor surely worse, and that more images may show to be better. */
  readonly open: readonly Way[];
  /** One that may not be chosen and is surely better; null: none. */
  readonly better: Way | null;
  /** Which predicted class stands for each true one; null: those of the same number. */
  readonly columns: readonly number[] | null;
  /** No way is better than chance. */
  readonly hopeless: boolean;
}

/** Probability that a way which is no better than another is ever taken for better, over all ways that are compared. */
const SIGNIFICANCE = 0.001;
/** Images from which on log losses decide where accuracies do not, and by how many standard errors. */
const LIKELIHOOD_IMAGES = 1_000;
const LIKELIHOOD_ERRORS = 5;
/** Images from which on a way that is behind is not tried on more of them. */
const FUTILE_IMAGES = 300;
/** Classes are matched one to one where that lifts the accuracy of the best way from below this by as much as that. */
const POOR_ACCURACY = 0.6;
const MATCHED_LIFT = 0.3;
const MATCHED_ACCURACY = 0.5;
/** Standard errors above 1/k from which on an accuracy is no chance; one of many ways is the best. */
const CHANCE_ERRORS = 4;
/** Images below which any accuracy may be chance, and none is called so. */
const LEAST_IMAGES = 30;

export function isAllowed({ scale, invert, transpose }: PixelChoice, settled: Settled): boolean {
  return (
    (settled.scale === null || scale === settled.scale) &&
    (settled.invert === null || invert === settled.invert) &&
    (settled.transpose === null || transpose === settled.transpose)
  );
}

/**
 * What the trials so far come to. The ways of the most images are compared; all others were surely worse before.
 *
 * @param settled leaves at least one of those ways
 */
export function decide(trials: ReadonlyMap<PixelChoice, Trial>, settled: Settled): Decision {
  const columns = matchedColumns([...trials.values()]);
  const ways = Array.from(trials, ([choice, trial]) => ({
    choice,
    trial,
    result: resultOf(trial, columns),
  }));
  const most = Math.max(...ways.map(({ result }) => result.images));
  const compared = ways.filter(({ result }) => result.images === most);
  const comparison = new Comparison(SIGNIFICANCE / Math.max(1, ways.length - 1), columns);
  const hopeless = isHopeless(ways);
  // Where all is chance, so is what is best.
  const chosen = hopeless
    ? simplestOf(ways.filter(({ choice }) => isAllowed(choice, settled)))
    : comparison.best(compared.filter(({ choice }) => isAllowed(choice, settled)));
  const rivals = compared.filter((way) => !isAlike(way, chosen) && !comparison.isBetter(chosen, way));
  const better = rivals
    .filter((way) => !isAllowed(way.choice, settled) && comparison.isBetter(way, chosen))
    .toSorted(byAccuracy);
  return {
    chosen,
    ways: ways.toSorted((a, b) => Number(b === chosen) - Number(a === chosen)).toSorted(byAccuracy),
    open: rivals.filter((way) => !better.includes(way) && !comparison.isBehind(way, chosen)),
    better: better[0] ?? null,
    columns,
    hopeless,
  };
}

/** Whether it makes no difference which of two ways is taken; equal labels on a few images do not say so. */
export function isAlike(first: Way, second: Way): boolean {
  const enough = first.result.losses !== null || first.result.images >= LIKELIHOOD_IMAGES;
  return first === second || (enough && isSame(first.result, second.result));
}

const byAccuracy = (a: Way, b: Way): number => b.result.accuracy - a.result.accuracy;

/** Compares ways that were tried on the same images. */
class Comparison {
  readonly #significance: number;
  readonly #calibrated: (way: Way) => Float64Array | null;

  constructor(significance: number, columns: readonly number[] | null) {
    this.#significance = significance;
    const known = new Map<Way, Float64Array | null>();
    this.#calibrated = (way) => {
      if (!known.has(way)) known.set(way, calibratedLosses(way.trial, columns));
      return known.get(way)!;
    };
  }

  /**
   * Whether the first way is surely better: right on more images; or, where that cannot be told, on no fewer and with a
   * lower log loss, each at its own temperature, since being less sure alone lowers that of a way that is often wrong.
   */
  isBetter(first: Way, second: Way): boolean {
    const [one, other] = [first.result, second.result];
    if (isMoreAccurate(one, other, this.#significance)) return true;
    if (one.images < LIKELIHOOD_IMAGES || one.accuracy < other.accuracy) return false;
    return losesLess(this.#calibrated(first), this.#calibrated(second), LIKELIHOOD_ERRORS);
  }

  /** Whether the first way is right on no more of some hundred images, and has no lower log loss either. */
  isBehind(first: Way, second: Way): boolean {
    const [one, other] = [first.result, second.result];
    const enough = one.losses === null ? LIKELIHOOD_IMAGES : FUTILE_IMAGES;
    if (one.images < enough || one.accuracy > other.accuracy) return false;
    return !losesLess(this.#calibrated(first), this.#calibrated(second), 0);
  }

  /** The way that changes the pixels least, unless another is surely better, from which it goes on so. */
  best(ways: readonly Way[]): Way {
    let best = simplestOf(ways);
    for (;;) {
      // Each is right on more images than the one before, or on as many with less loss: there is an end.
      const [next] = ways.filter((way) => this.isBetter(way, best)).toSorted(byAccuracy);
      if (next === undefined) return best;
      best = next;
    }
  }
}

/**
 * Where every way is poor but one of them tells the classes apart by other names, ways are compared under that way's
 * names.
 */
function matchedColumns(trials: readonly Trial[]): number[] | null {
  const best = Math.max(...trials.map((trial) => resultOf(trial, null).accuracy));
  if (best >= POOR_ACCURACY) return null;
  let bestMatched = Math.max(MATCHED_ACCURACY, best + MATCHED_LIFT);
  let columns: number[] | null = null;
  for (const trial of trials) {
    const matching = assignment(confusionOf(trial));
    const { accuracy } = resultOf(trial, matching);
    if (accuracy > bestMatched) [bestMatched, columns] = [accuracy, matching];
  }
  return columns;
}

function isHopeless(ways: readonly Way[]): boolean {
  const present = Math.max(2, ...ways.map(({ trial }) => new Set(trial.truth).size));
  const chance = 1 / present;
  return ways.every(({ result: { accuracy, images } }) => {
    const error = Math.sqrt((chance * (1 - chance)) / images);
    return images >= LEAST_IMAGES && accuracy <= chance + CHANCE_ERRORS * error;
  });
}

/** The first of those that change the pixels least, if possible x/255. */
function simplestOf(ways: readonly Way[]): Way {
  return ways.toSorted((a, b) => effort(a.choice) - effort(b.choice))[0]!;
}

/** Less for what changes the pixels less; least for x/255. */
export function effort({ scale, invert, transpose }: PixelChoice): number {
  return (transpose ? 4 : 0) + (invert ? 2 : 0) + (scale === "unit" ? 0 : 1);
}
