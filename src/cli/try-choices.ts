import type { Peeked } from "../dataset/peek.ts";
import { UsageError } from "../errors.ts";
import { preflight, type PreflightOutcome, type TrialLimit } from "../preflight.ts";
import type { OpenedModel } from "../scorer/open.ts";
import type { Dataset } from "../types.ts";
import type { EvaluateArguments } from "./options.ts";
import type { AllTrialImages } from "./trial-images.ts";

/** How much is tried: of a model here all that tells its ways apart, of a service few requests. */
const LOCAL_TRIAL: TrialLimit = { images: 5_000, answers: 12_000 };
const SERVICE_TRIAL: TrialLimit = { images: 1_000, answers: 2_000 };

/** The data set, its first images, and others to try the model on. */
export interface Opened extends Peeked {
  readonly trialImages: (dataset: Dataset) => AllTrialImages;
}

/** A model runs one way of feeding at a time anyway, and each has a copy of the images as the model takes them. */
export function inTurn({
  choices,
  stated,
  scorer,
}: OpenedModel): Pick<OpenedModel, "choices" | "stated" | "scorer"> {
  let before: Promise<unknown> = Promise.resolve();
  return {
    choices,
    stated,
    scorer: (choice) => ({
      ...scorer(choice),
      score(batch, signal) {
        const scores = before.then(() => scorer(choice).score(batch, signal));
        before = scores.catch(() => {});
        return scores;
      },
    }),
  };
}

/** Finds out how a scorer wants its pixels. @throws ScorerError, UsageError */
export async function tryChoices(
  { choices, stated, scorer }: Pick<OpenedModel, "choices" | "stated" | "scorer">,
  { dataset, trialImages }: Opened,
  service: boolean,
  { scale, invert, images }: EvaluateArguments,
  signal: AbortSignal,
): Promise<PreflightOutcome> {
  const possible = [...new Set(choices.map((choice) => choice.scale))];
  if (scale !== "auto" && !possible.includes(scale) && possible.length === 1) {
    throw new UsageError(
      `--scale ${scale}: the model takes whole numbers, so that only ${possible.join(", ")} makes sense: leave --scale out`,
    );
  }
  return await preflight({
    ...trialImages(dataset),
    own: images !== undefined,
    classes: dataset.classes.length,
    choices,
    stated,
    asked: { scale: scale === "auto" ? null : scale, invert: invert ?? null },
    limit: service ? SERVICE_TRIAL : LOCAL_TRIAL,
    service,
    score: (choice, batch) => scorer(choice).score(batch, signal),
  });
}
