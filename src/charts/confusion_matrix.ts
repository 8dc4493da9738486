import type { TopLevelSpec } from "vega-lite";
import type { Evaluation } from "../types.ts";
import type { Chart } from "./chart.ts";
import { ramp, textOn } from "./color.ts";
import { confusionsOf, strongest, tally, total } from "./confusions.ts";
import { type Cell, fitsCell, matrixLayers, matrixLayout } from "./matrix.ts";
import { colors, fixedFrame, sizes, weights } from "./theme.ts";
import { counted, listed, percent, wholeNumber } from "./wording.ts";

/** Counts of every truth and prediction, with the recall of each row and the precision of each column. */
export const confusion_matrix: Chart = { title, description, spec };

const RIGHT = ["#eef5fa", "#6fb1d6", colors.right, "#00548a"] as const;
const WRONG = ["#fdeee3", "#f3a56b", colors.wrong] as const;
const EMPTY = "#f6f7f9";
const MARGIN = { left: 72, right: 62, bottom: 26 };

function title(e: Evaluation): string {
  const { images, right } = tally(e);
  if (images === 0) return "No image was scored";
  if (images === right)
    return `${images === 1 ? "The only image is" : `All ${wholeNumber(images)} images are`} classified correctly`;
  const share = `${percent(right / images, 2)} of ${counted(images, "image")} ${right === 1 ? "is" : "are"} classified correctly`;
  const top = strongest(e);
  if (top.length > 2) return share;
  const pairs = top.map((c) => `${c.true} taken for ${c.predicted}`);
  return `${share}; strongest confusion${top.length > 1 ? "s" : ""}: ${listed(pairs)}`;
}

function subtitle(e: Evaluation): string {
  const key = "Colour is the share of the true class: blue where correct, orange where wrong.";
  const [first, second] = strongest(e);
  if (first === undefined || second !== undefined) return key;
  const { count, rate, true: truth } = first;
  return `${wholeNumber(count)} of the ${counted(Math.round(count / rate), "image")} of ${truth}, ${percent(rate)}. ${key}`;
}

function description(e: Evaluation): string {
  const { images, right } = tally(e);
  const recalls = e.perClass.map((c) => `${c.class} ${share(c.recall.value)}`);
  return (
    `Confusion matrix of ${counted(e.dataset.classes.length, "class", "classes")}, true classes down, predicted ones across: ` +
    `${wholeNumber(right)} of ${counted(images, "image")} on the diagonal. Recall: ${recalls.join(", ")}.`
  );
}

function share(value: number | null): string {
  return value === null ? "–" : percent(value);
}

function spec(e: Evaluation): TopLevelSpec {
  const heading = { title: title(e), subtitle: subtitle(e), description: description(e) };
  const layout = matrixLayout(e, heading, MARGIN);
  const { classes } = e.dataset;
  const roomy = e.confusionMatrix.flat().every((count) => fitsCell(wholeNumber(count), layout));
  const cells = cellsOf(e, roomy);
  const base = fixedFrame({ ...heading, height: layout.height }, layout.room);
  const { encoding, layer } = matrixLayers(classes, cells, layout, colors.background);
  const precisions = e.perClass.map((c) => ({ predicted: c.class, text: share(c.precision.value) }));
  const across = precisions.every(({ text }) => fitsCell(text, layout)) ? precisions : [];
  const text = { type: "text", color: colors.muted, fontSize: sizes.label } as const;
  return {
    ...base,
    view: { fill: EMPTY },
    encoding,
    layer: [
      ...layer,
      {
        data: { values: e.perClass.map((c) => ({ truth: c.class, text: share(c.recall.value) })) },
        mark: { ...text, align: "right" },
        encoding: { x: { value: base.width + MARGIN.right }, text: { field: "text", type: "nominal" } },
      },
      {
        data: { values: across },
        mark: { ...text, baseline: "middle" },
        encoding: { y: { value: base.height + 15 }, text: { field: "text", type: "nominal" } },
      },
      {
        data: {
          values: [
            { text: "Recall", x: base.width + MARGIN.right, y: -15 },
            ...(across.length > 0 ? [{ text: "Precision", x: -8, y: base.height + 15 }] : []),
          ],
        },
        mark: { ...text, align: "right", baseline: "middle", fontWeight: weights.semibold },
        encoding: {
          x: { field: "x", type: "quantitative", scale: null, axis: null },
          y: { field: "y", type: "quantitative", scale: null, axis: null },
          text: { field: "text", type: "nominal" },
        },
      },
    ],
  };
}

/** Correct cells in blue by recall; wrong ones in orange by their rate, as a share of the highest rate of all. */
function cellsOf(e: Evaluation, written: boolean): Cell[] {
  const { classes } = e.dataset;
  const worst = Math.max(0, ...confusionsOf(e).map((c) => c.count / c.support));
  return e.confusionMatrix.flatMap((row, t) => {
    const support = total(row);
    return row.flatMap((count, p) => {
      // Thousands of empty cells would be most of the file: the plot's background stands for them.
      if (count === 0 && !written) return [];
      const rate = support === 0 ? 0 : count / support;
      const fill = count === 0 ? EMPTY : t === p ? ramp(RIGHT, rate) : ramp(WRONG, (rate / worst) ** 0.75);
      return {
        truth: classes[t] ?? "",
        predicted: classes[p] ?? "",
        fill,
        ink: count === 0 ? colors.muted : textOn(fill),
        text: written ? wholeNumber(count) : "",
      };
    });
  });
}
