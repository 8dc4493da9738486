import type { TopLevelSpec } from "vega-lite";
import { wilson } from "../statistics/wilson.ts";
import type { CalibrationBin, Evaluation } from "../types.ts";
import type { Chart, Layer } from "./chart.ts";
import { percent, wholeNumber } from "./wording.ts";
import { widestOf } from "./text.ts";
import { colors, fixedFrame, sizes } from "./theme.ts";

const HEIGHT = 620;
const ROOM = { left: 72, right: 22, top: 8, bottom: 48 };
/** Height of the counts' bars below the diagram, in units of its accuracy axis. */
const COUNTS = 0.2;
const COUNTS_TOP = -0.16;
const COUNTS_BOTTOM = COUNTS_TOP - COUNTS;
/** Widest count that keeps clear of its neighbours. */
const LABEL_LIMIT = 42;
const THOUSAND = 1000;
/** Below this calibration error nobody would act on the difference. */
const NEGLIGIBLE = 0.01;
/** Share of calibrated models that may be called miscalibrated. */
const SIGNIFICANCE = 0.05;
/** Share of the calibration error that has to point one way for the model as a whole to be over- or under-confident. */
const ONE_WAY = 0.75;

/** Accuracy against confidence, bin by bin: on the diagonal a model is right as often as it claims. */
export const reliability: Chart = { title, description, spec };

interface FilledBin extends CalibrationBin {
  readonly accuracy: number;
  readonly confidence: number;
}

function filled(e: Evaluation): readonly FilledBin[] {
  const bins = e.calibration?.bins ?? [];
  return bins.filter((b): b is FilledBin => b.count > 0 && b.accuracy !== null && b.confidence !== null);
}

/** The bins weighted by their counts: shares of the images, and the calibration error on each side of the diagonal. */
function summary(bins: readonly FilledBin[]) {
  let images = 0;
  let accuracy = 0;
  let confidence = 0;
  let under = 0;
  let over = 0;
  for (const b of bins) {
    images += b.count;
    accuracy += b.count * b.accuracy;
    confidence += b.count * b.confidence;
    under += b.count * Math.max(0, b.accuracy - b.confidence);
    over += b.count * Math.max(0, b.confidence - b.accuracy);
  }
  return {
    images,
    accuracy: accuracy / images,
    confidence: confidence / images,
    under: under / images,
    over: over / images,
  };
}

function title(e: Evaluation): string {
  const bins = filled(e);
  if (bins.length === 0) return "There are no probabilities to compare with the accuracy";
  const { under, over } = summary(bins);
  const error = under + over;
  if ((e.calibration?.test?.p_value ?? 1) > SIGNIFICANCE) {
    return error < NEGLIGIBLE && suffice(bins)
      ? "The model is well calibrated: it is right as often as it claims"
      : "The model's confidence fits its accuracy, as far as these images can tell";
  }
  if (error < NEGLIGIBLE) {
    return `Confidence and accuracy differ by ${percent(error)} on average: little, but not by chance`;
  }
  return direction(bins);
}

/** Whether there are images enough that an accuracy off by more than is negligible would have shown. */
function suffice(bins: readonly FilledBin[]): boolean {
  const { accuracy, images } = summary(bins);
  const interval = wilson(Math.round(accuracy * images), images)!;
  return interval.low >= accuracy - NEGLIGIBLE && interval.high <= accuracy + NEGLIGIBLE;
}

/** On which side of the diagonal a model is off: by the bins that are surely off, where there are such. */
function direction(bins: readonly FilledBin[]): string {
  const told = bins.filter(({ confidence, interval }) => {
    return interval !== null && (confidence < interval.low || confidence > interval.high);
  });
  const { under, over } = summary(told.length > 0 ? told : bins);
  const error = under + over;
  if (under >= ONE_WAY * error) return "The model is under-confident: it is right more often than it claims";
  if (over >= ONE_WAY * error) return "The model is over-confident: it is right less often than it claims";
  return "The model's confidence is off both ways: over-confident in places, under-confident in others";
}

function figures(e: Evaluation): string {
  const { accuracy, confidence } = summary(filled(e));
  const error = e.metrics["expected_calibration_error"]?.value ?? null;
  const ece = error === null ? "" : `: expected calibration error ${error.toFixed(3)}`;
  return `Mean confidence ${percent(confidence)}, accuracy ${percent(accuracy)}${ece}${chance(e)}`;
}

/** How often a calibrated model would look as much off. */
function chance({ calibration }: Evaluation): string {
  const p = calibration?.test?.p_value;
  if (p === undefined) return "";
  return p < 0.001
    ? " (test of calibration: p below 0.001)"
    : ` (test of calibration: p = ${Number(p.toPrecision(2))})`;
}

function subtitle(e: Evaluation): string {
  const bins = filled(e);
  const level = bins.find((b) => b.interval)?.interval?.level;
  const lines = level === undefined ? "" : `, lines are ${percent(level, 0)} intervals`;
  return `${figures(e)}. A dot on the diagonal would be right exactly as often as it claims${lines}; below, images in each bin.`;
}

