import { InterruptedError, UsageError } from "../errors.ts";
import { partOf, type Reference } from "../evaluate.ts";
import { imagesAtOnce } from "../large-images.ts";
import { likeness } from "../parity.ts";
import { preflight, takeProbe, type PreflightOutcome, type Probe } from "../preflight.ts";
import {
  bundledModel,
  checkUnchanged,
  loadModel,
  openModel,
  scoredClasses,
  type OpenedModel,
} from "../scorer/open.ts";
import type { Batch, Dataset, Preflight, Scorer } from "../types.ts";
import type { Context } from "./context.ts";
import { renamed, withAllClasses } from "./class-names.ts";
import { datasetSettings, openDataset, Readings } from "./dataset.ts";
import { openService } from "./endpoint.ts";
import type { EvaluateArguments } from "./options.ts";
import type { Progress } from "./progress.ts";

/** What a run scores, and with what. */
export interface Inputs {
  readonly dataset: Dataset;
  readonly scorer: Scorer;
  /** How the pixels' preprocessing was found. */
  readonly preflight: Preflight;
  /** The local model beside a service. */
  readonly reference: Reference | null;
  readonly warnings: readonly string[];
  /** To be called once all is scored. @throws ScorerError where a model's file is not what was scored with */
  checkUnchanged(): Promise<void>;
  /** The report is written: what was kept for a later run is not needed. */
  finish(): void;
  close(): Promise<void>;
}

/** What opens them: a test's own, to see that all is closed again. */
export interface Openers {
  readonly openDataset: typeof openDataset;
  readonly loadModel: typeof loadModel;
}

/** Images that are read at once where `--batch-size` does not say so. */
const BATCH_SIZE = 1000;
/** How often the ways to feed the pixels are tried again without images that the service left unanswered. */
const PREFLIGHT_ROUNDS = 4;

/** Images in a batch: of a service's requests, `--batch-size` says how many they hold. */
export function batchSizeOf({ endpoint, batchSize }: EvaluateArguments, { shape }: Dataset): number {
  return imagesAtOnce(endpoint === undefined ? (batchSize ?? BATCH_SIZE) : BATCH_SIZE, shape);
}

/**
 * Opens data set and scorer side by side, and finds out how the pixels are wanted. Where that fails, the other's work is
 * stopped, and whatever was opened is closed.
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
  const reading = openData(options, { ...context, signal }, progress, openers);
  const opening: Promise<{ close(): Promise<void> }>[] = [];
  const opened = <T extends { close(): Promise<void> }>(one: Promise<T>): Promise<T> => {
    opening.push(one);
    return one;
  };
  // Loaded while the data is read.
  const loading =
    options.endpoint === undefined || options.model !== undefined ? load(options, openers) : null;
  if (loading !== null) opening.push(loading);
  try {
    if (options.endpoint === undefined) {
      const [{ probe, dataset: read }, local] = await Promise.all([reading, loading!]);
      const dataset = withAllClasses(read, local.classes, options);
      const { scorer, outcome } = await local.open(dataset, probe, options, signal);
      return inputsOf(dataset, scorer, outcome, null, [], local, () => {});
    }
    const [{ probe, dataset: read }, local] = await Promise.all([reading, loading]);
    const dataset = withAllClasses(read, local?.classes ?? null, options);
    const service = await opened(openService(options, context, dataset, probe, progress, signal));
    const tried = await tryChoices(service, dataset, probe, options, signal);
    const scorer = service.scorer(tried.preflight.chosen);
    if (local === null) {
      return inputsOf(dataset, scorer, tried, null, service.warnings, null, () => service.finish());
    }
    const beside = await local.open(dataset, probe, { ...options, output: undefined }, signal);
    return inputsOf(
      dataset,
      scorer,
      tried,
      referenceOf(beside, dataset, signal),
      service.warnings,
      local,
      () => service.finish(),
    );
  } catch (error) {
    failed.abort(new InterruptedError("the other input could not be opened"));
    await Promise.allSettled([
      reading.then(({ close }) => close()),
      ...opening.map((one) => one.then((it) => it.close())),
    ]);
    throw error;
  }
}

function inputsOf(
  dataset: Dataset,
  scorer: Scorer,
  { preflight, warnings }: PreflightOutcome,
  reference: Reference | null,
  others: readonly string[],
  local: Local | null,
  finish: () => void,
): Inputs {
  return {
    dataset,
    scorer,
    preflight,
    reference,
    warnings: [...others, ...warnings],
    finish,
    checkUnchanged: async () => await local?.checkUnchanged(),
    async close() {
      await Promise.all([scorer.close(), reference?.scorer.close()]);
    },
  };
}

/** A local model that is loaded, and opened once the data is known. */
interface Local {
  /** How many it scores; null where that is not known before it is run. */
  readonly classes: number | null;
  open(
    dataset: Dataset,
    probe: Batch,
    options: EvaluateArguments,
    signal: AbortSignal,
  ): Promise<{ readonly opened: OpenedModel; readonly scorer: Scorer; readonly outcome: PreflightOutcome }>;
  checkUnchanged(): Promise<void>;
  close(): Promise<void>;
}

