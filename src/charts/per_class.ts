import type { TopLevelSpec } from "vega-lite";
import type { ClassMetrics, Estimate, Evaluation } from "../types.ts";
import type { Chart, Layer } from "./chart.ts";
import { listed, percent, wholeNumber } from "./wording.ts";
import { widestOf } from "./text.ts";
import { colors, fixedFrame, headingHeight, PADDING, sizes } from "./theme.ts";

const MEASURES = ["recall", "precision", "F1"] as const;
type Measure = (typeof MEASURES)[number];

const MEASURE_COLORS = [colors.right, colors.wrong, colors.muted];
const ABOVE = 32;
const BELOW = 26;
/** Half of the last tick's label stands right of the plot. */
const LAST_LABEL = 20;
const CLASS_LIMIT = 160;
const CLASS_GAP = 8;
const NOTE_GAP = 16;
const SUPPORT = "Images";

/** Recall, precision and F1 of each class with their intervals, the least recognised class first. */
export const per_class: Chart = { title, description, spec };

function title(e: Evaluation): string {
  const recalls = e.perClass.flatMap(({ recall }) => (recall.value === null ? [] : [recall.value]));
  if (recalls.length === 0) return "No class has an image";
  const least = Math.min(...recalls);
  const share = percent(least);
  if (least === 1) return "Every class is recognised in full: no image is missed";
  if (recalls.length > 1 && least === Math.max(...recalls)) {
    return `All ${recalls.length} classes are recognised equally: ${share} of their images`;
  }
  const worst = e.perClass.filter((c) => c.recall.value === least).map((c) => c.class);
  if (recalls.length === 1)
    return `${worst[0]} is the only class with images: ${share} of them are recognised`;
  const all = `${recalls.length} classes`;
  if (worst.length === 1) return `${worst[0]} is recognised least of ${all}: ${share} of its images`;
  const names = worst.length > 3 ? wholeNumber(worst.length) : listed(worst);
  return `${names} of ${all} are recognised least: ${share} of their images`;
}

function subtitle(e: Evaluation): string {
  const level = e.perClass.find((c) => c.recall.interval)?.recall.interval?.level;
  const lines = level === undefined ? "" : ` Lines: ${percent(level, 0)} intervals.`;
  return `Recall: share of the class's images recognised. Precision: share of its predictions right.${lines}${lowest(e)}`;
}

/** How sure the recall is of the class that the title picks. */
function lowest({ weakestClass }: Evaluation): string {
  const interval = weakestClass?.recall.interval;
  if (!weakestClass || !interval) return "";
  const { low, high, simultaneous } = interval;
  return ` As the lowest of ${simultaneous}, ${weakestClass.class}'s recall is ${percent(low)} to ${percent(high)}.`;
}

function description(e: Evaluation): string {
  const rows = worstFirst(e.perClass).map((c) => {
    const figures = MEASURES.map((name) => `${name} ${shown(estimate(c, name))}`);
    return `${c.class}: ${figures.join(", ")} of ${wholeNumber(c.support)}`;
  });
  return `Recall, precision and F1 of each class, least recall first. ${rows.join("; ")}.`;
}

function spec(e: Evaluation): TopLevelSpec {
  const classes = worstFirst(e.perClass);
  const points = classes
    .flatMap((c) => MEASURES.map((name) => point(c, name)))
    .filter((p) => p.value !== null);
  const notes = classes.map((c) => ({ class: c.class, note: note(c) }));
  const step = classes.length > 30 ? 20 : classes.length > 12 ? 26 : 36;
  const heading = { title: title(e), subtitle: subtitle(e), description: description(e) };
  const names = widestOf(e.dataset.classes, sizes.label);
  const beside = NOTE_GAP + widestOf([...notes.map((n) => n.note), SUPPORT], sizes.label);
  const room = {
    left: Math.max(LAST_LABEL, CLASS_GAP + Math.min(CLASS_LIMIT, names)),
    right: Math.max(LAST_LABEL, beside),
    top: ABOVE,
    bottom: BELOW,
  };
  const height = 2 * PADDING + headingHeight(heading) + ABOVE + BELOW + classes.length * step;
  const base = fixedFrame({ ...heading, height }, room);
  return {
    ...base,
    encoding: { y: rows },
    layer: [whiskers(points), dots(points, step), ...support(notes, base.width)],
  };
}

