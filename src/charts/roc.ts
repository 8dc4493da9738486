import type { TopLevelSpec } from "vega-lite";
import type { ClassCurves, Evaluation } from "../types.ts";
import { highlighted, namesOf, range, smallest, worstFirst } from "./areas.ts";
import type { Chart, Layer } from "./chart.ts";
import { type CurvePlot, curveLayer, labelLayers, shortName } from "./curves.ts";
import { colors, fixedFrame } from "./theme.ts";
import { counted, percent, score } from "./wording.ts";

const HEIGHT = 560;
const ROOM = { left: 72, right: 22, top: 8, bottom: 52 };
/** The false-positive rate at which the chart reads off the worst curves. */
const READ_AT = 0.01;
/** The axis begins at the first of these rates at which so many images are false positives: left of it is noise. */
const STARTS = [0.002, 0.005, 0.01];
const FEWEST = 10;
/** Where the true-positive rate may begin: at the last of these below all curves. Thinned curves bear no closer look. */
const FLOORS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
/** Points are added so that a straight stretch of the curve is bent as the logarithmic axis bends it. */
const POINTS_A_DECADE = 12;
/** Points that are closer together than these shares of the plot are drawn as one: about two pixels. */
const NEAR = { width: 0.003, height: 0.005 };

/** One-vs-rest ROC curve of each class, with a logarithmic false-positive rate that spreads the corner that matters. */
export const roc: Chart = { title, description, spec };

type Roc = NonNullable<ClassCurves["roc"]>;

function areasOf(e: Evaluation) {
  return worstFirst(e.perClass, (c) => c.roc_auc);
}

function title(e: Evaluation): string {
  const areas = areasOf(e);
  const [worst] = areas;
  if (!e.curves || !worst) return "There are no probabilities to draw ROC curves from";
  const tied = smallest(areas);
  if (worst.area === 1) return "Every class is separated from all others: ROC AUC 1";
  const auc = `ROC AUC ${score(worst.area)}`;
  if (areas.length > 1 && tied.length === areas.length)
    return `All classes are equally hard to separate: ${auc}`;
  return `${namesOf(tied)} ${tied.length === 1 ? "is" : "are"} hardest to separate: ${auc}`;
}

function subtitle(e: Evaluation, readAt: number): string {
  const macro = e.metrics["roc_auc_macro"]?.value ?? null;
  const mean = macro === null ? "" : `Mean of the classes: ${score(macro)}. `;
  const binned = e.curves?.exact === false ? " From binned scores." : "";
  const found = `“found” is read off where ${percent(readAt, 0)} of the other images are taken for the class`;
  return `${mean}Each class against all others, higher is better; ${found}.${binned}`;
}

function description(e: Evaluation): string {
  const rows = areasOf(e).map((a) => `${a.class} ${score(a.area)}`);
  return `One-vs-rest ROC curves. Area under the curve, smallest first: ${rows.join(", ")}.`;
}

function spec(e: Evaluation): TopLevelSpec | null {
  const curves = (e.curves?.classes ?? []).flatMap((c) => (c.roc ? [{ class: c.class, roc: c.roc }] : []));
  if (curves.length === 0) return null;
  const from = firstRate(e);
  const drawn = curves.map((c) => ({ class: c.class, points: points(c.roc, from) }));
  const lowest = Math.min(...drawn.map((c) => c.points[0]?.y ?? 0));
  const floor = FLOORS.findLast((rate) => rate <= lowest) ?? 0;
  const readAt = from < READ_AT ? READ_AT : READ_AT * 10;
  const heading = { title: title(e), subtitle: subtitle(e, readAt), description: description(e) };
  const base = fixedFrame({ ...heading, height: HEIGHT }, ROOM);
  const plot = plotOf(e, curves, { ...base, from, floor, readAt });
  const axes = { x: axisX(from), y: axisY(floor) };
  return {
    ...base,
    layer: [
      ...(floor === 0 ? chance(from, axes) : []),
      reading(readAt, axes),
      curveLayer(drawn, plot.named, { ...axes, interpolate: "linear" }),
      ...labelLayers(plot),
    ],
  };
}

interface View {
  readonly width: number;
  readonly height: number;
  /** Where the two axes begin. */
  readonly from: number;
  readonly floor: number;
  /** The false-positive rate that is read off. */
  readonly readAt: number;
}

