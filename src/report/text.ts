import { withoutCommand } from "../text/visible.ts";
import type { Evaluation, GateResult } from "../types.ts";
import { definition } from "./definitions.ts";
import { count, counted, duration, measured, percent, range, speed, styled, UNDEFINED } from "./format.ts";
import { serviceLines } from "./text-service.ts";
import { matrixLines } from "./text-matrix.ts";
import {
  abbreviate,
  type Color,
  fill,
  type Paint,
  padEnd,
  padStart,
  painter,
  plainText,
  width,
  wrap,
} from "./terminal.ts";
import { correctImages, type Outcome, verdict } from "./verdict.ts";

export interface SummaryOptions {
  /** Width of the terminal in characters. */
  readonly columns: number;
  readonly color: boolean;
}

const NAME_COLUMNS = 24;
const COLUMN_GAP = 4;
const CONFUSIONS = 3;
const WARNINGS = 3;
const KEY_METRICS = [
  "balanced_accuracy",
  "f1_macro",
  "matthews_corrcoef",
  "top_2_accuracy",
  "log_loss",
  "brier_score",
  "roc_auc_macro",
  "expected_calibration_error",
];
const LOOKS: Readonly<Record<Outcome, readonly [sign: string, color: Color]>> = {
  passed: ["✓ ", "green"],
  failed: ["✗ ", "red"],
  untold: ["? ", "yellow"],
  none: ["", "bold"],
};

/** The summary of a run for a person at a terminal: lines without trailing spaces, and no line break at the end. */
export function summaryText(evaluation: Evaluation, { columns, color }: SummaryOptions): string {
  const paint = painter(color);
  const blocks = [
    headline(evaluation, columns, paint),
    metricLines(evaluation, columns),
    serviceLines(evaluation, columns, paint),
    matrixLines(evaluation, columns, paint),
    weaknesses(evaluation, columns),
    notes(evaluation, columns, paint),
    evaluation.gates.flatMap((gate) => gateLines(gate, columns, paint)),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map(withoutCommand).join("\n"))
    .join("\n\n");
}

function headline(evaluation: Evaluation, columns: number, paint: Paint): string[] {
  const { scorer, dataset, durationSeconds, imagesPerSecond, preflight } = evaluation;
  const { outcome, gates, accuracy, correct } = verdict(evaluation);
  const [sign, color] = LOOKS[outcome];
  const parts = [...correct.split(", "), ...(gates === "" ? [] : gates.split(", "))];
  const first = sign + (sign === "" ? `A${accuracy.slice(1)}` : accuracy);
  const took = durationSeconds === null ? "" : `, ${duration(durationSeconds)}`;
  const pace = imagesPerSecond === null ? "" : `, ${speed(imagesPerSecond)}`;
  const about = `${plainText(scorer.name)} on ${plainText(dataset.name)} ${plainText(dataset.split)}${took}${pace}`;
  return [
    ...fill([first, ...parts], ", ", columns, " ".repeat(sign.length)).map((line) => paint(color, line)),
    ...wrap(about, columns, "  "),
    ...(preflight === null ? [] : wrap(preflight.statement, columns, "  ")),
  ];
}

interface Row {
  readonly label: string;
  readonly value: string;
  readonly range: string;
}

function metricLines({ metrics }: Evaluation, columns: number): string[] {
  const rows = KEY_METRICS.flatMap((key): Row[] => {
    const found = metrics[key];
    if (found === undefined) return [];
    const { label, style } = definition(key);
    return [{ label, value: styled(found.value, style), range: range(found.interval, style) }];
  });
  const half = Math.ceil(rows.length / 2);
  const [left, right] = [aligned(rows.slice(0, half)), aligned(rows.slice(half))];
  const leftWidth = Math.max(0, ...left.map(width)) + COLUMN_GAP;
  const lines =
    leftWidth + Math.max(0, ...right.map(width)) <= columns
      ? left.map((line, i) => (padEnd(line, leftWidth) + (right[i] ?? "")).trimEnd())
      : aligned(rows);
  return rows.some(({ value }) => value === UNDEFINED)
    ? [...lines, `${UNDEFINED} undefined in this run`]
    : lines;
}

