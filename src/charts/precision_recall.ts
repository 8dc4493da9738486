import type { TopLevelSpec } from "vega-lite";
import type { ClassCurves, Evaluation } from "../types.ts";
import { highlighted, namesOf, range, smallest, worstFirst } from "./areas.ts";
import type { Chart, Layer } from "./chart.ts";
import { type CurvePlot, curveLayer, labelLayers, shortName, type Point } from "./curves.ts";
import { colors, fixedFrame } from "./theme.ts";
import { counted, percent, score } from "./wording.ts";

const HEIGHT = 560;
const ROOM = { left: 72, right: 56, top: 8, bottom: 52 };
/** Recalls at which every class keeps at least this precision are not drawn: there is nothing to see. */
const HIGH = 0.97;
/** Where the recall axis may begin, with the recall at which the chart then reads off the worst curves. */
const STARTS: readonly Omit<Part, "floor">[] = [
  ...[0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8].map((from) => ({ from, readAt: 0.9 })),
  { from: 0.9, readAt: 0.95 },
  { from: 0.95, readAt: 0.98 },
];
/** Where the precision axis may begin: at the last of these that is below all curves. */
const FLOORS = [0, 0.5, 0.8];
const F1_LINES = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
/** Points that are closer together than these shares of the plot are drawn as one: about two pixels. */
const NEAR = { width: 0.003, height: 0.005 };

/** One-vs-rest precision-recall curve of each class, from the recall on at which the first class loses precision. */
export const precision_recall: Chart = { title, description, spec };

type Curve = NonNullable<ClassCurves["precision_recall"]>;

interface NamedClass {
  readonly class: string;
  readonly curve: Curve;
}

function areasOf(e: Evaluation) {
  return worstFirst(e.perClass, (c) => c.average_precision);
}

function curvesOf(e: Evaluation): readonly NamedClass[] {
  const classes = e.curves?.classes ?? [];
  return classes.flatMap((c) => (c.precision_recall ? [{ class: c.class, curve: c.precision_recall }] : []));
}

function title(e: Evaluation): string {
  const areas = areasOf(e);
  const [worst] = areas;
  if (!e.curves || !worst) return "There are no probabilities to draw precision-recall curves from";
  if (worst.area === 1) return "Every class is found whole without a false alarm: average precision 1";
  const tied = smallest(areas);
  const precision = `average precision ${score(worst.area)}`;
  if (areas.length > 1 && tied.length === areas.length) {
    return `All classes are equally hard to find without false alarms: ${precision}`;
  }
  return `${namesOf(tied)} ${tied.length === 1 ? "is" : "are"} hardest to find without false alarms: ${precision}`;
}

/** The part of the unit square that is drawn: where the axes begin, and the recall that is read off. */
interface Part {
  readonly from: number;
  readonly floor: number;
  readonly readAt: number;
}

function subtitle(e: Evaluation, { from, readAt }: Part): string {
  const macro = e.metrics["average_precision_macro"]?.value ?? null;
  const mean = macro === null ? "" : `Mean of the classes: ${score(macro)}. `;
  const left =
    from === 0 ? "" : ` At ${percent(from, 0)}, where the axis begins, all still reach ${percent(HIGH, 0)}.`;
  const binned = e.curves?.exact === false ? " From binned scores." : "";
  return `${mean}Each class against all others, up and right is better; “right” is the precision where ${percent(readAt, 0)} of the class are found.${left}${binned}`;
}

function description(e: Evaluation): string {
  const rows = areasOf(e).map((a) => `${a.class} ${score(a.area)}`);
  return `One-vs-rest precision-recall curves. Average precision, smallest first: ${rows.join(", ")}.`;
}

function spec(e: Evaluation): TopLevelSpec | null {
  const curves = curvesOf(e);
  if (curves.length === 0) return null;
  const start = firstRecall(curves);
  const drawn = curves.map((c) => ({ class: c.class, points: points(c.curve, start.from) }));
  const lowest = Math.min(...drawn.flatMap((c) => c.points.map((point) => point.y)));
  const part = { ...start, floor: FLOORS.findLast((precision) => precision <= lowest) ?? 0 };
  const heading = { title: title(e), subtitle: subtitle(e, part), description: description(e) };
  const base = fixedFrame({ ...heading, height: HEIGHT }, ROOM);
  const plot = plotOf(e, curves, { ...base, ...part });
  const axes = { x: axisX(part), y: axisY(part) };
  return {
    ...base,
    layer: [
      ...equalF1(part, axes),
      reading(part, axes),
      curveLayer(drawn, plot.named, { ...axes, interpolate: "step-before" }),
      ...labelLayers(plot),
    ],
  };
}

