import { isMainThread } from "node:worker_threads";
import type { InferenceSession } from "onnxruntime-node";

import { ScorerError } from "../errors.ts";
import { fileFacts, isHeavy, NEWEST, type FileFacts } from "./facts.ts";
import { checkUnchanged, readModel, type ModelFile } from "./model-file.ts";
import { encodeModel } from "./onnx-proto.ts";
import { runtimeMessage } from "./outputs.ts";
import { unzipped, type Unzipped } from "./zip-map.ts";

export type Runtime = typeof import("onnxruntime-node");

/** A model that was read, before it is known which images it shall score. */
export interface LoadedModel {
  readonly file: ModelFile;
  readonly facts: FileFacts;
  /** Convolutions and the like: worth all processors, and batches that fit a cache. */
  readonly heavy: boolean;
  readonly runtime: Runtime;
  readonly session: InferenceSession;
  /** Of outputs whose columns go by the model's own names for its classes. */
  readonly columns: Unzipped["columns"];
}

/** Fatal errors alone: what a run fails with is thrown too, and the runtime would print it as well. */
const FATAL_ONLY = 4;

/**
 * Reads a model and opens it with the runtime. Apart from `openModel`, because it takes long and needs nothing of the
 * data set.
 *
 * @throws ScorerError where the file is missing, is no model, or cannot be run
 */
export async function loadModel(path: string): Promise<LoadedModel> {
  const [read, runtime] = await Promise.all([readModel(path), loadRuntime()]);
  const facts = fileFacts(read);
  const heavy = isHeavy(read, facts);
  const maps = read.external ? null : unzipped(read.model);
  const [file, columns] = maps === null ? [read, new Map()] : [{ ...read, model: maps.model }, maps.columns];
  let session: InferenceSession | null = null;
  try {
    // By path, so that weights in a file beside the model are found.
    session = await openSession(runtime, maps === null ? path : encodeModel(maps.model), heavy);
    await checkUnchanged(file);
    return { file, facts, heavy, runtime, session, columns };
  } catch (error) {
    await session?.release();
    // What is wrong with a model that changed is that it changed.
    await checkUnchanged(file);
    throw new ScorerError(`${path} ${whyNot(facts, runtimeMessage(error))}`, { cause: error });
  }
}

const TELEMETRY_SWITCH = "ORT_DISABLE_TELEMETRY";

/**
 * Keeps the runtime from sending events to its maker and from writing a device id, a database and a log. It looks at the
 * process's environment when its library is loaded. A thread has only a copy of that: the main thread calls this before
 * it starts one.
 *
 * @throws ScorerError in a thread that was started without
 */
export function forbidTelemetry(): void {
  if (isMainThread) process.env[TELEMETRY_SWITCH] = "1";
  else if (process.env[TELEMETRY_SWITCH] !== "1") {
    throw new ScorerError(
      `onnxruntime-node would send events to its maker from this thread: set process.env.${TELEMETRY_SWITCH} = "1" in the main thread before starting it`,
    );
  }
}

/**
 * The runtime. Its native part does not know Float16Array, which Node 24 brought and which its JavaScript part uses where
 * it sees one: it is out of sight until the latter has looked, at its first tensor.
 */
export async function loadRuntime(): Promise<Runtime> {
  forbidTelemetry();
  const runtime = await import("onnxruntime-node");
  const holder = globalThis as { Float16Array?: unknown };
  const { Float16Array } = holder;
  if (Float16Array === undefined) return runtime;
  delete holder.Float16Array;
  try {
    new runtime.Tensor("uint8", [0], [1]).dispose();
  } finally {
    Object.defineProperty(globalThis, "Float16Array", {
      value: Float16Array,
      writable: true,
      configurable: true,
    });
  }
  return runtime;
}

/** @param model path or content of an ONNX file */
export function openSession(
  runtime: Runtime,
  model: string | Uint8Array,
  heavy: boolean,
): Promise<InferenceSession> {
  const options = { intraOpNumThreads: heavy ? 0 : 1, logSeverityLevel: FATAL_ONLY } as const;
  return typeof model === "string"
    ? runtime.InferenceSession.create(model, options)
    : runtime.InferenceSession.create(model, options);
}

function whyNot({ opset, irVersion }: FileFacts, message: string): string {
  if (opset !== null && opset > NEWEST.opset) {
    return `uses ONNX operator set ${opset}, but at most ${NEWEST.opset} can be run: export it with a lower opset_version`;
  }
  if (irVersion !== null && irVersion > NEWEST.irVersion) {
    return `has the ONNX format version ${irVersion}, but at most ${NEWEST.irVersion} can be read: export it with an older onnx package`;
  }
  const operator = /(?:Fatal error: |No Op registered for )([\w.:]+)/.exec(message)?.[1];
  if (operator !== undefined) {
    return `uses the operator ${operator}, which the runtime does not have: export it with standard operators`;
  }
  return `cannot be run (${message}): export it again, and check it with onnx.checker`;
}
