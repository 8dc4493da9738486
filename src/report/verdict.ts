import type { ClassMetrics, Evaluation, GateResult } from "../types.ts";
import { count, counted, level, percent, range } from "./format.ts";

/** `undefined`: no gate failed, but one could not be told because its metric is undefined in this run. */
export type Outcome = "passed" | "failed" | "undefined" | "none";

/** What a reader wants to know first, in words that every report shares. */
export interface Verdict {
  readonly outcome: Outcome;
  /** `1 of 2 gates failed`; empty without gates. */
  readonly gates: string;
  /** `accuracy 92.04 % (95 % interval 91.49–92.55 %)` */
  readonly accuracy: string;
  /** `9,204 of 10,000 correct` */
  readonly correct: string;
}

export function verdict(evaluation: Evaluation): Verdict {
  const accuracy = evaluation.metrics["accuracy"] ?? { value: null, interval: null };
  const { interval } = accuracy;
  const bounds = interval === null ? "" : ` (${level(interval)} interval ${range(interval, "percent")})`;
  return {
    ...gateVerdict(evaluation.gates),
    accuracy: accuracy.value === null ? "accuracy undefined" : `accuracy ${percent(accuracy.value)}${bounds}`,
    correct: `${count(correctImages(evaluation))} of ${count(evaluation.dataset.images)} correct`,
  };
}

function gateVerdict(gates: readonly GateResult[]): Pick<Verdict, "outcome" | "gates"> {
  if (gates.length === 0) return { outcome: "none", gates: "" };
  const failed = gates.filter((gate) => gateOutcome(gate) === "failed").length;
  const untold = gates.filter((gate) => gateOutcome(gate) === "undefined").length;
  const of = (n: number) => `${count(n)} of ${counted(gates.length, "gate")}`;
  const parts = [
    ...(failed > 0 ? [`${of(failed)} failed`] : []),
    ...(untold > 0 ? [`${of(untold)} undefined`] : []),
  ];
  if (parts.length === 0) return { outcome: "passed", gates: `${of(gates.length)} passed` };
  return { outcome: failed > 0 ? "failed" : "undefined", gates: parts.join(", ") };
}

/** A gate whose metric is undefined did not fail: it could not be told. */
export function gateOutcome({ passed, actual }: GateResult): "passed" | "failed" | "undefined" {
  if (passed) return "passed";
  return actual === null ? "undefined" : "failed";
}

/** Sum of the confusion matrix's diagonal. */
export function correctImages({ confusionMatrix }: Evaluation): number {
  return confusionMatrix.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
}

/** The class with the lowest F1, the first of several; null where all are equal or none is defined. */
export function weakestClass({ perClass }: Evaluation): ClassMetrics | null {
  const defined = perClass.filter(({ f1 }) => f1.value !== null);
  const values = defined.map(({ f1 }) => f1.value ?? 0);
  const lowest = Math.min(...values);
  if (defined.length < 2 || lowest === Math.max(...values)) return null;
  return defined[values.indexOf(lowest)] ?? null;
}

/** `3 of 10,003 images have no prediction`; empty where every image has one. */
export function failureSentence({ failures, dataset }: Evaluation): string {
  if (failures.count === 0) return "";
  const all = counted(dataset.images + failures.count, "image");
  return `${count(failures.count)} of ${all} ${failures.count === 1 ? "has" : "have"} no prediction`;
}

/** `unit: x/255` and so on: what the model was given. */
export function preprocessingText({ scorer }: Evaluation): string {
  const { scale, layout, invert } = scorer.preprocessing;
  return `scale ${scale} (${SCALES[scale]}), layout ${layout} (${LAYOUTS[layout]}), ${invert ? "inverted" : "not inverted"}`;
}

const SCALES = { unit: "x/255", raw: "x", mnist: "(x/255 − 0.1307)/0.3081", signed: "x/127.5 − 1" } as const;
const LAYOUTS = { flat: "[n, h·w]", nhw: "[n, h, w]", nchw: "[n, 1, h, w]", nhwc: "[n, h, w, 1]" } as const;
