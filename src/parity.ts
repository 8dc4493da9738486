import { signTest, CONVINCING } from "./metrics/comparison.ts";
import { createParityTally, type Likeness, type ParityCounts, type ParityTally } from "./metrics/parity.ts";
import { relabelling } from "./metrics/relabelling.ts";
import { trialOf } from "./metrics/trial.ts";
import { grouped } from "./grouped.ts";
import { listed, percent } from "./metrics/wording.ts";
import { wayText } from "./report/preprocessing.ts";
import type { Batch, PixelChoice, ScoredBatch, Scores } from "./types.ts";

export type { Likeness } from "./metrics/parity.ts";

export interface LikenessOptions {
  /** What endpoint and model made of all images. */
  readonly tally: Pick<ParityTally, "counts" | "evidence" | "judgement">;
  /** k class names. */
  readonly classes: readonly string[];
  /** [height, width] */
  readonly shape: readonly [number, number];
  /** The local model's name. */
  readonly model: string;
  /** How the run feeds the local model. */
  readonly fed: PixelChoice;
  /** Every plausible way to feed it. */
  readonly choices: readonly PixelChoice[];
  /** Scores images by the local model; called with up to 400 images for each of the choices. */
  readonly score: (choice: PixelChoice, batch: Batch) => Promise<Scores>;
}

/** Share of images on which two versions of a model agree, whatever their accuracies, and where those are alike. */
const VERSIONS_AGREE = 0.95;
const ALIKE_VERSIONS_AGREE = 0.9;
/** Share of images on which they agree once classes are matched one to one. */
const MATCHED_AGREE = 0.95;
/** Classes in another order that a sentence names. */
const MOST_NAMED = 3;

/**
 * Finds out why a service does not answer as the local model: because it feeds the model otherwise, holds the classes in
 * another order, has other weights, or is another model. The service is not asked again: the tally keeps its answers to
 * some of the images. Null where there is no skew.
 *
 * @throws whatever `score` throws
 */
export async function likeness(options: LikenessOptions): Promise<Likeness | null> {
  const { tally, classes, model } = options;
  if (tally.judgement().verdict !== "skew") return null;
  const counts = tally.counts();
  if (counts.images === 0) return null;
  return (await fedOtherwise(options)) ?? inOtherOrder(counts, classes) ?? otherWeights(counts, model);
}

/** The local model, fed in another way, gives what the service gives. */
async function fedOtherwise(options: LikenessOptions): Promise<Likeness | null> {
  const { tally, model, fed, choices, score, classes, shape } = options;
  const endpoint = tally.evidence();
  const batch = { indices: endpoint.indices, pixels: endpoint.pixels, labels: endpoint.truth };
  let [closest, least] = [null as PixelChoice | null, Infinity];
  for (const choice of choices.filter((each) => !isSameWay(each, fed))) {
    const tried = createParityTally(classes, shape);
    tried.add(endpoint, scoredBatch(endpoint, await score(choice, batch), classes.length));
    if (tried.judgement().verdict === "skew") continue;
    const { images, agreeing } = tried.counts();
    const distance = tried.largestDifference() ?? 1 - agreeing / images;
    if (distance < least) [closest, least] = [choice, distance];
  }
  if (closest === null) return null;
  return {
    kind: "preprocessing",
    reason:
      `preprocessing, as the service answers like ${model} fed ${wayText(closest)}, ` +
      `while this run feeds it ${wayText(fed)}`,
  };
}

function isSameWay(first: PixelChoice, second: PixelChoice): boolean {
  return (
    first.scale === second.scale && first.invert === second.invert && first.transpose === second.transpose
  );
}

/** A row that is no distribution has probabilities of 0, and so is like none of the service's. */
function scoredBatch(images: ScoredBatch, scores: Scores, classes: number): ScoredBatch {
  const { predicted, probabilities } = trialOf(scores, images.truth, classes);
  return { ...images, predicted: Uint8Array.from(predicted, (label) => Math.max(0, label)), probabilities };
}

function inOtherOrder({ predictions, images }: ParityCounts, classes: readonly string[]): Likeness | null {
  const order = relabelling(predictions);
  if (order === null || order.matched < MATCHED_AGREE * images) return null;
  const moved = order.moved.map((row) => `${classes[order.columns[row]!]} for ${classes[row]}`);
  return {
    kind: "class order",
    reason:
      `class order, as the service says ${listed(moved, MOST_NAMED)}; with its classes so matched they agree on ` +
      `${grouped(order.matched)} of ${grouped(images)} images`,
  };
}

function otherWeights({ images, agreeing, right }: ParityCounts, model: string): Likeness {
  const accuracies =
    `the service is right on ${percent((right.both + right.endpoint) / images, 2)} of the images and ${model} ` +
    `on ${percent((right.both + right.model) / images, 2)}`;
  const alike = signTest(right.endpoint, right.model) >= CONVINCING;
  const agreement = agreeing / images;
  if (agreement < (alike ? ALIKE_VERSIONS_AGREE : VERSIONS_AGREE)) {
    return { kind: "another model", reason: `another model, as ${accuracies}` };
  }
  const noise = alike ? ", which is alike within noise" : "";
  return {
    kind: "other weights",
    reason: `other weights, probably another version or a stale deployment, as ${accuracies}${noise}`,
  };
}
