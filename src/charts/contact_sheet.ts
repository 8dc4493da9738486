import type { TopLevelSpec } from "vega-lite";
import { fitText, widestOf, type Weight } from "./text.ts";
import { fixedFrame, type Heading, headingHeight, PADDING, sizes, weights, WIDTH } from "./theme.ts";

/** One image of a sheet, with its lines of text. */
export interface Frame {
  /** Data URI. */
  readonly url: string;
  readonly above: readonly Caption[];
  readonly below: readonly Caption[];
}

export interface Caption {
  readonly text: string;
  readonly color: string;
  readonly weight: Weight;
}

/** Twice the 28 pixels of an MNIST image: each is then a square of whole pixels. */
const SIDE = 56;
const LINE = 17;
const GAP = 6;
const ROW_GAP = 18;
const COLUMN_MARGIN = 8;
/** As many columns as the captions leave room for, and the last whatever they need. */
const COLUMNS = [10, 8, 6, 5] as const;
const NO_ROOM = { left: 0, right: 0, top: 0, bottom: 0 };
const SHEET = WIDTH - 2 * PADDING;

/** Images in rows, each between its captions. Every frame has as many lines above and below as the first one has. */
export function contactSheet(
  heading: Omit<Heading, "height">,
  frames: readonly Frame[],
  shape: readonly [number, number],
): TopLevelSpec {
  const columns = columnsFor(frames);
  const column = SHEET / columns;
  const linesAbove = Math.max(0, ...frames.map(({ above }) => above.length));
  const linesBelow = Math.max(0, ...frames.map(({ below }) => below.length));
  const side = { height: SIDE, width: Math.min((SIDE * shape[1]) / shape[0], column - COLUMN_MARGIN) };
  const top = linesAbove * LINE + (linesAbove > 0 ? GAP : 0);
  const row = top + side.height + (linesBelow > 0 ? GAP : 0) + linesBelow * LINE + ROW_GAP;
  const place = (i: number) => ({ x: ((i % columns) + 0.5) * column, y: Math.floor(i / columns) * row });
  const captions = frames.flatMap(({ above, below }, i) => {
    const { x, y } = place(i);
    const bottom = y + top + side.height + GAP;
    return [
      ...above.map((line, n) => caption(line, x, y + (linesAbove - above.length + n + 0.5) * LINE, column)),
      ...below.map((line, n) => caption(line, x, bottom + (n + 0.5) * LINE, column)),
    ];
  });
  const images = frames.map(({ url }, i) => {
    const { x, y } = place(i);
    return { url, x: Math.round(x - side.width / 2), y: y + top };
  });
  const height = Math.ceil(frames.length / columns) * row - ROW_GAP;
  const pixels = { type: "quantitative", scale: null, axis: null } as const;
  return {
    ...fixedFrame({ ...heading, height: 2 * PADDING + headingHeight(heading) + height }, NO_ROOM),
    encoding: { x: { ...pixels, field: "x" }, y: { ...pixels, field: "y" } },
    layer: [
      {
        data: { values: images },
        mark: { type: "image", align: "left", baseline: "top", smooth: false, ...side },
        encoding: { url: { field: "url", type: "nominal" } },
      },
      ...(["regular", "semibold"] as const).map((weight) => ({
        data: { values: captions.filter((each) => each.weight === weight) },
        mark: {
          type: "text" as const,
          baseline: "middle" as const,
          fontSize: sizes.axisTitle,
          fontWeight: weights[weight],
        },
        encoding: {
          text: { field: "text", type: "nominal" as const },
          color: { field: "color", type: "nominal" as const, scale: null },
        },
      })),
    ],
  };
}

function columnsFor(frames: readonly Frame[]): number {
  const lines = frames.flatMap(({ above, below }) => [...above, ...below]);
  const widest = Math.max(
    ...(["regular", "semibold"] as const).map((weight) =>
      widestOf(
        lines.filter((line) => line.weight === weight).map(({ text }) => text),
        sizes.axisTitle,
        weight,
      ),
    ),
  );
  return (
    COLUMNS.find((columns) => widest <= SHEET / columns - COLUMN_MARGIN) ?? COLUMNS[COLUMNS.length - 1] ?? 1
  );
}

function caption({ text, color, weight }: Caption, x: number, y: number, column: number) {
  return { text: fitText(text, column - COLUMN_MARGIN, sizes.axisTitle, weight), color, weight, x, y };
}
