import { basename } from "node:path";

import { imagesAtOnce } from "../large-images.ts";
import type { Batch, Layout, PixelChoice, Resize, Scorer, ScorerDescription, Scores } from "../types.ts";
import { describeTensor, inputPlans, type TensorMetadata } from "./adapter.ts";
import { columnOrder } from "./answers.ts";
import { choicesFor } from "./choices.ts";
import { ELEMENTS } from "./elements.ts";
import { outputPlan, tensorOutputs } from "./outputs.ts";
import { rowsWriter, type Rows } from "./numbers.ts";
import { pixelWriter } from "./pixels.ts";
import { scoring, type Images, type Understood } from "./run-model.ts";
import type { LoadedModel } from "./session.ts";
import { statedPixels, type Stated } from "./stated.ts";
import { firstThatRuns, freedSession, trial, trialScales } from "./trial.ts";

export type { Images } from "./run-model.ts";

export interface ModelOptions {
  readonly layout: Layout | "auto";
  /** null: it cannot be asked for. */
  readonly resize: Resize | null;
  /** The output to read; null: the one that holds scores or labels. */
  readonly output: string | null;
}

/** A model whose inputs and outputs are understood. */
export interface OpenedModel {
  /** The ways of feeding pixels that make sense for it. */
  readonly choices: readonly PixelChoice[];
  /** What its file says of them; null: nothing. */
  readonly stated: Stated | null;
  readonly scorer: (choice: PixelChoice) => Scorer;
  readonly numbers: NumberScorer;
}

/** Scores images that come as numbers which are already as the model wants them. */
export interface NumberScorer {
  /** What to hold them in. */
  readonly element: "float32" | "float64";
  /** The model takes bytes or other whole numbers: pixels as they are. */
  readonly whole: boolean;
  /** Labels are an output of the model's, and hold where an image's scores are none. */
  readonly ownLabels: boolean;
  /** As the model has it. */
  readonly input: { readonly name: string; readonly type: string; readonly fixedBatch: number | null };
  /** @param rows count×h×w @throws ScorerError */
  score(rows: Rows, count: number, signal: AbortSignal): Promise<Scores>;
}

/** Images on which the outputs' meaning is told. */
const TRIAL_ROWS = 64;

/**
 * Finds out how a model takes images and what it answers, by its metadata and by running it on a few of them.
 *
 * @param probe some of the data set's images
 * @throws ScorerError where it cannot take them, or gives neither labels nor a score for each class
 */
export async function openModel(
  loaded: LoadedModel,
  images: Images,
  options: ModelOptions,
  probe: Batch,
): Promise<OpenedModel> {
  const model = await understand(loaded, images, options, probe);
  return {
    choices: choicesFor(model.plan),
    stated: statedPixels(loaded.file.model, model.plan),
    scorer: (choice) => scorerOf(model, choice),
    numbers: numberScorerOf(model),
  };
}

/**
 * How many classes a model scores, by the shape of its output; null where its outputs leave that open, or give several
 * answers.
 */
export function scoredClasses({ file, session }: LoadedModel, wanted: string | null): number | null {
  const widths = tensorOutputs(file.path, session.outputMetadata, wanted).flatMap(({ type, shape }) => {
    const [width, ...more] = shape.slice(1).filter((size) => size !== 1);
    return /float/.test(type) && typeof width === "number" && width > 1 && more.length === 0 ? [width] : [];
  });
  const [width = null, ...others] = new Set(widths);
  return others.length === 0 ? width : null;
}

async function understand(
  loaded: LoadedModel,
  images: Images,
  options: ModelOptions,
  probe: Batch,
): Promise<Understood> {
  const { file, session } = loaded;
  const tensors = tensorOutputs(file.path, session.outputMetadata, options.output);
  const plans = inputPlans(file.path, session.inputMetadata, images.shape, options.layout, options.resize);
  const original = { loaded, session, tensors, images, probe };
  const fixed = await firstThatRuns(original, plans);
  const freed = await freedSession(original, fixed);
  const active = freed ?? session;
  const plan = freed === null ? fixed : { ...fixed, fixedBatch: null };
  const rows = plan.fixedBatch ?? imagesAtOnce(Math.min(probe.labels.length, TRIAL_ROWS), images.shape);
  const answers = await Promise.all(
    trialScales(plan).map((scale) => trial({ ...original, session: active }, plan, rows, scale)),
  );
  const output = outputPlan(file.path, tensors, answers, rows, images.classes);
  const columns = columnOrder(file.path, loaded.columns.get(output.scores ?? ""), images.classes);
  return { loaded, images, session: active, plan, fixedBatch: fixed.fixedBatch, output, columns };
}

function scorerOf(model: Understood, choice: PixelChoice): Scorer {
  const { loaded, images, session, plan } = model;
  const score = scoring(model, pixelWriter(plan, choice, images.shape));
  return {
    describe: () => description(model, choice),
    score: ({ pixels, labels }, signal) => score(pixels, labels.length, signal),
    async close() {
      if (session !== loaded.session) await session.release();
      await loaded.session.release();
    },
  };
}

function numberScorerOf(model: Understood): NumberScorer {
  const { plan, images, fixedBatch, output } = model;
  return {
    element: plan.type === "float64" ? "float64" : "float32",
    whole: !ELEMENTS[plan.type].fractional,
    ownLabels: output.label !== null,
    input: { name: plan.name, type: plan.type, fixedBatch },
    score: scoring(model, rowsWriter(plan, images.shape)),
  };
}

function description(
  { loaded, plan, fixedBatch, output }: Understood,
  choice: PixelChoice,
): ScorerDescription {
  const { file, facts, session } = loaded;
  return {
    kind: "onnx",
    name: basename(file.path),
    sha256: file.sha256,
    preprocessing: {
      ...choice,
      layout: plan.layout,
      ...(plan.resize === null ? {} : { resize: { method: plan.resize, to: plan.shape } }),
    },
    model: {
      ...facts,
      input: describeTensor(session.inputMetadata[0] as TensorMetadata),
      output: output.description,
      meaning: output.meaning,
      fixedBatch,
    },
  };
}
