import type { TopLevelSpec } from "vega-lite";
import type { ConfidenceBin, Evaluation } from "../types.ts";
import type { Chart, Layer } from "./chart.ts";
import { counted, percent, wholeNumber } from "./wording.ts";
import { colors, fixedFrame, sizes, weights } from "./theme.ts";

const HEIGHT = 520;
const ROOM = { left: 72, right: 14, top: 4, bottom: 48 };
/** The confidence above which the chart says how often the model is right, where it is an edge between bins. */
const THRESHOLD = 0.9;
/** A share of all images in one bin from which the bins do not show whether right and wrong ones differ. */
const NEARLY_ALL = 0.99;
/** The tallest bar of each side is 1 high; beyond is room for a line of text. */
const END = 1.16;
const TEXT = 1.1;
const ROUNDING = 1e-9;

/** How the model's confidence is spread over its correct and its wrong predictions. */
export const confidence: Chart = { title, description, spec };

function sums(bins: readonly ConfidenceBin[]) {
  let correct = 0;
  let wrong = 0;
  for (const b of bins) {
    correct += b.correct;
    wrong += b.wrong;
  }
  return { correct, wrong, images: correct + wrong };
}

function above(bins: readonly ConfidenceBin[], threshold: number) {
  return bins.filter((b) => b.low >= threshold - ROUNDING);
}

/** The edge between bins that lies nearest to 0.9. */
function thresholdOf(bins: readonly ConfidenceBin[]): number {
  return bins.reduce(
    (best, b) => (Math.abs(b.low - THRESHOLD) < Math.abs(best - THRESHOLD) ? b.low : best),
    0,
  );
}

/** The one bin that holds nearly all correct and nearly all wrong predictions, where there is such a bin. */
function onlyBin(bins: readonly ConfidenceBin[]): ConfidenceBin | undefined {
  const all = sums(bins);
  if (all.correct === 0 || all.wrong === 0) return undefined;
  return bins.find((b) => b.correct >= NEARLY_ALL * all.correct && b.wrong >= NEARLY_ALL * all.wrong);
}

function title(e: Evaluation): string {
  const bins = e.confidence?.bins ?? [];
  const all = sums(bins);
  if (all.images === 0) return "There are no probabilities to tell right from wrong predictions";
  const only = onlyBin(bins);
  if (only) {
    return `Right or wrong, nearly every prediction has a confidence of ${short(only.low)} to ${short(only.high)}`;
  }
  const threshold = thresholdOf(bins);
  const sure = sums(above(bins, threshold));
  const edge = short(threshold);
  if (sure.images === 0) return `No prediction has a confidence above ${edge}`;
  const predictions = `of the ${counted(sure.images, "prediction")} above ${edge} confidence`;
  if (sure.wrong === 0) return `None ${predictions} is wrong`;
  if (sure.correct === 0) return `None ${predictions} is right`;
  return `Above ${edge} confidence it is right ${percent(sure.correct / sure.images)} of the time`;
}

function subtitle(e: Evaluation): string {
  const bins = e.confidence?.bins ?? [];
  const all = sums(bins);
  const sure = sums(above(bins, thresholdOf(bins)));
  const own = all.wrong === 0 ? "" : " Each side has its own scale.";
  const reading = `Predictions by the probability of the predicted class.${own}`;
  if (sure.images === 0 || sure.images === all.images || onlyBin(bins)) return reading;
  const rest = (all.images - sure.images) / all.images;
  const mistakes = all.wrong === 0 ? "" : holding(all.wrong - sure.wrong, all.wrong, rest);
  return `That is ${percent(sure.images / all.images)} of the images${mistakes}. ${reading}`;
}

function holding(wrong: number, allWrong: number, share: number): string {
  return `; the other ${percent(share)} hold ${percent(wrong / allWrong)} of the mistakes`;
}

function description(e: Evaluation): string {
  const bins = e.confidence?.bins ?? [];
  const rows = [0.5, 0.6, 0.7, 0.8, 0.9].map((threshold) => {
    const { correct, wrong } = sums(above(bins, threshold));
    return `above ${threshold}: ${wholeNumber(correct)} correct, ${wholeNumber(wrong)} wrong`;
  });
  return `Two histograms of the confidence, of correct and of wrong predictions. Predictions ${rows.join("; ")}.`;
}

function short(edge: number): string {
  return String(Number(edge.toFixed(3)));
}

