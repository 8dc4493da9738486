import type { InferenceSession } from "onnxruntime-node";

import { ScorerError } from "../errors.ts";
import { imagesAtOnce } from "../large-images.ts";
import type { Scores } from "../types.ts";
import type { InputPlan } from "./adapter.ts";
import { inOrder, scoreTables, writeArgmax, writeLabels, writeScores, type ScoreTables } from "./answers.ts";
import { toDoubles, type Numbers } from "./elements.ts";
import type { Rows } from "./numbers.ts";
import { runtimeMessage, type OutputPlan, type Outputs } from "./outputs.ts";
import type { LoadedModel } from "./session.ts";

/** Images in one run of a heavy model: measured on small CNNs, where more is slower, and less slower still. */
const HEAVY_BATCH = 128;

/** The images that a model shall score. */
export interface Images {
  /** [height, width] */
  readonly shape: readonly [number, number];
  /** k class names. */
  readonly classes: readonly string[];
}

/** How a model is run, and what it answers. */
export interface Understood {
  readonly loaded: LoadedModel;
  readonly images: Images;
  /** The model's own, or one that takes any number of images. */
  readonly session: InferenceSession;
  readonly plan: InputPlan;
  /** As the model has it, whatever the session takes. */
  readonly fixedBatch: number | null;
  readonly output: OutputPlan;
  /** Which column of its scores is of each class; null: they stand in the classes' order. */
  readonly columns: readonly number[] | null;
}

/** Lays `rows` images out for a run of `images`, the rest of which is of no account. */
interface Writer<Images> {
  write(
    images: Images,
    rows: number,
    runImages: number,
  ): { readonly buffer: Numbers; readonly shape: number[] };
}

/** Scores any number of images in runs of as many as the model takes, or as are fast. */
export function scoring<Images extends Uint8Array | Rows>(
  model: Understood,
  writer: Writer<Images>,
): (pixels: Images, count: number, signal: AbortSignal) => Promise<Scores> {
  const { loaded, plan, output, images } = model;
  const { shape, classes } = images;
  const size = shape[0] * shape[1];
  const rowsPerRun = plan.fixedBatch ?? imagesAtOnce(loaded.heavy ? HEAVY_BATCH : Infinity, shape);
  return async (pixels, count, signal) => {
    const labels = new Uint8Array(count);
    const tables = output.scores === null ? null : scoreTables(output.meaning, count, classes.length);
    const step = Math.min(rowsPerRun, Math.max(1, count));
    for (let start = 0; start < count; start += step) {
      signal.throwIfAborted();
      const rows = Math.min(step, count - start);
      const answer = await run(
        model,
        writer,
        pixels.subarray(start * size, (start + rows) * size) as Images,
        rows,
      );
      writeAnswer(model, answer, labels, tables, start, rows);
    }
    return { labels, probabilities: null, ...tables, ...(output.label !== null && { labelled: true }) };
  };
}

async function run<Images>(
  { loaded, session, plan, output }: Understood,
  writer: Writer<Images>,
  pixels: Images,
  rows: number,
): Promise<Outputs> {
  const { buffer, shape } = writer.write(pixels, rows, plan.fixedBatch ?? rows);
  const feeds = { [plan.name]: new loaded.runtime.Tensor(plan.type, buffer as Float32Array, shape) };
  try {
    return await session.run(
      feeds,
      [output.scores, output.label].filter((name) => name !== null),
    );
  } catch (error) {
    throw new ScorerError(`${loaded.file.path} failed while scoring: ${runtimeMessage(error)}`, {
      cause: error,
    });
  }
}

/** Writes one run's answer for the `rows` images from `start`. */
function writeAnswer(
  { loaded, output, columns, images: { classes } }: Understood,
  answer: Outputs,
  labels: Uint8Array,
  tables: ScoreTables | null,
  start: number,
  rows: number,
): void {
  const table = output.scores === null ? undefined : answer[output.scores];
  const given = table && toDoubles(table);
  const values = given && inOrder(given, columns);
  if (values && tables) writeScores(values, tables, start, rows, classes.length);
  const label = output.label === null ? undefined : answer[output.label];
  if (label) writeLabels(loaded.file.path, label, labels, start, rows, classes);
  else if (values) writeArgmax(values, labels, start, rows, classes.length);
}
