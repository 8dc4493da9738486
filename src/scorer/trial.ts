import type { InferenceSession } from "onnxruntime-node";

import { ScorerError } from "../errors.ts";
import { imagesAtOnce } from "../large-images.ts";
import type { Batch, Scale } from "../types.ts";
import type { InputPlan, TensorMetadata } from "./adapter.ts";
import { ELEMENTS, toDoubles } from "./elements.ts";
import { freeBatch } from "./free-batch.ts";
import { encodeModel } from "./onnx-proto.ts";
import { runtimeMessage, type Outputs } from "./outputs.ts";
import { pixelWriter } from "./pixels.ts";
import { openSession, type LoadedModel } from "./session.ts";

/** A session, and the images that it is tried on. */
export interface Bench {
  readonly loaded: LoadedModel;
  readonly session: InferenceSession;
  readonly tensors: readonly TensorMetadata[];
  readonly images: { readonly shape: readonly [number, number] };
  readonly probe: Batch;
}

/** Below this fixed batch, the cost of a run by itself outweighs its images. */
const SMALL_BATCH = 32;
/** Runs of a model as it is that one of it without its fixed batch is held against. */
const COMPARED_RUNS = 3;
const RELATIVE_TOLERANCE = 1e-4;

/** Two scales that are far apart, so that what holds for both holds for the model: not for small or large inputs alone. */
export function trialScales({ type }: InputPlan): readonly Scale[] {
  return ELEMENTS[type].fractional ? ["unit", "raw"] : ["raw"];
}

/** What the model answers for the probe's images from `start`, in a run of `rows`: repeated where there are fewer. */
export function trial(
  bench: Bench,
  plan: InputPlan,
  rows: number,
  scale: Scale,
  start = 0,
): Promise<Outputs> {
  const { loaded, session, tensors, images, probe } = bench;
  const size = images.shape[0] * images.shape[1];
  const pixels = new Uint8Array(rows * size);
  for (let row = 0; row < rows; row++) {
    const from = (start + row) % probe.labels.length;
    pixels.set(probe.pixels.subarray(from * size, (from + 1) * size), row * size);
  }
  const writer = pixelWriter(plan, { scale, invert: false, transpose: plan.turned }, images.shape);
  const { buffer, shape } = writer.write(pixels, rows, rows);
  const feeds = { [plan.name]: new loaded.runtime.Tensor(plan.type, buffer as Float32Array, shape) };
  return session.run(
    feeds,
    tensors.map(({ name }) => name),
  );
}

/**
 * The first plan that the model accepts. Only a model that leaves dimensions open has more than one.
 *
 * @throws ScorerError where it accepts none
 */
export async function firstThatRuns(bench: Bench, plans: readonly InputPlan[]): Promise<InputPlan> {
  let failure: unknown;
  for (const plan of plans) {
    try {
      await trial(bench, plan, plan.fixedBatch ?? 1, trialScales(plan)[0]!);
      return plan;
    } catch (error) {
      failure ??= error;
    }
  }
  throw new ScorerError(
    `${bench.loaded.file.path} failed on the first images (${runtimeMessage(failure)}): ` +
      "name how it takes them with --layout, and check that it was made for this data set",
    { cause: failure },
  );
}

/**
 * A session of the same model that takes any number of images, where it fixes a small one: scoring is then many times
 * faster. Null where there is nothing to gain, or where the changed model does not answer the same.
 */
export async function freedSession(bench: Bench, plan: InputPlan): Promise<InferenceSession | null> {
  const { file, runtime, heavy } = bench.loaded;
  if (plan.fixedBatch === null || plan.fixedBatch >= SMALL_BATCH || file.external) return null;
  const compared = COMPARED_RUNS * plan.fixedBatch;
  // With images this large, running one by itself costs little more.
  if (imagesAtOnce(compared, bench.images.shape) < compared) return null;
  const model = freeBatch(file.model, plan.name);
  if (model === null) return null;
  let session: InferenceSession | null = null;
  try {
    session = await openSession(runtime, encodeModel(model), heavy);
    if (await answersAlike({ ...bench, session }, bench, plan, plan.fixedBatch)) return session;
  } catch {
    // The graph depends on its batch in some other way: it is run as it is.
  }
  await session?.release();
  return null;
}

/** Holds one run of several batches against as many runs of one. */
async function answersAlike(freed: Bench, fixed: Bench, plan: InputPlan, batch: number): Promise<boolean> {
  const scale = trialScales(plan)[0]!;
  const together = await trial(freed, { ...plan, fixedBatch: null }, COMPARED_RUNS * batch, scale);
  for (let start = 0; start < COMPARED_RUNS * batch; start += batch) {
    const alone = await trial(fixed, plan, batch, scale, start);
    for (const { name } of fixed.tensors) {
      const [all, part] = [together[name], alone[name]];
      const [values, expected] = [all && toDoubles(all), part && toDoubles(part)];
      if (!values || !expected || values.length !== COMPARED_RUNS * expected.length) return false;
      const offset = (start / batch) * expected.length;
      if (!expected.every((value, i) => isClose(values[offset + i]!, value))) return false;
    }
  }
  return true;
}

function isClose(value: number, expected: number): boolean {
  return Math.abs(value - expected) <= RELATIVE_TOLERANCE * Math.max(1, Math.abs(expected));
}