function spec(e: Evaluation): TopLevelSpec | null {
  const bins = e.confidence?.bins ?? [];
  const all = sums(bins);
  if (all.images === 0) return null;
  const most = {
    correct: Math.max(0, ...bins.map((b) => b.correct)),
    wrong: Math.max(0, ...bins.map((b) => b.wrong)),
  };
  const heading = { title: title(e), subtitle: subtitle(e), description: description(e) };
  const shared = { x: axisX(bins), y: axisY(most) };
  return {
    ...fixedFrame({ ...heading, height: HEIGHT }, ROOM),
    layer: [
      bars(bins, most, shared),
      {
        data: { values: [{ y: 0 }] },
        mark: { type: "rule", color: colors.rule },
        encoding: { y: { ...shared.y, field: "y" } },
      },
      ...threshold(bins, shared),
      ...names(all, shared),
    ],
  };
}

type Most = Readonly<Record<"correct" | "wrong", number>>;
type Axes = Readonly<{ x: ReturnType<typeof axisX>; y: ReturnType<typeof axisY> }>;

const tenths = Array.from({ length: 11 }, (_, i) => i / 10);

/** From the first filled bin, or from 0.5 where all is above, to 1. */
function axisX(bins: readonly ConfidenceBin[]) {
  const first = bins.find((b) => b.correct + b.wrong > 0)?.low ?? 0;
  const from = Math.min(0.5, Math.floor(first * 10 + ROUNDING) / 10);
  return {
    type: "quantitative" as const,
    title: "Confidence: the probability of the predicted class",
    scale: { domain: [from, 1], nice: false },
    axis: { format: ".1f", grid: false, labelFlush: false, values: tenths.filter((tenth) => tenth >= from) },
  };
}

/** Shares of the tallest bar: correct upwards, wrong downwards, labelled with counts. */
function axisY(most: Most) {
  const values = [...ticks(most.correct), ...ticks(most.wrong).map((share) => -share)];
  const label = `format(round(datum.value < 0 ? -datum.value * ${most.wrong} : datum.value * ${most.correct}), ',')`;
  return {
    type: "quantitative" as const,
    title: "Predictions",
    scale: { domain: [-END, END], nice: false },
    axis: { values, labelExpr: label },
  };
}

/** Two to five round counts up to the tallest bar, as shares of it. */
function ticks(most: number): number[] {
  if (most === 0) return [];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? rough);
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => (i * step) / most);
}

function bars(bins: readonly ConfidenceBin[], most: Most, { x, y }: Axes): Layer {
  const values = bins.flatMap(({ low, high, correct, wrong }) => [
    {
      low,
      high,
      predictions: "correct",
      count: correct,
      height: correct / most.correct,
      color: colors.right,
    },
    { low, high, predictions: "wrong", count: wrong, height: -wrong / most.wrong, color: colors.wrong },
  ]);
  return {
    data: { values: values.filter((bar) => bar.count > 0) },
    mark: { type: "rect", stroke: colors.background, strokeWidth: 1 },
    encoding: {
      x: { ...x, field: "low" },
      x2: { field: "high" },
      y: { ...y, field: "height" },
      y2: { datum: 0 },
      color: { field: "color", type: "nominal", scale: null },
    },
  };
}

function threshold(bins: readonly ConfidenceBin[], { x, y }: Axes): Layer[] {
  const edge = thresholdOf(bins);
  const { correct, wrong } = sums(above(bins, edge));
  const values = [
    { edge, y: TEXT, text: `${wholeNumber(correct)} correct above ${short(edge)}` },
    { edge, y: -TEXT, text: `${wholeNumber(wrong)} wrong above ${short(edge)}` },
  ];
  return [
    {
      data: { values: [{ edge }] },
      mark: { type: "rule", color: colors.ink, strokeDash: [4, 3] },
      encoding: { x: { ...x, field: "edge" } },
    },
    {
      data: { values },
      mark: { type: "text", align: "right", dx: -8 },
      encoding: { x: { ...x, field: "edge" }, y: { ...y, field: "y" }, text: { field: "text" } },
    },
  ];
}

function names(all: ReturnType<typeof sums>, { y }: Axes): Layer[] {
  const values = [
    { y: TEXT, text: `${wholeNumber(all.correct)} correct predictions`, color: colors.right },
    { y: -TEXT, text: `${wholeNumber(all.wrong)} wrong predictions`, color: colors.wrong },
  ];
  return [
    {
      data: { values },
      mark: { type: "text", align: "left", fontSize: sizes.subtitle, fontWeight: weights.semibold },
      encoding: {
        x: { value: 8 },
        y: { ...y, field: "y" },
        text: { field: "text" },
        color: { field: "color", type: "nominal", scale: null },
      },
    },
  ];
}
