import { resultOf } from "./metrics/trial.ts";
import { effort, isAllowed, type Decision, type Settled } from "./preflight/decide.ts";
import { tryWays, type TrialLimit } from "./preflight/try-ways.ts";
import { statementOf, warningsOf, type Facts, type Tried } from "./preflight/wording.ts";
import type {
  Batch,
  PixelChoice,
  Preflight,
  PreflightCandidate,
  Scale,
  Scores,
  TrialSource,
} from "./types.ts";

export type { TrialLimit } from "./preflight/try-ways.ts";

/** Labelled images that a scorer may be tried on. */
export interface TrialImages {
  /** To be read after a number: `of MNIST's training images`. */
  readonly name: string;
  /** Of another data set: believed only where the scorer reads them well. */
  readonly foreign: boolean;
  /** Balanced over the classes from the first on. Null where there are none after all. */
  readonly load: () => Promise<Batch | null>;
}

export interface PreflightOptions {
  /** k */
  readonly classes: number;
  /** Every plausible way to feed the pixels. */
  readonly choices: readonly PixelChoice[];
  /** What the command line says; null where it leaves that open. */
  readonly asked: { readonly scale: Scale | null; readonly invert: boolean | null };
  /** What the scorer itself says. `how` is read after "Pixels as x/255 (unit), ". */
  readonly stated: (Settled & { readonly how: string }) | null;
  /** Images that are not scored, the best first. */
  readonly independent: readonly TrialImages[];
  /** The scored images themselves. */
  readonly scored: TrialImages;
  /** Some of them, to see what other ways would make of them, though none is chosen by that. */
  readonly firstScored: TrialImages;
  /** Whether they are of no known data set, so that they may differ from those that a model was trained on. */
  readonly own: boolean;
  readonly limit: TrialLimit;
  /** Whether each image that is tried is asked of a service. */
  readonly service: boolean;
  readonly score: (choice: PixelChoice, batch: Batch) => Promise<Scores>;
}

export interface PreflightOutcome {
  readonly preflight: Preflight;
  readonly warnings: string[];
}

/** Accuracy from which on a scorer reads another data set's images well enough to be believed. */
const GOOD_ACCURACY = 0.8;
/** Images that tell whether what is settled is badly wrong. */
const CHECK_IMAGES = 300;

/**
 * Finds out how a model wants its pixels: from what the command line says, from what the model says, from a trial on
 * labelled images that are not scored, and only where none of these helps on the scored ones.
 *
 * @throws RangeError where what is asked for leaves no choice; whatever `score` throws
 */
export async function preflight(options: PreflightOptions): Promise<PreflightOutcome> {
  const { asked, stated } = options;
  const choices = withScale(options.choices, asked.scale);
  const settled: Settled = {
    scale: asked.scale ?? stated?.scale ?? null,
    invert: asked.invert ?? stated?.invert ?? null,
    transpose: stated?.transpose ?? null,
  };
  const allowed = choices.filter((choice) => isAllowed(choice, settled));
  const [simplest] = allowed.toSorted((a, b) => effort(a) - effort(b));
  if (simplest === undefined) throw new RangeError("none of the choices is as the command line wants it");

  const trials = new Trials({ ...options, choices });
  const chosenOn = allowed.length > 1 || asked.scale !== null ? await trials.choose(settled) : null;
  const chosen = chosenOn?.decision.chosen.choice ?? simplest;
  const isLooked = options.own ? chosenOn?.on !== "scored images" : chosenOn === null && asked.scale !== null;
  const lookedAt = isLooked ? await trials.look(chosen) : null;
  const tried = [chosenOn, lookedAt].filter((one) => one !== null);
  const source = sourceOf(options, chosenOn, chosen === simplest);
  const facts: Facts = {
    chosen,
    source,
    asked,
    how: stated?.how ?? null,
    chosenOn,
    lookedAt,
    service: options.service,
  };
  return {
    preflight: {
      source,
      chosen,
      statement: statementOf(facts),
      candidates: tried.flatMap(candidatesOf),
    },
    warnings: warningsOf(facts),
  };
}

/** What the choice rests on: what was said, unless a trial added to it. */
function sourceOf(
  { asked, stated }: PreflightOptions,
  chosenOn: Tried | null,
  simplest: boolean,
): Preflight["source"] {
  if (simplest && asked.scale !== null) return "option";
  if (simplest && stated !== null) return "model";
  return chosenOn?.on ?? "default";
}

/** The choices in another scale, where the command line asks for one that is not among them. */
function withScale(choices: readonly PixelChoice[], scale: Scale | null): readonly PixelChoice[] {
  if (scale === null || !scale.includes(",") || choices.every((choice) => choice.scale === "raw"))
    return choices;
  const [first] = choices;
  const added = choices
    .filter((choice) => choice.scale === first?.scale)
    .map((choice) => ({ ...choice, scale }));
  return [...choices, ...added];
}

class Trials {
  readonly #options: PreflightOptions;

  constructor(options: PreflightOptions) {
    this.#options = options;
  }

  /** What the first images that help come to; null where there are none. */
  async choose(settled: Settled): Promise<Tried | null> {
    const { independent, scored, limit } = this.#options;
    // A scale that is settled is checked only.
    const most = settled.scale === null ? limit : { ...limit, images: CHECK_IMAGES };
    for (const images of independent) {
      const tried = await this.#try(images, "training images", settled, most);
      if (tried !== null && (!images.foreign || isBelieved(tried.decision, settled))) return tried;
    }
    return settled.scale === null ? await this.#try(scored, "scored images", settled, limit) : null;
  }

  /** What other ways would make of the scored images. */
  async look(chosen: PixelChoice): Promise<Tried | null> {
    const { firstScored, limit } = this.#options;
    return await this.#try(firstScored, "scored images", chosen, { ...limit, images: CHECK_IMAGES });
  }

  async #try(
    { name, load }: TrialImages,
    on: TrialSource,
    settled: Settled,
    limit: TrialLimit,
  ): Promise<Tried | null> {
    const images = await load();
    if (images === null || images.labels.length === 0) return null;
    const { classes, choices, score } = this.#options;
    return { decision: await tryWays({ images, classes, choices, settled, limit, score }), on, name };
  }
}

/** Whether images of another data set tell how the scorer is fed. */
function isBelieved({ chosen, open }: Decision, settled: Settled): boolean {
  return chosen.result.accuracy >= GOOD_ACCURACY && (open.length === 0 || settled.scale !== null);
}

function candidatesOf({ decision: { ways }, on }: Tried): PreflightCandidate[] {
  return ways.map(({ choice, trial }) => {
    // As a run in this way would count: without matching classes.
    const { accuracy, logLoss, saturated, images } = resultOf(trial, null);
    return { ...choice, accuracy, log_loss: logLoss, saturated, images, on };
  });
}
