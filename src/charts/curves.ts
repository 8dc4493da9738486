import type { Layer } from "./chart.ts";
import { fitText, widestOf } from "./text.ts";
import { colors, sizes } from "./theme.ts";

/** A curve that is there for comparison only. */
const GREY = "#b4bbc4";
const LABEL_SIZE = sizes.subtitle;
const LABEL_LINE = 20;
/** From a point of a curve to the text that belongs to it. */
const LEADER = 30;
const MARGIN = 6;
const NAME_LIMIT = 160;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A curve that is drawn in colour, with what is written beside it. */
export interface NamedCurve {
  readonly class: string;
  readonly color: string;
  readonly text: string;
  /** The point of the curve that the text belongs to, in pixels from the plot's top left corner. */
  readonly at: Point;
}

/** A class name that leaves room for figures beside it. */
export function shortName(name: string): string {
  return fitText(name, NAME_LIMIT, LABEL_SIZE);
}

/** One-vs-rest curves of a chart and the plot they are in, in pixels from the plot's top left corner. */
export interface CurvePlot {
  readonly width: number;
  readonly height: number;
  readonly named: readonly NamedCurve[];
  /** What is written about the curves without a label of their own, or null where there are none. */
  readonly others: string | null;
  /** The side of the points on which texts below the curves stand: the one to which curves rise. */
  readonly side: "left" | "right";
  /** Height of the lowest curve at a place, from the top. */
  readonly lowest: (x: number) => number;
}

/** A line of text, and the point that a leader joins it to. */
export interface Label {
  readonly text: string;
  readonly color: string;
  readonly x: number;
  readonly y: number;
  readonly at: Point | null;
}

/** Where the texts stand: below all curves where there is room, else at the top, on the other side if they fit. */
export function labels({ width, height, named, others, side, lowest }: CurvePlot) {
  const order = [...named].sort((a, b) => a.at.y - b.at.y);
  const texts = [...order.map((n) => n.text), ...(others === null ? [] : [others])];
  const at = order[0]?.at.x ?? width / 2;
  const room = widestOf(texts, LABEL_SIZE) + MARGIN;
  const places = { right: Math.min(at + LEADER, width - room), left: Math.max(at - LEADER, room) };
  const otherSide = side === "right" ? "left" : "right";
  const below = lowest(places[side]) + LABEL_LINE;
  const isBelow = below + (texts.length - 0.5) * LABEL_LINE <= height;
  const fitsThere = Math.abs(places[otherSide] - at) === LEADER;
  const chosen = isBelow || !fitsThere ? side : otherSide;
  const top = isBelow ? below : LABEL_LINE;
  return {
    align: chosen === "right" ? ("left" as const) : ("right" as const),
    lines: texts.map((text, i): Label => {
      const { color = colors.muted, at = null } = order[i] ?? {};
      return { text, color, x: places[chosen], y: top + i * LABEL_LINE, at };
    }),
  };
}

function pixels(field: string) {
  return { field, type: "quantitative" as const, scale: null, axis: null };
}

/** Dots on the curves, leaders and texts. */
export function labelLayers(plot: CurvePlot): Layer[] {
  const { align, lines } = labels(plot);
  const leaders = lines.flatMap(({ color, x, y, at }) => (at ? [{ color, x, y, atX: at.x, atY: at.y }] : []));
  const color = { field: "color", type: "nominal" as const, scale: null };
  const on = { x: pixels("atX"), y: pixels("atY"), color };
  return [
    {
      data: { values: leaders },
      mark: { type: "rule", strokeWidth: 1 },
      encoding: { ...on, x2: { field: "x" }, y2: { field: "y" } },
    },
    {
      data: { values: leaders },
      mark: { type: "point", filled: true, opacity: 1, size: 60 },
      encoding: on,
    },
    {
      data: { values: lines.map(({ text, x, y }) => ({ text, x, y })) },
      mark: { type: "text", align, dx: align === "left" ? MARGIN : -MARGIN, fontSize: LABEL_SIZE },
      encoding: { x: pixels("x"), y: pixels("y"), text: { field: "text", type: "nominal" } },
    },
  ];
}

interface Axis {
  readonly type: "quantitative";
}

/**
 * The curves, greys below and the worst class on top.
 * @param axes the encodings of both axes, without their field
 */
export function curveLayer(
  curves: readonly { readonly class: string; readonly points: readonly Point[] }[],
  named: readonly { readonly class: string; readonly color: string }[],
  {
    x,
    y,
    interpolate,
  }: { readonly x: Axis; readonly y: Axis; readonly interpolate: "linear" | "step-before" },
): Layer {
  const rank = new Map(named.map((n, i) => [n.class, i]));
  const rankOf = (c: { readonly class: string }) => rank.get(c.class) ?? named.length;
  const values = [...curves]
    .sort((a, b) => rankOf(b) - rankOf(a))
    .flatMap((c) => {
      const color = named[rankOf(c)]?.color;
      const look = { class: c.class, color: color ?? GREY, width: color ? 2.25 : 1.25 };
      return c.points.map((point) => ({ ...look, ...point }));
    });
  return {
    data: { values },
    // The points are in order already.
    mark: { type: "line", interpolate, order: false },
    encoding: {
      x: { ...x, field: "x" },
      y: { ...y, field: "y" },
      color: { field: "color", type: "nominal", scale: null },
      strokeWidth: { field: "width", type: "quantitative", scale: null },
      detail: { field: "class", type: "nominal" },
    },
  };
}
