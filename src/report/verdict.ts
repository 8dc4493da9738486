import type { Evaluation, GateResult } from "../types.ts";
import { count, counted, level, percent, range } from "./format.ts";
import { pinningOptions } from "./preprocessing.ts";

/** `untold`: no gate failed, but one could not be told. */
export type Outcome = GateResult["result"] | "none";

/** What a reader wants to know first, in words that every report shares. */
export interface Verdict {
  readonly outcome: Outcome;
  /** `1 of 2 gates failed`; empty without gates. */
  readonly gates: string;
  /** `accuracy 92.04 % (95 % interval 91.49–92.55 %)` */
  readonly accuracy: string;
  /** `9,204 of 10,000 correct`, how many images are without a prediction, and what these could make of the accuracy. */
  readonly correct: string;
}

export function verdict(evaluation: Evaluation): Verdict {
  const accuracy = evaluation.metrics["accuracy"] ?? { value: null, interval: null };
  const { interval } = accuracy;
  const bounds = interval === null ? "" : ` (${level(interval)} interval ${range(interval, "percent")})`;
  const repeats = evaluation.repeatability?.repeatable === false ? ", not repeatable" : "";
  return {
    ...gateVerdict(evaluation.gates),
    accuracy:
      accuracy.value === null
        ? "accuracy undefined"
        : `accuracy ${percent(accuracy.value)}${bounds}${repeats}${tunedOnScored(evaluation)}`,
    correct: correctSentence(evaluation),
  };
}

/** Said where x/255 was left because that suits the scored images. */
function tunedOnScored({ preflight }: Evaluation): string {
  if (preflight?.source !== "scored images") return "";
  const options = pinningOptions(preflight.chosen);
  if (options === "") return "";
  const remedy = preflight.chosen.transpose ? "" : ` (name ${options} to settle it)`;
  return `, pixels fed as suits these images best${remedy}`;
}

function gateVerdict(gates: readonly GateResult[]): Pick<Verdict, "outcome" | "gates"> {
  if (gates.length === 0) return { outcome: "none", gates: "" };
  const failed = gates.filter(({ result }) => result === "failed").length;
  const untold = gates.filter(({ result }) => result === "untold").length;
  const all = counted(gates.length, "gate");
  if (failed > 0) {
    return {
      outcome: "failed",
      gates: `${count(failed)} of ${all} failed${untold > 0 ? `, ${untold} could not be told` : ""}`,
    };
  }
  if (untold > 0) return { outcome: "untold", gates: `${count(untold)} of ${all} could not be told` };
  return { outcome: "passed", gates: `${count(gates.length)} of ${all} passed` };
}

function correctSentence(evaluation: Evaluation): string {
  const { dataset, failures } = evaluation;
  const correct = `${count(correctImages(evaluation))} of ${count(dataset.scored)} correct`;
  if (failures.accuracyRange === null) return correct;
  const all = range(failures.accuracyRange, "percent");
  return `${correct}, ${count(failures.count)} more without a prediction: ${all} counting these as wrong or as right`;
}

/** Sum of the confusion matrix's diagonal. */
export function correctImages({ confusionMatrix }: Evaluation): number {
  return confusionMatrix.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
}
