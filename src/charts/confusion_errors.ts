import type { TopLevelSpec } from "vega-lite";
import type { Evaluation } from "../types.ts";
import type { Chart } from "./chart.ts";
import { ramp, textOn } from "./color.ts";
import { confusionsOf, type Mistaken, pickedRange, strongest, tally, total } from "./confusions.ts";
import { type Cell, fitsCell, type MatrixLayout, matrixLayers, matrixLayout } from "./matrix.ts";
import { fixedFrame } from "./theme.ts";
import { counted, listed, percent, wholeNumber } from "./wording.ts";

/** The confusion matrix without its diagonal, each row as shares of its true class, so that only errors shine. */
export const confusion_errors: Chart = { title, description, spec };

const DARK = ["#101216", "#33373e", "#666c75", "#a5abb3", "#ffffff"] as const;
const GAP = "#23272d";
const MARGIN = { right: 10, bottom: 4 };
/** Cells below this share of the brightest one get no figure: they are not what the picture is about. */
const WORTH_A_FIGURE = 0.25;

const rate = (c: Mistaken) => c.count / c.support;

function title(e: Evaluation): string {
  if (tally(e).images === 0) return "No image was scored";
  const top = strongest(e);
  const [first] = top;
  if (first === undefined) return "No class is taken for another";
  const possible = first.interval?.simultaneous ?? 1;
  const all = possible > 1 ? ` of ${wholeNumber(possible)} possible confusions` : " confusion";
  if (top.length > 2) return `None${all} stands out: the strongest are equally strong`;
  const pairs = top.map((c) => `${c.true} read as ${c.predicted}`);
  return `${listed(pairs)} ${top.length === 1 ? "is" : "are"} the strongest${all}`;
}

function subtitle(e: Evaluation): string {
  const [first] = strongest(e);
  if (first === undefined) return "Share of each true class that is taken for another: none.";
  const { count, rate, interval } = first;
  return (
    `${wholeNumber(count)} of ${wholeNumber(Math.round(count / rate))}, ${percent(rate)}${pickedRange(interval)}. ` +
    "The brighter, the larger the share of the true class."
  );
}

function description(e: Evaluation): string {
  const worst = e.topConfusions.slice(0, 5).map((c) => `${c.true} as ${c.predicted} ${percent(c.rate)}`);
  const matrix = `Misread shares of ${counted(e.dataset.classes.length, "class", "classes")}, true classes down, predicted ones across`;
  return worst.length === 0 ? `${matrix}: no errors.` : `${matrix}. Strongest: ${worst.join(", ")}.`;
}

function spec(e: Evaluation): TopLevelSpec {
  const heading = { title: title(e), subtitle: subtitle(e), description: description(e) };
  const layout = matrixLayout(e, heading, MARGIN);
  const { encoding, layer } = matrixLayers(e.dataset.classes, cellsOf(e, layout), layout, GAP);
  return {
    ...fixedFrame({ ...heading, height: layout.height }, layout.room),
    view: { fill: DARK[0] },
    encoding,
    layer: [...layer],
  };
}

function cellsOf(e: Evaluation, layout: MatrixLayout): Cell[] {
  const { classes } = e.dataset;
  const highestRate = Math.max(0, ...confusionsOf(e).map(rate));
  const dense = !fitsCell("0", layout);
  return e.confusionMatrix.flatMap((row, t) => {
    const support = total(row);
    return row.flatMap((count, p) => {
      const share = t === p || count === 0 ? 0 : count / support;
      // The plot's background stands for them: thousands of empty cells would be most of the file.
      if (share === 0 && dense) return [];
      const fill = ramp(DARK, share === 0 ? 0 : share / highestRate);
      const text = share > 0 && share >= WORTH_A_FIGURE * highestRate ? figure(share, layout) : "";
      return { truth: classes[t] ?? "", predicted: classes[p] ?? "", fill, ink: textOn(fill), text };
    });
  });
}

/** The share as a percentage, without its sign where that is too wide, or nothing where that is too. */
function figure(share: number, layout: MatrixLayout): string {
  const text = percent(share);
  return [text, text.replace(" %", ""), ""].find((each) => fitsCell(each, layout)) ?? "";
}
