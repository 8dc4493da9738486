import { InterruptedError, UsageError } from "../errors.ts";
import { preflight, takeProbe, type PreflightOutcome, type Probe } from "../preflight.ts";
import { bundledModel, loadModel, openModel, type OpenedModel } from "../scorer/open.ts";
import type { Batch, Dataset, Scorer } from "../types.ts";
import type { Context } from "./context.ts";
import { datasetSettings, openDataset } from "./dataset.ts";
import type { EvaluateArguments } from "./options.ts";
import type { Progress } from "./progress.ts";

/** What a run scores, and with what. */
export interface Inputs {
  readonly dataset: Dataset;
  readonly scorer: Scorer;
  /** How the pixels' preprocessing was found. */
  readonly preflight: PreflightOutcome;
}

/** What opens them: a test's own, to see that all is closed again. */
export interface Openers {
  readonly openDataset: typeof openDataset;
  readonly loadModel: typeof loadModel;
}

/**
 * Opens data set and model side by side, and finds out how the model wants its pixels. Where that fails, the other's
 * work is stopped, and whatever was opened is closed.
 *
 * @throws DatasetError, ScorerError, UsageError
 */
export async function openInputs(
  options: EvaluateArguments,
  context: Context,
  progress: Progress,
  openers: Openers = { openDataset, loadModel },
): Promise<Inputs> {
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  const { layout, output = null, model = bundledModel } = options;
  const reading = openData(options, { ...context, signal }, progress, openers);
  const loading = openers.loadModel(model);
  let closeModel = async (): Promise<void> => (await loading).session.release();
  try {
    const [{ probe, dataset }, loaded] = await Promise.all([reading, loading]);
    const opened = await openModel(loaded, dataset, { layout, output }, probe);
    closeModel = () => opened.scorer(opened.choices[0]!).close();
    return { dataset, ...(await tryChoices(opened, dataset, probe, options, signal)) };
  } catch (error) {
    failed.abort(new InterruptedError("the other input could not be opened"));
    await Promise.allSettled([reading.then(({ close }) => close()), closeModel()]);
    throw error;
  }
}

/**
 * The data set, and some of its images to try the model on. They come from the whole data set even where few images
 * are scored, so that a limit changes nothing about how the model is fed.
 */
async function openData(
  options: EvaluateArguments,
  context: Pick<Context, "signal" | "stderr">,
  progress: Progress,
  { openDataset }: Openers,
): Promise<Probe> {
  const { images, labels, classes = null, limit = null, seed, batchSize } = options;
  const files = images !== undefined && labels !== undefined ? { images, labels, classes } : null;
  const settings = { ...datasetSettings(options, context, progress), files, seed };
  const name = (dataset: Dataset) =>
    files === null && classes !== null ? renamed(dataset, classes) : dataset;
  const whole = await takeProbe(name(await openDataset({ ...settings, limit: null })), batchSize, seed);
  if (limit === null || limit >= whole.dataset.size) return whole;
  await whole.close();
  // What was downloaded and warned about is so already.
  const limited = await openDataset({ ...settings, limit, refresh: false, warn: () => {} });
  return { ...whole, dataset: name(limited) };
}

/** A known data set under the names that a model uses: `zero,one,…` for one that answers so. */
function renamed(dataset: Dataset, classes: readonly string[]): Dataset {
  if (classes.length !== dataset.classes.length) {
    throw new UsageError(
      `--classes names ${classes.length} classes, but ${dataset.name} has ${dataset.classes.length} ` +
        `(${dataset.classes.join(", ")}): name each of them, in this order`,
    );
  }
  return { ...dataset, classes, files: () => dataset.files(), batches: (size) => dataset.batches(size) };
}

async function tryChoices(
  { choices, scorer }: OpenedModel,
  dataset: Dataset,
  probe: Batch,
  { scale, invert }: EvaluateArguments,
  signal: AbortSignal,
): Promise<Omit<Inputs, "dataset">> {
  if (scale !== "auto" && !choices.some((choice) => choice.scale === scale)) {
    const possible = [...new Set(choices.map((choice) => choice.scale))].join(", ");
    throw new UsageError(
      `--scale ${scale}: the model takes whole numbers, so that only ${possible} makes sense: leave --scale out`,
    );
  }
  const outcome = await preflight({
    probe,
    classes: dataset.classes.length,
    choices,
    wanted: { scale: scale === "auto" ? null : scale, invert: invert ?? null },
    score: (choice, batch) => scorer(choice).score(batch, signal),
  });
  return { scorer: scorer(outcome.preflight.chosen), preflight: outcome };
}