async function load(
  { model = bundledModel, endpoint, output }: EvaluateArguments,
  { loadModel }: Openers,
): Promise<Local> {
  const loaded = await loadModel(model);
  // Beside a service, --output names the service's.
  const read = endpoint === undefined ? (output ?? null) : null;
  let close = (): Promise<void> => loaded.session.release();
  return {
    classes: scoredClasses(loaded, read),
    async open(dataset, probe, options, signal) {
      const { layout, resize, output = null } = options;
      const opened = await openModel(loaded, dataset, { layout, resize, output }, probe);
      close = () => opened.scorer(opened.choices[0]!).close();
      const outcome = await tryChoices(inTurn(opened), dataset, probe, options, signal);
      return { opened, scorer: opened.scorer(outcome.preflight.chosen), outcome };
    },
    checkUnchanged: () => checkUnchanged(loaded.file),
    close: () => close(),
  };
}

/** A model runs one way of feeding at a time anyway, and each has a copy of the images as the model takes them. */
function inTurn({ choices, scorer }: OpenedModel): Pick<OpenedModel, "choices" | "scorer"> {
  let before: Promise<unknown> = Promise.resolve();
  return {
    choices,
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

function referenceOf(
  { opened, scorer, outcome }: Awaited<ReturnType<Local["open"]>>,
  { classes, shape }: Dataset,
  signal: AbortSignal,
): Reference {
  return {
    scorer,
    explain: (tally) =>
      likeness({
        tally,
        classes,
        shape,
        model: scorer.describe().name,
        fed: outcome.preflight.chosen,
        choices: opened.choices,
        score: (choice, batch) => opened.scorer(choice).score(batch, signal),
      }),
  };
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
  const { images, labels, classes = null, limit = null, seed } = options;
  const files = images !== undefined && labels !== undefined ? { images, labels, classes } : null;
  const settings = { ...datasetSettings(options, context, progress), files, seed, readings: new Readings() };
  const name = (dataset: Dataset) =>
    files === null && classes !== null ? renamed(dataset, classes) : dataset;
  const all = name(await openDataset({ ...settings, limit: null }));
  const whole = await takeProbe(all, batchSizeOf(options, all), seed);
  if (limit === null || limit >= whole.dataset.size) return whole;
  await whole.close();
  // What was downloaded and warned about is so already.
  const limited = await openDataset({ ...settings, limit, refresh: false, warn: () => {} });
  return { ...whole, dataset: name(limited) };
}

async function tryChoices(
  { choices, scorer }: Pick<OpenedModel, "choices" | "scorer">,
  dataset: Dataset,
  probe: Batch,
  { scale, invert }: EvaluateArguments,
  signal: AbortSignal,
): Promise<PreflightOutcome> {
  if (scale !== "auto" && !choices.some((choice) => choice.scale === scale)) {
    const possible = [...new Set(choices.map((choice) => choice.scale))].join(", ");
    throw new UsageError(
      `--scale ${scale}: the model takes whole numbers, so that only ${possible} makes sense: leave --scale out`,
    );
  }
  let images = probe;
  for (let round = 1; ; round++) {
    const unanswered = new Set<number>();
    const outcome = await preflight({
      probe: images,
      classes: dataset.classes.length,
      choices,
      wanted: { scale: scale === "auto" ? null : scale, invert: invert ?? null },
      async score(choice, batch) {
        const scores = await scorer(choice).score(batch, signal);
        const failed = [...(scores.failed?.keys() ?? [])];
        // A service that refuses pixels in this way refuses all or most of them; other failures are the network's.
        if (failed.length * 2 < batch.labels.length)
          for (const row of failed) unanswered.add(batch.indices[row]!);
        return scores;
      },
    });
    // Ways are compared on images that each of them has an answer for. What is answered is not asked again.
    if (unanswered.size === 0 || round === PREFLIGHT_ROUNDS) return outcome;
    const { indices } = images;
    images = partOf(
      images,
      [...indices.keys()].filter((row) => !unanswered.has(indices[row]!)),
    );
  }
}
