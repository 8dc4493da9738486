import type { ModelFacts } from "../types.ts";
import { dataTypes } from "./onnx-proto.ts";
import { weightsOf, type ModelFile } from "./model-file.ts";

/** Newest that the runtime knows: onnxruntime 1.30. */
export const NEWEST = { opset: 26, irVersion: 13 } as const;

/** Operators whose cost grows faster than reading their input: worth more than one thread, and batches that fit a cache. */
const HEAVY = new Set([
  "Conv",
  "ConvTranspose",
  "ConvInteger",
  "QLinearConv",
  "LSTM",
  "GRU",
  "RNN",
  "Attention",
]);
const MANY_PARAMETERS = 1_000_000;

export type FileFacts = Pick<ModelFacts, "bytes" | "parameters" | "opset" | "irVersion" | "producer">;

/** What the file alone tells of a model. */
export function fileFacts({ bytes, model }: ModelFile): FileFacts {
  let parameters = 0;
  for (const { dims, dataType } of weightsOf(model.graph ?? {})) {
    // int64 tensors are shapes and axes, not weights.
    if (dataType !== dataTypes.int64) parameters += (dims ?? []).reduce((product, size) => product * size, 1);
  }
  // scikit-learn's exports keep their weights in the attributes of one operator.
  for (const { domain, attribute } of model.graph?.node ?? []) {
    if (domain !== "ai.onnx.ml") continue;
    for (const { floats } of attribute ?? []) parameters += floats?.length ?? 0;
  }
  const opset = model.opsetImport?.find(
    ({ domain }) => domain === undefined || domain === "" || domain === "ai.onnx",
  );
  const producer = [model.producerName, model.producerVersion].filter((part) => part).join(" ");
  return {
    bytes,
    parameters,
    opset: opset?.version ?? null,
    irVersion: model.irVersion ?? null,
    producer: producer === "" ? null : producer,
  };
}

/** Whether scoring costs enough for threads to pay. */
export function isHeavy({ model }: ModelFile, { parameters }: FileFacts): boolean {
  return (
    parameters > MANY_PARAMETERS || (model.graph?.node ?? []).some(({ opType }) => HEAVY.has(opType ?? ""))
  );
}