function aligned(rows: readonly Row[]): string[] {
  const labels = Math.max(0, ...rows.map(({ label }) => label.length));
  const values = Math.max(0, ...rows.map(({ value }) => value.length));
  return rows.map(
    ({ label, value, range }) =>
      `${padEnd(label, labels)}  ${padStart(value, values)}${range && `  ${range}`}`,
  );
}

function weaknesses(evaluation: Evaluation, columns: number): string[] {
  return [strongestConfusions(evaluation), weakestClass(evaluation)].flatMap((parts) =>
    parts.length === 0 ? [] : fill(parts, ", ", columns, "  "),
  );
}

function strongestConfusions({ topConfusions }: Evaluation): string[] {
  const [first, ...others] = topConfusions.slice(0, CONFUSIONS).map((confusion) => {
    const { true: truth, predicted, count: n, rate, interval } = confusion;
    const times = n === 1 ? "once" : `${count(n)} times`;
    const least = interval === null ? "" : `, at least ${percent(interval.low, 1)}`;
    return `${name(truth)} as ${name(predicted)}: ${times} (${percent(rate, 1)}${least})`;
  });
  if (first === undefined) return [];
  const possible = topConfusions[0]!.interval?.simultaneous ?? 1;
  return [`Strongest confusions${possible > 1 ? ` of ${count(possible)}` : ""}: ${first}`, ...others];
}

function weakestClass({ weakestClass: weakest, perClass }: Evaluation): string[] {
  const entry = perClass.find((each) => each.class === weakest?.class);
  if (weakest === null || entry === undefined) return [];
  const { value, interval } = weakest.recall;
  const bounds = interval === null ? "" : ` (${range(interval, "percent")})`;
  const all = interval?.simultaneous === undefined ? "" : `, the lowest of ${count(interval.simultaneous)}`;
  return [
    `Weakest class: ${name(weakest.class)}`,
    `recall ${percent(value)}${bounds}${all}`,
    `precision ${percent(entry.precision.value)}`,
    `F1 ${percent(entry.f1.value)}`,
  ];
}

function name(text: string): string {
  return abbreviate(plainText(text), NAME_COLUMNS);
}

function notes({ warnings }: Evaluation, columns: number, paint: Paint): string[] {
  const hidden = warnings.length - WARNINGS;
  const lines = [
    ...warnings.slice(0, WARNINGS).map((warning) => `! ${plainText(warning)}`),
    ...(hidden > 0 ? [`! and ${counted(hidden, "more warning")}`] : []),
  ];
  return lines.flatMap((line) => wrap(line, columns, "  ")).map((line) => paint("yellow", line));
}

function gateLines(gate: GateResult, columns: number, paint: Paint): string[] {
  const [sign, color] = LOOKS[gate.result];
  const detail = gate.result === "passed" ? `measured ${measured(gate)}` : plainText(gate.reason);
  const words = `${plainText(gate.expression)}: ${detail}`;
  const lines = wrap(`${sign}${words}`, columns, "  ");
  return lines.map((line) => paint(color, line));
}

/** The summary of a run for a program: `--json` prints it as one object. */
export function summaryJson(evaluation: Evaluation, outDir: string): object {
  const { metrics, dataset, scorer, gates, failures, warnings, parity, repeatability, latency } = evaluation;
  return {
    schemaVersion: evaluation.schemaVersion,
    verdict: verdict(evaluation).outcome,
    accuracy: metrics["accuracy"] ?? { value: null, interval: null },
    correct: correctImages(evaluation),
    images: dataset.images,
    scored: dataset.scored,
    failures: failures.count,
    dataset: { name: dataset.name, split: dataset.split },
    scorer: { kind: scorer.kind, name: scorer.name },
    metrics: Object.fromEntries(Object.entries(metrics).map(([key, { value }]) => [key, value])),
    parity: parity && {
      verdict: parity.verdict,
      statement: parity.statement,
      agreement: parity.agreement,
      maxDifference: parity.maxDifference,
    },
    repeatability,
    latency: latency?.perRequest ?? null,
    gates,
    warnings,
    out: outDir,
  };
}
