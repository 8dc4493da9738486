import { UsageError } from "../errors.ts";
import type { Estimate, GateResult } from "../types.ts";
import { DOUBTS } from "./doubts.ts";
import { nearest } from "./nearest.ts";
import {
  comparisonText,
  digitsApart,
  isEqual,
  OPERATOR_NAMES,
  OPERATORS,
  type Operator,
} from "./operators.ts";
import { SERVICE_METRIC_NAMES, SERVICE_METRICS, type GatedRun, type ServiceMetricName } from "./service.ts";
import {
  CLASS_METRICS,
  computeClassMetrics,
  METRIC_NAMES,
  METRICS,
  type ClassMetricName,
  type Metric,
  type MetricName,
} from "./table.ts";
import { rangeOf, shareOf, type Range } from "./unanswered.ts";
import { grouped } from "../grouped.ts";

type Subject =
  | { readonly metric: MetricName | ServiceMetricName; readonly class: null }
  | { readonly metric: ClassMetricName; readonly class: string };

/** A condition that a run has to meet, as `accuracy >= 0.92` or `recall[Ankle boot] >= 80%`. */
export interface Gate {
  /** As it was written, without the spaces around it. */
  readonly expression: string;
  readonly subject: Subject;
  readonly operator: Operator;
  readonly expected: number;
}

const RUN_METRIC_NAMES = [...METRIC_NAMES, ...SERVICE_METRIC_NAMES];
const CLASS_METRIC_NAMES = Object.keys(CLASS_METRICS) as ClassMetricName[];

/**
 * Reads a gate. Without `classes` the class of a metric such as `recall[5]` is taken as it is, so that all else can
 * be checked before the data set is open; `bindGates` checks it then.
 *
 * @throws UsageError
 * @example parseGate("recall[5] >= 85%") // { subject: { metric: "recall", class: "5" }, operator: ">=", expected: 0.85, … }
 */
export function parseGate(text: string, classes?: readonly string[]): Gate {
  const expression = text.trim();
  // A class name may hold anything, brackets and operators too: it ends at the last bracket before the operator.
  const parts = /^([\w-]+)\s*(?:\[(.*)\])?\s*([<>=!~]+)\s*(.*)$/s.exec(expression);
  if (!parts)
    throw wrong(expression, "write METRIC OPERATOR NUMBER, like 'accuracy >= 0.92' or 'recall[5] >= 0.85'");
  const [, metric = "", className, operator = "", number = ""] = parts;
  const gate = {
    expression,
    subject: subjectOf(expression, metric, className?.trim()),
    operator: operatorOf(expression, operator),
    expected: numberOf(expression, number),
  };
  return classes ? bindGates([gate], classes)[0]! : gate;
}

/** The gates, each class of which is one of the data set's. @throws UsageError where one is not */
export function bindGates(gates: readonly Gate[], classes: readonly string[]): readonly Gate[] {
  for (const { expression, subject } of gates) {
    if (subject.class === null || classes.includes(subject.class)) continue;
    const meant = nearest(subject.class, classes);
    throw wrong(
      expression,
      `there is no class '${subject.class}'${didYouMean(meant)}; the classes are ${classes.join(", ")}`,
    );
  }
  return gates;
}

/** Each gate against the run, in their order. */
export function checkGates(gates: readonly Gate[], run: GatedRun): GateResult[] {
  return gates.map((gate) => {
    const { expression, subject, operator, expected } = gate;
    const metric = subject.class === null ? subject.metric : `${subject.metric}[${subject.class}]`;
    const actual = valueOf(subject, run);
    const passed = actual !== null && OPERATORS[operator].holds(actual, expected);
    const untold =
      actual === null
        ? whyUndefined(subject, run)
        : (doubt(subject, run) ?? (passed ? openOnAll(gate, actual, run) : null));
    const outcome: Pick<GateResult, "result" | "passed" | "reason"> =
      untold !== null
        ? { result: "untold", passed: false, reason: `${metric} could not be told: ${untold}` }
        : {
            result: passed ? "passed" : "failed",
            passed,
            reason: `${metric} is ${comparisonText(actual!, operator, expected)}${scopeText(subject, run)}`,
          };
    return { expression, metric, operator, expected, actual, level: null, ...outcome };
  });
}

function subjectOf(expression: string, metric: string, className: string | undefined): Subject {
  const ofRun = isOfRun(metric);
  if (className === undefined && ofRun) return { metric, class: null };
  if (className !== undefined && Object.hasOwn(CLASS_METRICS, metric)) {
    return { metric: metric as ClassMetricName, class: className };
  }
  if (Object.hasOwn(CLASS_METRICS, metric)) {
    const similar = METRIC_NAMES.filter((name) => name.startsWith(`${metric}_`));
    const instead = similar.length > 0 ? `, or one of the whole run: ${similar.join(", ")}` : "";
    throw wrong(expression, `${metric} is of one class: write ${metric}[CLASS]${instead}`);
  }
  if (ofRun) {
    throw wrong(
      expression,
      `${metric} is of the whole run; of a class there are ${CLASS_METRIC_NAMES.join(", ")}`,
    );
  }
  const meant = nearest(metric, className === undefined ? RUN_METRIC_NAMES : CLASS_METRIC_NAMES);
  throw wrong(
    expression,
    `there is no metric '${metric}'${didYouMean(meant)}; the metrics are ${RUN_METRIC_NAMES.join(", ")}, ` +
      `and of a class, as recall[CLASS], ${CLASS_METRIC_NAMES.join(", ")}`,
  );
}

