import type { Layer } from "./chart.ts";
import type { Weight } from "./text.ts";
import { sizes, weights } from "./theme.ts";

/** Marks at pixels from the plot's left and top, for pictures of several panels. Drawn in this order. */
export interface Drawing {
  readonly rules: Rule[];
  readonly boxes: Box[];
  /** Over the boxes. */
  readonly marks: Rule[];
  readonly dots: Dot[];
  readonly labels: Label[];
}

interface Rule {
  readonly x: number;
  readonly x2: number;
  readonly y: number;
  readonly y2: number;
  readonly color: string;
  readonly width: number;
}

interface Box {
  readonly x: number;
  readonly x2: number;
  readonly y: number;
  readonly y2: number;
  readonly color: string;
}

interface Dot {
  readonly x: number;
  readonly y: number;
  readonly color: string;
}

interface Label {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly color: string;
  readonly align: "left" | "center" | "right";
  readonly weight: Weight;
}

const DOT = 26;
const ALIGNS = ["left", "center", "right"] as const;
const WEIGHTS = ["regular", "semibold"] as const;
const pixels = { type: "quantitative", scale: null, axis: null } as const;
const position = { x: { ...pixels, field: "x" }, y: { ...pixels, field: "y" } };
const extent = { ...position, x2: { field: "x2" }, y2: { field: "y2" } };
const color = { field: "color", type: "nominal", scale: null } as const;

export function newDrawing(): Drawing {
  return { rules: [], boxes: [], marks: [], dots: [], labels: [] };
}

/** A layer for each kind of mark that there is. */
export function layersOf({ rules, boxes, marks, dots, labels }: Drawing): Layer[] {
  const lines = (values: readonly Rule[]): Layer => ({
    data: { values: [...values] },
    mark: "rule",
    encoding: { ...extent, color, strokeWidth: { field: "width", type: "quantitative", scale: null } },
  });
  const rects: Layer = { data: { values: boxes }, mark: "rect", encoding: { ...extent, color } };
  const points: Layer = {
    data: { values: dots },
    mark: { type: "point", filled: true, opacity: 1, size: DOT },
    encoding: { ...position, color },
  };
  const texts = ALIGNS.flatMap((align) =>
    WEIGHTS.map((weight) =>
      textLayer(
        labels.filter((label) => label.align === align && label.weight === weight),
        align,
        weight,
      ),
    ),
  );
  return [
    ...(rules.length > 0 ? [lines(rules)] : []),
    ...(boxes.length > 0 ? [rects] : []),
    ...(marks.length > 0 ? [lines(marks)] : []),
    ...(dots.length > 0 ? [points] : []),
    ...texts.flat(),
  ];
}

function textLayer(values: readonly Label[], align: Label["align"], weight: Weight): Layer[] {
  if (values.length === 0) return [];
  return [
    {
      data: { values: [...values] },
      mark: { type: "text", align, baseline: "middle", fontSize: sizes.label, fontWeight: weights[weight] },
      encoding: { ...position, color, text: { field: "text", type: "nominal" } },
    },
  ];
}
