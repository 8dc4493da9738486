import { joinTrials, resultOf, trialOf, type Trial } from "./metrics/trial.ts";
import {
  decide,
  isRunnerUp,
  isWanted,
  leastEffort,
  type Decision,
  type Wanted,
  type Way,
} from "./preflight/decide.ts";
import { statementOf, untriedStatement, warningsOf } from "./preflight/wording.ts";
import type { Batch, PixelChoice, Preflight, Scores } from "./types.ts";

export { takeProbe, type Probe, type ProbeOptions } from "./preflight/probe.ts";

export interface PreflightOptions {
  /** A few hundred labelled images, balanced over the classes from the first on. */
  readonly probe: Batch;
  /** k */
  readonly classes: number;
  /** Every plausible way to feed the pixels. */
  readonly choices: readonly PixelChoice[];
  readonly wanted: Wanted;
  readonly score: (choice: PixelChoice, batch: Batch) => Promise<Scores>;
}

export interface PreflightOutcome {
  readonly preflight: Preflight;
  readonly warnings: string[];
}

/** Images of the first round, in which every way is tried: at least this many, and so many a class. */
const FIRST_ROUND = 60;
const FIRST_ROUND_PER_CLASS = 4;
/** Below this accuracy of the best way, all are tried on transposed images too, otherwise only the best two. */
const GOOD_ACCURACY = 0.8;
/** Where no way is better than chance on the first images, so many are looked at again. */
const HOPELESS_FINALISTS = 3;

/**
 * Finds out how a model wants its pixels: by scoring labelled images in every plausible way, and comparing image by
 * image what each way cost. All ways are tried on the first few images, and those that matter for the decision on the
 * rest (successive halving). Depends on nothing but its arguments: no time is measured.
 *
 * @throws RangeError where `wanted` leaves no choice; whatever `score` throws
 */
export async function preflight(options: PreflightOptions): Promise<PreflightOutcome> {
  const { probe, classes, choices, wanted } = options;
  const images = probe.labels.length;
  const upright = untransposed(choices);
  const simplest = leastEffort(upright.filter((choice) => isWanted(choice, wanted)));
  if (simplest === null) throw new RangeError("none of the choices is as the command line wants it");
  if (images === 0) return untried(simplest, wanted);

  const trials = new Trials(options);
  const firstRound = Math.min(images, Math.max(FIRST_ROUND, FIRST_ROUND_PER_CLASS * classes));
  await trials.run(upright, firstRound);
  await trials.run(worthTransposing(trials.decide(), choices, wanted), firstRound);
  await trials.run(finalists(trials.decide()), images);
  const decision = trials.decide();
  return {
    preflight: {
      chosen: decision.chosen.choice,
      automatic: wanted.scale === null,
      verdict: decision.verdict,
      statement: statementOf(decision, wanted),
      candidates: trials.candidates(decision.ways),
    },
    warnings: warningsOf(decision, wanted),
  };
}

/** Without labelled images nothing can be tried. */
function untried(chosen: PixelChoice, wanted: Wanted): PreflightOutcome {
  return {
    preflight: {
      chosen,
      automatic: wanted.scale === null,
      verdict: "close",
      statement: untriedStatement(chosen),
      candidates: [],
    },
    warnings: [],
  };
}

/** Choices that are all transposed are taken as they are. */
function untransposed(choices: readonly PixelChoice[]): readonly PixelChoice[] {
  const upright = choices.filter(({ transpose }) => !transpose);
  return upright.length > 0 ? upright : choices;
}

function worthTransposing(
  { ways, chosen }: Decision,
  choices: readonly PixelChoice[],
  wanted: Wanted,
): PixelChoice[] {
  const best = Math.max(...ways.map(({ result }) => result.accuracy));
  const bestTwo = [...ways.slice(0, 2), chosen];
  return choices.filter(
    (choice) =>
      choice.transpose &&
      ((best < GOOD_ACCURACY && isWanted(choice, wanted)) ||
        bestTwo.some(({ choice: { scale, invert } }) => choice.scale === scale && choice.invert === invert)),
  );
}

/** Those that may yet be chosen, the best one of all, and the best one of another scale or polarity to compare with. */
function finalists({ ways, chosen, undecided, hopeless }: Decision): PixelChoice[] {
  const best = ways[0]!;
  const runnerUp = ways.find((way) => isRunnerUp(way, best));
  const byAccuracy = ways.toSorted((a, b) => b.result.accuracy - a.result.accuracy);
  const open = hopeless ? byAccuracy.slice(0, HOPELESS_FINALISTS) : [...undecided, best];
  const all = [chosen, ...open, ...(runnerUp === undefined ? [] : [runnerUp])];
  return [...new Set(all.map(({ choice }) => choice))];
}

/** The ways that were tried so far, and on how many images. */
class Trials {
  readonly #options: PreflightOptions;
  readonly #trials = new Map<PixelChoice, Trial>();

  constructor(options: PreflightOptions) {
    this.#options = options;
  }

  /** Tries each of the choices on the images up to `images` on which it was not tried yet. */
  async run(choices: readonly PixelChoice[], images: number): Promise<void> {
    const { probe, classes, score } = this.#options;
    // At once, for a service that is far away.
    const trials = await Promise.all(
      choices.map(async (choice) => {
        const before = this.#trials.get(choice);
        const start = before?.truth.length ?? 0;
        if (start >= images) return null;
        const part = partOf(probe, start, images);
        const trial = trialOf(await score(choice, part), part.labels, classes);
        return before === undefined ? trial : joinTrials(before, trial);
      }),
    );
    trials.forEach((trial, i) => {
      if (trial !== null) this.#trials.set(choices[i]!, trial);
    });
  }

  decide(): Decision {
    const { classes, wanted } = this.#options;
    return decide(this.#trials, classes, wanted);
  }

  candidates(ways: readonly Way[]): Preflight["candidates"] {
    return ways.map(({ choice }) => {
      // As a run in this way would count: without matching classes.
      const result = resultOf(this.#trials.get(choice)!, this.#options.classes, null);
      const { accuracy, logLoss, saturated, images } = result;
      return { ...choice, accuracy, log_loss: logLoss, saturated, images };
    });
  }
}

function partOf({ indices, labels, pixels }: Batch, start: number, end: number): Batch {
  const width = pixels.length / labels.length;
  return {
    indices: indices.subarray(start, end),
    labels: labels.subarray(start, end),
    pixels: pixels.subarray(start * width, end * width),
  };
}
