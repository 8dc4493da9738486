import type { Evaluation, Parity, ParityDifference } from "../types.ts";
import { count, difference, estimate, percent } from "./format.ts";

type Fact = readonly [term: string, text: string];

/** How service and model compare, in numbers. */
export function parityFacts({
  parity,
  metrics,
}: Pick<Evaluation, "metrics"> & { readonly parity: Parity }): Fact[] {
  const { images, agreement, maxDifference, meanDifference, modelAccuracy, model } = parity;
  const accuracy = metrics["accuracy"] ?? { value: null, interval: null };
  return [
    ["Local model", model.name],
    ["Images answered by both", count(images)],
    ["Same prediction", estimate(agreement, "percent")],
    ...(maxDifference === null
      ? [["Probabilities", "not compared: one side gives labels only"] as const]
      : [
          ["Largest difference of a probability", difference(maxDifference)] as const,
          ["Mean difference", difference(meanDifference)] as const,
        ]),
    ["Accuracy of the service", estimate(accuracy, "percent")],
    ["Accuracy of the local model", estimate(modelAccuracy, "percent")],
  ];
}

export const DIFFERENCE_HEADS = ["index", "true", "service", "model"] as const;

/** The cells of one image on which they differ. */
export function differenceCells(image: ParityDifference): readonly [string, string, string, string] {
  const { index, truth, endpoint, model, endpointConfidence, modelConfidence } = image;
  return [String(index), truth, said(endpoint, endpointConfidence), said(model, modelConfidence)];
}

/** `7 (98.2 %)` */
function said(label: string, confidence: number | null): string {
  return confidence === null ? label : `${label} (${percent(confidence, 1)})`;
}