const rows = {
  field: "class",
  type: "nominal" as const,
  sort: null,
  scale: { padding: 0 },
  axis: {
    title: null,
    grid: true,
    tickBand: "extent" as const,
    labelLimit: CLASS_LIMIT,
    labelPadding: CLASS_GAP,
  },
};
const color = {
  field: "measure",
  type: "nominal" as const,
  title: null,
  scale: { domain: [...MEASURES], range: MEASURE_COLORS },
  legend: { orient: "top" as const, symbolSize: 70, symbolOpacity: 1, offset: 16 },
};
const offset = {
  field: "measure",
  type: "nominal" as const,
  scale: { domain: [...MEASURES], paddingOuter: 0.7 },
};

function whiskers(points: readonly Point[]): Layer {
  return {
    data: { values: points.filter((p) => p.low !== null) },
    mark: { type: "rule", strokeWidth: 1.5, opacity: 0.5 },
    encoding: { x: { field: "low", type: "quantitative" }, x2: { field: "high" }, yOffset: offset, color },
  };
}

function dots(points: readonly Point[], step: number): Layer {
  return {
    data: { values: [...points] },
    mark: { type: "point", filled: true, opacity: 1, size: step > 30 ? 70 : 40 },
    encoding: {
      x: {
        field: "value",
        type: "quantitative",
        title: null,
        scale: { domain: domain(points), nice: true, zero: false },
        axis: { labelExpr: "format(datum.value * 100, '.4~g') + ' %'", labelFlush: false, tickCount: 8 },
      },
      yOffset: offset,
      color,
      shape: {
        field: "measure",
        type: "nominal",
        title: null,
        scale: { domain: [...MEASURES], range: ["circle", "square", "diamond"] },
      },
    },
  };
}

/** How many images each class has, in a column right of the plot. */
function support(
  notes: readonly { readonly class: string; readonly note: string }[],
  width: number,
): Layer[] {
  const x = { value: width + NOTE_GAP };
  return [
    {
      data: { values: [...notes] },
      mark: { type: "text", align: "left", color: colors.muted },
      encoding: { x, text: { field: "note", type: "nominal" } },
    },
    {
      data: { values: [{}] },
      mark: { type: "text", align: "left", baseline: "bottom", color: colors.muted, text: SUPPORT },
      encoding: { x, y: { value: -6 } },
    },
  ];
}

function worstFirst(classes: readonly ClassMetrics[]): readonly ClassMetrics[] {
  return [...classes].sort((a, b) => (a.recall.value ?? 2) - (b.recall.value ?? 2));
}

function estimate(c: ClassMetrics, name: Measure): Estimate {
  return name === "F1" ? c.f1 : c[name];
}

function shown({ value }: Estimate): string {
  return value === null ? "undefined" : percent(value);
}

type Point = ReturnType<typeof point>;

function point(c: ClassMetrics, name: Measure) {
  const { value, interval } = estimate(c, name);
  return { class: c.class, measure: name, value, low: interval?.low ?? null, high: interval?.high ?? null };
}

function note(c: ClassMetrics): string {
  const images = c.support === 0 ? "no image" : wholeNumber(c.support);
  return c.predicted === 0 ? `${images}, never predicted` : images;
}

/** From the lowest to the highest thing drawn: dots need no zero, and near 100 % a zero would hide every difference. */
function domain(points: readonly Point[]): [number, number] {
  const low = Math.min(1, ...points.map((p) => p.low ?? p.value ?? 1));
  const high = Math.max(0, ...points.map((p) => p.high ?? p.value ?? 0));
  return [Math.min(low, high - 0.05), high];
}
