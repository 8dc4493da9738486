import type { TopLevelSpec } from "vega-lite";
import type { Confusion, Evaluation } from "../types.ts";
import type { Chart } from "./chart.ts";
import { confusionsOf, total } from "./confusions.ts";
import { fitText, textWidth, widestOf } from "./text.ts";
import { colors, fixedFrame, headingHeight, PADDING, sizes } from "./theme.ts";
import { counted, percent, wholeNumber } from "./wording.ts";

/** The strongest confusions as bars of images, with the interval of their rate. */
export const top_confusions: Chart = { title, description, spec };

const MOST = 10;
const ROW = 34;
const BAR = 20;
const CAP = 8;
const LABEL_GAP = 10;
const LABEL_LIMIT = 260;
const AXIS = 44;

function shown(e: Evaluation): readonly Confusion[] {
  return e.topConfusions.slice(0, MOST);
}

function title(e: Evaluation): string {
  const all = confusionsOf(e);
  const mistakes = total(all.map(({ count }) => count));
  if (mistakes === 0) return "There are no confusions: no prediction is wrong";
  const top = shown(e);
  const [first] = top;
  if (mistakes === 1 && first) return `The only mistake takes ${first.true} for ${first.predicted}`;
  if (top.length === all.length) {
    return `All ${wholeNumber(mistakes)} mistakes are of ${counted(all.length, "kind")}`;
  }
  const share = total(top.map(({ count }) => count)) / mistakes;
  return `${top.length} of the ${wholeNumber(all.length)} kinds of confusion make up ${percent(share, 0)} of all mistakes`;
}

function subtitle(e: Evaluation): string {
  const [first] = shown(e);
  if (first === undefined) return "";
  const { count, rate, interval } = first;
  const { level = 0, simultaneous = 1 } = interval ?? {};
  const together = simultaneous > 1 ? `for all ${wholeNumber(simultaneous)} possible ones together, ` : "";
  const whiskers =
    interval === null
      ? ""
      : ` Whiskers: ${percent(level, 0)} intervals of the rate, ${together}in images; strongest is what has the highest lower end.`;
  const figures = `${wholeNumber(count)} of ${counted(Math.round(count / rate), "image")}, ${percent(rate)}`;
  return `Strongest: ${first.true} taken for ${first.predicted}, ${figures}.${whiskers}`;
}

function description(e: Evaluation): string {
  const top = shown(e).map(
    (c) => `${c.true} as ${c.predicted} ${counted(c.count, "time")} (${percent(c.rate)})`,
  );
  return top.length === 0
    ? "No class is taken for another."
    : `The strongest confusions, truth as prediction: ${top.join(", ")}.`;
}

/** A bar with what is written beside it; low and high are the interval's ends, in images. */
function rowsOf(e: Evaluation) {
  return shown(e).map((c, i) => {
    const support = c.count / c.rate;
    const { low, high } = c.interval ?? { low: null, high: null };
    return {
      pair: fitText(`${c.true} → ${c.predicted}`, LABEL_LIMIT, sizes.axisTitle),
      row: i,
      count: c.count,
      low: low === null ? null : low * support,
      high: high === null ? null : high * support,
      end: Math.max(c.count, (high ?? 0) * support),
      figures: `${wholeNumber(c.count)} of ${wholeNumber(Math.round(support))}, ${percent(c.rate)}`,
    };
  });
}

function spec(e: Evaluation): TopLevelSpec | null {
  const rows = rowsOf(e);
  if (rows.length === 0) return null;
  const heading = { title: title(e), subtitle: subtitle(e), description: description(e) };
  const labels = widestOf(
    rows.map(({ pair }) => pair),
    sizes.axisTitle,
  );
  const figures = Math.max(...rows.map((row) => textWidth(row.figures, sizes.label)));
  const room = { left: labels + LABEL_GAP, right: figures + 2 * LABEL_GAP, top: 0, bottom: AXIS };
  const height = 2 * PADDING + headingHeight(heading) + rows.length * ROW + AXIS;
  return {
    ...fixedFrame({ ...heading, height }, room),
    data: { values: rows },
    encoding: {
      y: {
        field: "row",
        type: "ordinal",
        scale: { padding: 0 },
        axis: {
          title: null,
          labelExpr: `${JSON.stringify(rows.map(({ pair }) => pair))}[datum.value]`,
          labelFontSize: sizes.axisTitle,
          labelLimit: LABEL_LIMIT + LABEL_GAP,
          labelPadding: LABEL_GAP,
        },
      },
    },
    layer: layers(Math.max(...rows.map(({ end }) => end))),
  };
}

function layers(longest: number) {
  const x = {
    type: "quantitative" as const,
    scale: { domain: [0, longest], nice: false },
    axis: { title: "Images", tickCount: 8, format: ",d", tickMinStep: 1, grid: false, labelFlush: false },
  };
  const whisker = { color: colors.ink, strokeWidth: 1.25 };
  return [
    {
      mark: { type: "bar" as const, height: BAR },
      encoding: {
        x: { ...x, field: "count" },
        color: {
          condition: { test: "datum.row === 0", value: colors.wrong },
          value: "#f0a878",
        },
      },
    },
    {
      mark: { type: "rule" as const, ...whisker },
      encoding: { x: { ...x, field: "low" }, x2: { field: "high" } },
    },
    ...["low", "high"].map((field) => ({
      mark: {
        type: "tick" as const,
        size: CAP,
        thickness: whisker.strokeWidth,
        color: whisker.color,
        opacity: 1,
      },
      encoding: { x: { ...x, field } },
    })),
    {
      mark: { type: "text" as const, align: "left" as const, dx: LABEL_GAP, color: colors.muted },
      encoding: { x: { ...x, field: "end" }, text: { field: "figures", type: "nominal" as const } },
    },
  ];
}
