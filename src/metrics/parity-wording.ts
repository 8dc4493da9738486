import type { Differences, Judgement, Precision } from "./parity-judgement.ts";
import { grouped } from "../grouped.ts";

/** What is behind a skew. */
export interface Likeness {
  readonly kind: "preprocessing" | "class order" | "other weights" | "another model";
  /** As the end of a sentence, after a colon. */
  readonly reason: string;
}

const ROUNDING = {
  float32: "rounding",
  float16: "rounding, as float16 or TF32 arithmetic gives",
  bfloat16: "rounding, as bfloat16 arithmetic gives",
  "8-bit": "rounding, as weights quantised to 8 bits give",
} as const satisfies Record<Precision["name"], string>;

/**
 * The verdict and its reason, as one sentence without its full stop.
 *
 * @param model the local model's name
 * @example "The service and mnist-logreg.onnx agree on 9,998 of 10,000 images; the largest probability difference is 3e-7: rounding"
 */
export function parityStatement(
  differences: Differences,
  judgement: Judgement,
  model: string,
  likeness: Likeness | null,
): string {
  if (differences.images === 0) {
    return `No image was answered by both the service and ${model}, so that nothing can be compared`;
  }
  const both = `The service and ${model} agree on ${agreementText(differences)}`;
  const { differing, largest } = differences;
  if (largest === null) return `${both}; ${labelsReason(differences, judgement, likeness)}`;
  if (differing === 0 && largest === 0) return `${both}, with the same probabilities`;
  return `${both}; the largest probability difference is ${figure(largest)}: ${reason(judgement, likeness)}`;
}

/** `all 10,000 images`, `9,998 of 10,000 images`, `the only image`. */
function agreementText({ images, differing }: Differences): string {
  if (images === 1) return differing === 0 ? "the only image" : "0 of 1 image";
  if (differing === 0) return `all ${grouped(images)} images`;
  return `${grouped(images - differing)} of ${grouped(images)} images`;
}

function reason({ verdict, precision }: Judgement, likeness: Likeness | null): string {
  if (verdict === "identical") return "identical but for rounding";
  if (verdict === "rounding") return ROUNDING[precision ?? "float32"];
  return likeness?.reason ?? "more than rounding";
}

function labelsReason({ gap }: Differences, { verdict }: Judgement, likeness: Likeness | null): string {
  if (verdict === "identical") return "labels alone can be compared";
  if (verdict === "skew") return `labels alone can be compared: ${likeness?.reason ?? "more than rounding"}`;
  const ties =
    gap === null ? "" : `, and those that differ are near ties, their two classes within ${figure(gap)}`;
  return `labels alone can be compared${ties}: rounding or slightly different weights, which so few labels do not tell apart`;
}

/** Two digits that say something: `3.1e-7`, `0.0074`, `0.98`. */
export function figure(value: number): string {
  return String(Number(value.toPrecision(2)));
}