function description(e: Evaluation): string {
  const rows = filled(e).map(
    (b) => `${percent(b.confidence)} claimed, ${percent(b.accuracy)} right of ${wholeNumber(b.count)}`,
  );
  return `Reliability diagram. ${figures(e)}. By bin of confidence: ${rows.join("; ")}.`;
}

function spec(e: Evaluation): TopLevelSpec | null {
  const bins = filled(e);
  if (bins.length === 0) return null;
  const heading = { title: title(e), subtitle: subtitle(e), description: description(e) };
  return {
    ...fixedFrame({ ...heading, height: HEIGHT }, ROOM),
    layer: [diagonal, ...dots(bins), ...counts(bins), ...sides],
  };
}

const share = "format(datum.value * 100, '.0f') + ' %'";
const x = {
  type: "quantitative" as const,
  title: "Confidence: how often the model claims to be right",
  scale: { domain: [0, 1] },
  axis: { labelExpr: share, values: [0, 0.2, 0.4, 0.6, 0.8, 1], grid: false, labelFlush: false },
};
const y = {
  type: "quantitative" as const,
  title: "Accuracy: how often it is right",
  scale: { domain: [COUNTS_BOTTOM, 1] },
  axis: { labelExpr: share, values: [0, 0.2, 0.4, 0.6, 0.8, 1] },
};

const diagonal: Layer = {
  data: { values: [{ from: 0, to: 1 }] },
  mark: { type: "rule", color: colors.rule, strokeDash: [5, 4] },
  encoding: {
    x: { ...x, field: "from" },
    x2: { field: "to" },
    y: { ...y, field: "from" },
    y2: { field: "to" },
  },
};

const sides = [
  side("left", 0.01, 0.96, "right more often than it claims: under-confident"),
  side("right", 0.99, 0.04, "right less often than it claims: over-confident"),
];

function side(align: "left" | "right", atX: number, atY: number, text: string): Layer {
  return {
    data: { values: [{ x: atX, y: atY }] },
    mark: { type: "text", align, color: colors.muted, text },
    encoding: { x: { ...x, field: "x" }, y: { ...y, field: "y" } },
  };
}

function dots(bins: readonly FilledBin[]): Layer[] {
  const values = bins.map((b) => ({
    confidence: b.confidence,
    accuracy: b.accuracy,
    low: b.interval?.low ?? b.accuracy,
    high: b.interval?.high ?? b.accuracy,
    color: b.accuracy < b.confidence ? colors.wrong : colors.right,
  }));
  const data = { values };
  const at = { ...x, field: "confidence" };
  const color = { field: "color", type: "nominal" as const, scale: null };
  return [
    {
      data,
      mark: { type: "rule", strokeWidth: 14, opacity: 0.22 },
      encoding: { x: at, y: { ...y, field: "confidence" }, y2: { field: "accuracy" }, color },
    },
    {
      data,
      mark: { type: "rule", strokeWidth: 1.5 },
      encoding: { x: at, y: { ...y, field: "low" }, y2: { field: "high" }, color },
    },
    {
      data,
      mark: { type: "point", filled: true, opacity: 1, size: 70 },
      encoding: { x: at, y: { ...y, field: "accuracy" }, color },
    },
  ];
}

function counts(bins: readonly FilledBin[]): Layer[] {
  const most = Math.max(...bins.map((b) => b.count));
  const labels = countLabels(bins.map((b) => b.count));
  const values = bins.map((b, i) => ({
    low: b.low,
    high: b.high,
    label: labels[i],
    middle: (b.low + b.high) / 2,
    count: b.count,
    bottom: COUNTS_BOTTOM,
    top: COUNTS_BOTTOM + (COUNTS * b.count) / most,
  }));
  const data = { values };
  return [
    {
      data,
      mark: { type: "rect", color: colors.rule, opacity: 0.55, stroke: colors.background },
      encoding: {
        x: { ...x, field: "low" },
        x2: { field: "high" },
        y: { ...y, field: "bottom" },
        y2: { field: "top" },
      },
    },
    {
      data,
      mark: { type: "text", baseline: "bottom", dy: -3, fontSize: sizes.label, color: colors.muted },
      encoding: {
        x: { ...x, field: "middle" },
        y: { ...y, field: "top" },
        text: { field: "label", type: "nominal" },
      },
    },
  ];
}

/** The counts in full, or all in thousands or millions where one would be wider than its bin. */
function countLabels(counts: readonly number[]): readonly string[] {
  const full = counts.map(wholeNumber);
  if (widestOf(full, sizes.label) <= LABEL_LIMIT) return full;
  return counts.map((n) => {
    if (n < THOUSAND) return wholeNumber(n);
    return n < THOUSAND ** 2 ? `${Math.round(n / THOUSAND)} k` : `${(n / THOUSAND ** 2).toFixed(1)} M`;
  });
}