function plotOf(
  e: Evaluation,
  curves: readonly { readonly class: string; readonly roc: Roc }[],
  { width, height, from, floor, readAt }: View,
): CurvePlot {
  const areas = areasOf(e);
  const decades = -Math.log10(from);
  const yOf = (rate: number) => ((1 - rate) / (1 - floor)) * height;
  const x = (1 + Math.log10(readAt) / decades) * width;
  const named = highlighted(areas).flatMap(({ class: name, area, color }) => {
    const curve = curves.find((c) => c.class === name)?.roc;
    if (!curve) return [];
    const rate = rateAt(curve, readAt);
    const text = `${shortName(name)}: AUC ${score(area)}, ${percent(rate, 0)} found`;
    return [{ class: name, color, text, at: { x, y: yOf(rate) } }];
  });
  const rest = areas.slice(named.length);
  const others =
    named.length === 0 ? counted(rest.length, "class", "classes") : counted(rest.length, "other");
  return {
    width,
    height,
    named,
    others: rest.length === 0 ? null : `${others}: AUC ${range(rest)}`,
    side: "right",
    lowest: (place) => {
      const rate = 10 ** ((place / width - 1) * decades);
      return Math.max(...curves.map((c) => yOf(rateAt(c.roc, rate))));
    },
  };
}

/** The false-positive rate at which the axis begins. */
function firstRate(e: Evaluation): number {
  const supports = e.perClass.map((c) => c.support);
  const negatives = supports.reduce((sum, n) => sum + n, 0) - Math.max(0, ...supports);
  return STARTS.find((rate) => rate * negatives >= FEWEST) ?? READ_AT;
}

/** True-positive rate at a false-positive rate, on the straight line between the curve's points. */
function rateAt({ fpr, tpr }: Roc, rate: number): number {
  let i = fpr.findLastIndex((x) => x <= rate);
  if (i < 0) return tpr[0] ?? 0;
  if (i === fpr.length - 1) i -= 1;
  const [x0, x1, y0, y1] = [fpr[i] ?? 0, fpr[i + 1] ?? 1, tpr[i] ?? 0, tpr[i + 1] ?? 1];
  return x1 === x0 ? y1 : y0 + ((y1 - y0) * (rate - x0)) / (x1 - x0);
}

/** The curve from a false-positive rate on, with as many points as a logarithmic axis needs. */
function points(curve: Roc, from: number) {
  let last = { x: from, y: rateAt(curve, from) };
  const drawn = [last];
  curve.fpr.forEach((x, i) => {
    const y = curve.tpr[i] ?? 0;
    const decades = Math.log10(x / last.x);
    const near = decades < NEAR.width * -Math.log10(from) && y - last.y < NEAR.height;
    if (x <= from || (near && x < 1)) return;
    const parts = Math.ceil(decades * POINTS_A_DECADE);
    for (let part = 1; part < parts; part++) {
      const between = last.x * (x / last.x) ** (part / parts);
      drawn.push({ x: between, y: rateAt(curve, between) });
    }
    last = { x, y };
    drawn.push(last);
  });
  return drawn;
}

function axisX(from: number) {
  return {
    type: "quantitative" as const,
    title: "False-positive rate: other images taken for the class (logarithmic)",
    scale: { type: "log" as const, domain: [from, 1], nice: false },
    axis: {
      labelExpr: "format(datum.value * 100, '~g') + ' %'",
      labelFlush: false,
      labelPadding: 9,
      values: [...new Set([from, 0.01, 0.1, 1])],
    },
  };
}

function axisY(floor: number) {
  return {
    type: "quantitative" as const,
    title: "True-positive rate: images of the class found",
    scale: { domain: [floor, 1], nice: false, zero: false },
    axis: { labelExpr: "format(datum.value * 100, '.4~g') + ' %'", tickCount: 6 },
  };
}

interface Axes {
  readonly x: ReturnType<typeof axisX>;
  readonly y: ReturnType<typeof axisY>;
}

function reading(readAt: number, { x }: Axes): Layer {
  return {
    data: { values: [{ x: readAt }] },
    mark: { type: "rule", color: colors.rule, strokeDash: [4, 3] },
    encoding: { x: { ...x, field: "x" } },
  };
}

/** What guessing gives, bent as the logarithmic axis bends it. */
function chance(from: number, { x, y }: Axes): Layer[] {
  const rates = Array.from({ length: 41 }, (_, i) => ({ rate: from ** (1 - i / 40) }));
  const encoding = { x: { ...x, field: "rate" }, y: { ...y, field: "rate" } };
  return [
    {
      data: { values: rates },
      mark: { type: "line", color: colors.rule, strokeWidth: 1, strokeDash: [5, 4] },
      encoding,
    },
    {
      data: { values: [{ rate: 0.3 }] },
      mark: { type: "text", align: "left", dx: 8, baseline: "top", color: colors.muted, text: "chance" },
      encoding,
    },
  ];
}
