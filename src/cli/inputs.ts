import { setMaxListeners } from "node:events";

import { InterruptedError } from "../errors.ts";
import type { Reference } from "../evaluate.ts";
import { imagesAtOnce } from "../large-images.ts";
import { likeness } from "../parity.ts";
import { peek } from "../dataset/peek.ts";
import type { PreflightOutcome } from "../preflight.ts";
import {
  bundledModel,
  checkUnchanged,
  loadModel,
  openModel,
  scoredClasses,
  type OpenedModel,
} from "../scorer/open.ts";
import type { Dataset, Preflight, Scorer } from "../types.ts";
import type { Context } from "./context.ts";
import { renamed, withAllClasses } from "./class-names.ts";
import { datasetSettings, openDataset, Readings } from "./dataset.ts";
import { openService } from "./endpoint.ts";
import type { EvaluateArguments } from "./options.ts";
import type { Progress } from "./progress.ts";
import { trialImagesOf } from "./trial-images.ts";
import { inTurn, tryChoices, type Opened } from "./try-choices.ts";

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
  // Many ways to feed the pixels are tried at once, each of which listens.
  setMaxListeners(0, signal);
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
      const [read, local] = await Promise.all([reading, loading!]);
      const data = withClassesOf(local, read, options);
      const { scorer, outcome } = await local.open(data, options, signal);
      return inputsOf(data.dataset, scorer, outcome, null, [], local, () => {});
    }
    const [read, local] = await Promise.all([reading, loading]);
    const data = withClassesOf(local, read, options);
    const { dataset, first } = data;
    const service = await opened(openService(options, context, dataset, first, progress, signal));
    const tried = await tryChoices(service, data, true, options, signal);
    const scorer = service.scorer(tried.preflight.chosen);
    if (local === null) {
      return inputsOf(dataset, scorer, tried, null, service.warnings, null, () => service.finish());
    }
    const beside = await local.open(data, { ...options, output: undefined }, signal);
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
    data: Opened,
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
    async open(data, options, signal) {
      const { layout, resize, output = null } = options;
      const opened = await openModel(loaded, data.dataset, { layout, resize, output }, data.first);
      close = () => opened.scorer(opened.choices[0]!).close();
      const outcome = await tryChoices(inTurn(opened), data, false, options, signal);
      return { opened, scorer: opened.scorer(outcome.preflight.chosen), outcome };
    },
    checkUnchanged: () => checkUnchanged(loaded.file),
    close: () => close(),
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

async function openData(
  options: EvaluateArguments,
  context: Pick<Context, "signal" | "stderr">,
  progress: Progress,
  { openDataset }: Openers,
): Promise<Opened> {
  const { images, labels, classes = null, limit = null, seed } = options;
  const files = images !== undefined && labels !== undefined ? { images, labels, classes } : null;
  const settings = {
    ...datasetSettings(options, context, progress),
    files,
    seed,
    limit,
    readings: new Readings(),
  };
  const opened = await openDataset(settings);
  const peeked = await peek(
    files === null && classes !== null ? renamed(opened, classes) : opened,
    batchSizeOf(options, opened),
  );
  return { ...peeked, trialImages: (dataset) => trialImagesOf(settings, dataset, peeked.first) };
}

/** The data under all the classes that a local model scores. */
function withClassesOf(local: Local | null, data: Opened, options: EvaluateArguments): Opened {
  return { ...data, dataset: withAllClasses(data.dataset, local?.classes ?? null, options) };
}
