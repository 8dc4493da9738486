import type { Evaluation } from "../types.ts";
import type { Layer, LayeredSpec } from "./chart.ts";
import { textWidth, widestOf } from "./text.ts";
import { headingHeight, PADDING, type Room, sizes, WIDTH } from "./theme.ts";

/** One cell of a drawn matrix; `fill` and `ink` are colours. */
export interface Cell {
  readonly truth: string;
  readonly predicted: string;
  readonly fill: string;
  readonly ink: string;
  readonly text: string;
}

const AXIS_TITLE = 22;
const LABEL_GAP = 8;
const LABEL_LINE = 16;
const LABEL_LIMIT = 130;
const CELL_MARGIN = 4;
/** Pixels between cells, which more classes than these have no room for. */
const GAP = 1.5;
const MOST_WITH_GAPS = 30;
/** Rows are at most and at least this high, and share `ROWS_HEIGHT` in between. */
const ROW = { most: 110, least: 14 } as const;
const ROWS_HEIGHT = 460;

/** Where things stand in a picture of a k×k matrix, truth downwards, predictions across. */
export interface MatrixLayout {
  readonly room: Room;
  readonly height: number;
  readonly cell: { readonly width: number; readonly height: number };
  readonly labelAngle: 0 | -90;
}

/** @param margin pixels around the cells, for what a chart writes there */
export function matrixLayout(
  { dataset: { classes } }: Evaluation,
  heading: { readonly title: string; readonly subtitle: string },
  margin: { readonly left?: number; readonly right: number; readonly bottom: number },
): MatrixLayout {
  const label = Math.min(widestOf(classes, sizes.label), LABEL_LIMIT);
  const left = Math.max(AXIS_TITLE + label + LABEL_GAP, margin.left ?? 0);
  const width = (WIDTH - 2 * PADDING - left - margin.right) / classes.length;
  const upright = label <= width - CELL_MARGIN || widestOf(classes, sizes.label) <= sizes.label;
  const rowHeight = Math.min(ROW.most, Math.max(ROW.least, ROWS_HEIGHT / classes.length));
  const room = {
    left,
    right: margin.right,
    top: AXIS_TITLE + LABEL_GAP + (upright ? LABEL_LINE : label),
    bottom: margin.bottom,
  };
  const outside = 2 * PADDING + headingHeight(heading) + room.top + room.bottom;
  return {
    room,
    height: Math.round(outside + rowHeight * classes.length),
    cell: { width, height: (Math.round(outside + rowHeight * classes.length) - outside) / classes.length },
    labelAngle: upright ? 0 : -90,
  };
}

/** Whether text of the usual size fits into a cell. */
export function fitsCell(text: string, { cell }: MatrixLayout): boolean {
  return textWidth(text, sizes.label) <= cell.width - CELL_MARGIN && cell.height >= sizes.label + CELL_MARGIN;
}

/**
 * The layers that both pictures of the matrix share: filled cells and their texts, on the two axes.
 * @param gap the colour between cells
 */
export function matrixLayers(
  classes: readonly string[],
  cells: readonly Cell[],
  layout: MatrixLayout,
  gap: string,
): { readonly encoding: NonNullable<LayeredSpec["encoding"]>; readonly layer: readonly Layer[] } {
  const axis = { labelLimit: LABEL_LIMIT, labelOverlap: false, labelPadding: LABEL_GAP, titlePadding: 8 };
  const scale = { domain: [...classes], padding: 0 };
  const across = {
    ...(layout.labelAngle === 0 ? {} : ({ labelAlign: "left", labelBaseline: "middle" } as const)),
    labelAngle: layout.labelAngle,
    orient: "top",
    title: "Predicted",
  } as const;
  const position = { type: "nominal", sort: null, scale } as const;
  return {
    encoding: {
      x: { ...position, field: "predicted", axis: { ...axis, ...across } },
      y: { ...position, field: "truth", axis: { ...axis, title: "Truth" } },
    },
    layer: [
      {
        data: { values: [...cells] },
        mark: { type: "rect", stroke: gap, strokeWidth: classes.length > MOST_WITH_GAPS ? 0 : GAP },
        encoding: { color: { field: "fill", type: "nominal", scale: null } },
      },
      {
        data: { values: cells.filter(({ text }) => text !== "") },
        mark: { type: "text", fontSize: sizes.label },
        encoding: {
          text: { field: "text", type: "nominal" },
          color: { field: "ink", type: "nominal", scale: null },
        },
      },
    ],
  };
}
