import { rowsOf } from "../dataset/batch.ts";
import { joinTrials, trialOf, type Trial } from "../metrics/trial.ts";
import type { Batch, PixelChoice, Scores } from "../types.ts";
import { decide, type Decision, type Settled } from "./decide.ts";

export interface TryOptions {
  /** Labelled images, balanced over the classes from the first on. */
  readonly images: Batch;
  /** k */
  readonly classes: number;
  /** Every plausible way to feed the pixels. */
  readonly choices: readonly PixelChoice[];
  readonly settled: Settled;
  readonly score: (choice: PixelChoice, batch: Batch) => Promise<Scores>;
  readonly limit: TrialLimit;
}

/** How much a trial may ask of a scorer. */
export interface TrialLimit {
  /** Images that a way is tried on. */
  readonly images: number;
  /** The same, summed over the ways that are tried on the last of them. */
  readonly answers: number;
}

/** Images after each of which it is looked which ways are surely worse. */
const STAGES = [60, 300, 1_000, 3_000, 5_000];
/** Images of each class in the first stage, at least. */
const FIRST_PER_CLASS = 4;
/** Below this accuracy of the best way, all are tried on transposed images too. */
const GOOD_ACCURACY = 0.8;
/** How often ways are compared again without images that a service left unanswered. */
const ROUNDS = 4;

/**
 * Tries the ways to feed the pixels on the same images, and goes on to more of them with those that are not surely
 * worse, until one is left. Depends on nothing but its arguments: no time is measured.
 *
 * @param options images: at least one; settled: leaves at least one of the choices
 * @throws whatever `score` throws
 */
export async function tryWays(options: TryOptions): Promise<Decision> {
  let { images } = options;
  for (let round = 1; ; round++) {
    const unanswered = new Set<number>();
    const decision = await tryOnce({ ...options, images }, unanswered);
    // Ways are compared on images that each of them has an answer for. What is answered is not asked again.
    if (unanswered.size === 0 || round === ROUNDS) return decision;
    // Of others no more, some of which would stay unanswered in their turn.
    const used = images.indices.subarray(0, Math.max(...decision.ways.map(({ result }) => result.images)));
    const rows = [...used.keys()].filter((row) => !unanswered.has(used[row]!));
    if (rows.length === 0) return decision;
    images = rowsOf(images, rows);
  }
}

async function tryOnce(options: TryOptions, unanswered: Set<number>): Promise<Decision> {
  const { images, classes, choices, settled, limit } = options;
  const trials = new Map<PixelChoice, Trial>();
  const run = async (ways: readonly PixelChoice[], count: number): Promise<Decision> => {
    // At once, for a service that is far away.
    const added = await Promise.all(
      ways.map((way) => goOn(options, way, trials.get(way), count, unanswered)),
    );
    added.forEach((trial, i) => trials.set(ways[i]!, trial));
    return decide(trials, settled);
  };
  const most = Math.min(images.labels.length, limit.images);
  const first = Math.min(most, Math.max(STAGES[0]!, FIRST_PER_CLASS * classes));
  const upright = choices.filter(({ transpose }) => !transpose);
  // Choices that are all transposed are taken as they are.
  let decision = await run(upright.length > 0 ? upright : choices, first);
  if (upright.length > 0 && decision.ways[0]!.result.accuracy < GOOD_ACCURACY)
    decision = await run(
      choices.filter(({ transpose }) => transpose),
      first,
    );
  for (const stage of STAGES.slice(1)) {
    const count = Math.min(stage, most);
    const { chosen, open, better, hopeless } = decision;
    const next = [chosen, ...open, ...(better === null ? [] : [better])].map(({ choice }) => choice);
    // The first stage has too few images to give a model up.
    const isOver = hopeless ? count > STAGES[1]! : open.length === 0;
    if (isOver || count <= chosen.result.images || count * next.length > limit.answers) break;
    decision = await run(next, count);
  }
  return decision;
}

/** Some of a batch's images as a view of it: all ways look at them at once, and large ones take much memory. */
function between({ indices, labels, pixels }: Batch, start: number, end: number): Batch {
  const size = pixels.length / labels.length;
  return {
    indices: indices.subarray(start, end),
    labels: labels.subarray(start, end),
    pixels: pixels.subarray(start * size, end * size),
  };
}

/** A way's trial on the images up to `count`. */
async function goOn(
  { images, classes, score }: TryOptions,
  choice: PixelChoice,
  before: Trial | undefined,
  count: number,
  unanswered: Set<number>,
): Promise<Trial> {
  const start = before?.truth.length ?? 0;
  const part = between(images, start, count);
  const scores = await score(choice, part);
  const failed = [...(scores.failed?.keys() ?? [])];
  // A service that refuses pixels in this way refuses all or most of them; other failures are the network's.
  if (failed.length * 2 < count - start) for (const row of failed) unanswered.add(part.indices[row]!);
  const trial = trialOf(scores, part.labels, classes);
  return before === undefined ? trial : joinTrials(before, trial);
}