/** Where the recall axis begins: at the last place from which on all classes still reach a high precision. */
function firstRecall(curves: readonly NamedClass[]) {
  const first = curves.map(({ curve }) => {
    const last = curve.precision.findLastIndex((precision) => precision >= HIGH);
    return curve.recall[last] ?? 0;
  });
  const end = Math.min(...first);
  return STARTS.findLast(({ from }) => from <= end) ?? { from: 0, readAt: 0.9 };
}

/** Precision at the first threshold that finds this share of the class. */
function precisionAt({ recall, precision }: Curve, share: number): number {
  return precision[recall.findIndex((r) => r >= share)] ?? 0;
}

/** The curve from a recall on, to where the whole class is found for the first time. */
function points(curve: Curve, from: number): readonly Point[] {
  let last = { x: from, y: precisionAt(curve, from) };
  const drawn = [last];
  curve.recall.forEach((x, i) => {
    const y = curve.precision[i] ?? 0;
    const near = x - last.x < NEAR.width * (1 - from) && Math.abs(y - last.y) < NEAR.height;
    if (x <= from || last.x >= 1 || (near && x < 1)) return;
    last = { x, y };
    drawn.push(last);
  });
  return drawn;
}

interface View extends Part {
  readonly width: number;
  readonly height: number;
}

function plotOf(e: Evaluation, curves: readonly NamedClass[], view: View): CurvePlot {
  const { width, height, from, floor, readAt } = view;
  const areas = areasOf(e);
  const yOf = (precision: number) => ((1 - precision) / (1 - floor)) * height;
  const x = ((readAt - from) / (1 - from)) * width;
  const named = highlighted(areas).flatMap(({ class: name, area, color }) => {
    const curve = curves.find((c) => c.class === name)?.curve;
    if (!curve) return [];
    const precision = precisionAt(curve, readAt);
    const text = `${shortName(name)}: average ${score(area)}, ${percent(precision, 0)} right`;
    return [{ class: name, color, text, at: { x, y: yOf(precision) } }];
  });
  const rest = areas.slice(named.length);
  const others =
    named.length === 0 ? counted(rest.length, "class", "classes") : counted(rest.length, "other");
  return {
    width,
    height,
    named,
    others: rest.length === 0 ? null : `${others}: average ${range(rest)}`,
    side: "left",
    lowest: (place) => {
      const recall = from + (place / width) * (1 - from);
      return Math.max(...curves.map((c) => yOf(precisionAt(c.curve, recall))));
    },
  };
}

const share = "format(datum.value * 100, '.0f') + ' %'";

function axisX({ from }: Part) {
  return {
    type: "quantitative" as const,
    title: "Recall: images of the class found",
    scale: { domain: [from, 1], nice: false, zero: false },
    axis: { labelExpr: share, labelFlush: false, labelPadding: 9, tickCount: 6 },
  };
}

function axisY({ floor }: Part) {
  return {
    type: "quantitative" as const,
    title: "Precision: those found that are right",
    scale: { domain: [floor, 1], nice: false, zero: false },
    axis: { labelExpr: share, tickCount: 6 },
  };
}

interface Axes {
  readonly x: ReturnType<typeof axisX>;
  readonly y: ReturnType<typeof axisY>;
}

function reading({ readAt }: Part, { x }: Axes): Layer {
  return {
    data: { values: [{ x: readAt }] },
    mark: { type: "rule", color: colors.rule, strokeDash: [4, 3] },
    encoding: { x: { ...x, field: "x" } },
  };
}

/** The precision that makes this F1 with a recall, from F1 = 2·precision·recall / (precision + recall). */
function precisionOf(f1: number, recall: number): number {
  return (f1 * recall) / (2 * recall - f1);
}

/** Lines along which F1 is the same. */
function equalF1({ from, floor }: Part, { x, y }: Axes): Layer[] {
  const drawn = F1_LINES.filter((f1) => precisionOf(f1, 1) >= floor);
  const lines = drawn.flatMap((f1) => {
    const start = Math.max(from, f1 / (2 - f1));
    return Array.from({ length: 25 }, (_, i) => {
      const recall = start + (1 - start) * (i / 24) ** 2;
      return { f1, recall, precision: precisionOf(f1, recall) };
    });
  });
  const ends = drawn.map((f1) => ({ recall: 1, precision: precisionOf(f1, 1), text: `F1 ${f1}` }));
  const encoding = { x: { ...x, field: "recall" }, y: { ...y, field: "precision" } };
  return [
    {
      data: { values: lines },
      mark: { type: "line", color: colors.rule, strokeWidth: 1, strokeDash: [1, 3] },
      encoding: { ...encoding, detail: { field: "f1", type: "nominal" } },
    },
    {
      data: { values: ends },
      mark: { type: "text", align: "left", dx: 8, color: colors.muted },
      encoding: { ...encoding, text: { field: "text", type: "nominal" } },
    },
  ];
}
