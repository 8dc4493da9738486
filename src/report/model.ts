import type { Evaluation, ScoreMeaning } from "../types.ts";
import { bytes, count, speed } from "./format.ts";

/** What a score says, in words. */
export const MEANINGS = {
  probabilities: "probabilities that sum to 1",
  "log-probabilities": "logarithms of probabilities",
  "one-vs-rest": "one score in 0–1 a class, not summing to 1: divided by their sum for the log loss",
  logits: "logits, turned into probabilities by softmax",
  labels: "the predicted class alone, without scores",
} as const satisfies Record<ScoreMeaning, string>;

/** What the model is, as terms and texts; empty for a model that is behind an endpoint. */
export function modelFacts({
  scorer: { model },
  imagesPerSecond,
}: Pick<Evaluation, "scorer" | "imagesPerSecond">): (readonly [term: string, text: string])[] {
  const pace =
    imagesPerSecond === null ? [] : [["Speed", `${speed(imagesPerSecond)}, scoring alone`] as const];
  if (model === undefined) return pace;
  const { opset, irVersion, producer, fixedBatch } = model;
  const format = [
    ...(opset === null ? [] : [`ONNX opset ${opset}`]),
    ...(irVersion === null ? [] : [`IR ${irVersion}`]),
    ...(producer === null ? [] : [`written by ${producer}`]),
  ];
  const batch = fixedBatch === null ? "" : `, always ${count(fixedBatch)} at a time`;
  return [
    ["Parameters", count(model.parameters)],
    ["File size", bytes(model.bytes)],
    ...(format.length === 0 ? [] : [["Format", format.join(", ")] as const]),
    ["Input", `${model.input}${batch}`],
    ["Output", `${model.output}: ${MEANINGS[model.meaning]}`],
    ...pace,
  ];
}