function isOfRun(metric: string): metric is MetricName | ServiceMetricName {
  return Object.hasOwn(METRICS, metric) || isOfService(metric);
}

function isOfService(metric: string): metric is ServiceMetricName {
  return Object.hasOwn(SERVICE_METRICS, metric);
}

function operatorOf(expression: string, operator: string): Operator {
  if (Object.hasOwn(OPERATORS, operator)) return operator as Operator;
  throw wrong(
    expression,
    `there is no operator '${operator}'; the operators are ${OPERATOR_NAMES.join(" ")}`,
  );
}

function numberOf(expression: string, text: string): number {
  const parts = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(%?)$/i.exec(text);
  if (!parts) throw wrong(expression, `'${text}' is not a number, like 0.92 or 92%`);
  const [, digits = "", percent] = parts;
  return percent ? hundredth(digits) : Number(digits);
}

/** Moves the decimal point in the text, because dividing would round: 92.3 % is 0.923 to the last bit. */
function hundredth(digits: string): number {
  const [mantissa, exponent = "0"] = digits.toLowerCase().split("e");
  return Number(`${mantissa}e${Number(exponent) - 2}`);
}

function valueOf(subject: Subject, run: GatedRun): number | null {
  if (subject.class === null) {
    const { metric } = subject;
    return isOfService(metric) ? SERVICE_METRICS[metric].value(run) : (run.metrics[metric]?.value ?? null);
  }
  const row = run.perClass.find(({ class: name }) => name === subject.class);
  return row === undefined ? null : numberIn(row[subject.metric]);
}

const numberIn = (value: number | Estimate): number | null =>
  typeof value === "number" ? value : value.value;

function whyUndefined(subject: Subject, run: GatedRun): string {
  if (subject.class === null && isOfService(subject.metric)) {
    return SERVICE_METRICS[subject.metric].whyUndefined(run);
  }
  const { confusionMatrix, calibration, perClass } = run;
  if (confusionMatrix.every((row) => row.every((count) => count === 0))) return "no image was scored";
  if (subject.class !== null && !perClass.some((row) => row.class === subject.class))
    return "the run has no such class";
  const { needsProbabilities, needs } =
    subject.class === null ? METRICS[subject.metric as MetricName] : CLASS_METRICS[subject.metric];
  if (needsProbabilities && calibration === null) {
    const giver = run.scorer?.kind === "endpoint" ? "endpoint" : "model";
    return `it needs probabilities, and the ${giver} gives labels only`;
  }
  return `it needs ${needs}`;
}

/** Why a defined value cannot decide; times and counts of failures are what they are in any run. */
function doubt({ metric }: Subject, run: GatedRun): string | null {
  if (isOfService(metric) && metric !== "parity") return null;
  return DOUBTS.map((reasonOf) => reasonOf(run)).find((reason) => reason !== null) ?? null;
}

/** Whether images without a prediction keep a gate that passes from deciding, with both figures; null: they do not. */
function openOnAll({ subject, operator, expected }: Gate, actual: number, run: GatedRun): string | null {
  const range = rangeOnAll(subject, run);
  const { holds } = OPERATORS[operator];
  if (range === null || (holds(range.low, expected) && holds(range.high, expected))) return null;
  const { dataset, failures } = run;
  const [figure, how] = holds(range.low, expected) ? [range.high, "right"] : [range.low, "wrong"];
  const others = isEqual(range.low, range.high) ? "" : ` if the other ${grouped(failures!.count)} are ${how}`;
  return (
    `it is ${digitsApart(actual, expected)} on the ${grouped(dataset!.scored)} images with a prediction, but ` +
    `${digitsApart(figure, expected)} on all ${grouped(dataset!.images)}${others}`
  );
}

/** Between what a number that counts images lies on all of them; null where it counts none, or all have a prediction. */
function rangeOnAll(subject: Subject, run: GatedRun): Range | null {
  const { dataset, failures, confusionMatrix, perClass, parity } = run;
  if (!dataset || !failures || failures.count === 0) return null;
  if (subject.class !== null) {
    const names = perClass.map(({ class: name }) => name);
    const c = names.indexOf(subject.class);
    if (CLASS_METRICS[subject.metric].needsProbabilities) return null;
    return rangeOf(confusionMatrix, failures, (matrix) =>
      numberIn(computeClassMetrics(matrix, null, names)[c]![subject.metric]),
    );
  }
  const { metric } = subject;
  if (metric === "parity")
    return parity
      ? shareOf(parity.agreement.value ?? 0, parity.images, dataset.images - parity.images)
      : null;
  if (isOfService(metric)) return null;
  const entry: Metric = METRICS[metric];
  if (!entry.needsProbabilities)
    return rangeOf(confusionMatrix, failures, (matrix) => entry.compute(matrix).value);
  if (!entry.share) return null;
  return shareOf(run.metrics[metric]?.value ?? 0, dataset.scored, failures.count);
}

/** Which images a metric is of, where some have no prediction. */
function scopeText({ metric }: Subject, { dataset, failures }: GatedRun): string {
  if (!dataset || !failures || failures.count === 0 || (isOfService(metric) && metric !== "parity"))
    return "";
  return `, on the ${grouped(dataset.scored)} of ${grouped(dataset.images)} images with a prediction`;
}

function wrong(expression: string, problem: string): UsageError {
  return new UsageError(`--gate '${expression}': ${problem}`);
}

function didYouMean(names: readonly string[]): string {
  return names.length === 0 ? "" : `: did you mean ${names.join(" or ")}?`;
}
