import type { TopLevelSpec } from "vega-lite";
import { shownShape } from "../large-images.ts";
import type { Evaluation, Example } from "../types.ts";
import type { Chart } from "./chart.ts";
import { tally } from "./confusions.ts";
import { type Caption, contactSheet, type Frame } from "./contact_sheet.ts";
import { textWidth } from "./text.ts";
import { colors, sizes } from "./theme.ts";
import { thumbnail } from "./thumbnail.ts";
import { counted, percent, wholeNumber } from "./wording.ts";

/** The wrong predictions that the model was most sure of. */
export const worst_errors: Chart = { title, description, spec };

const MOST = 30;
/** Widest caption in pixels that stands on one line; longer names take two. */
const ONE_LINE = 68;

function shown(e: Evaluation): readonly Example[] {
  return e.examples.mistakes.slice(0, MOST);
}

function title(e: Evaluation): string {
  const mistakes = shown(e);
  const first = mistakes[0];
  if (first === undefined) return "There are no wrong predictions";
  if (first.confidence === null) return `${counted(mistakes.length, "image")} that the model gets wrong`;
  const sure = `at ${percent(first.confidence)} confidence`;
  const { images, right } = tally(e);
  const which =
    images - right > 1 ? `most confident of ${wholeNumber(images - right)} mistakes` : "only mistake";
  return `The ${which} takes ${first.truth} for ${first.predicted}, ${sure}`;
}

function subtitle(e: Evaluation): string {
  const mistakes = shown(e);
  const order =
    mistakes[0]?.confidence === null
      ? ""
      : `The ${wholeNumber(mistakes.length)} wrong predictions of highest confidence. `;
  return `${order}Above each image: truth → prediction${order === "" ? "" : "; below: confidence"}.`;
}

function description(e: Evaluation): string {
  const mistakes = shown(e).map(({ index, truth, predicted, confidence }) => {
    const sure = confidence === null ? "" : ` (${percent(confidence)})`;
    return `image ${index}, ${truth} as ${predicted}${sure}`;
  });
  if (mistakes.length === 0) return "No prediction is wrong.";
  return `The most confident wrong predictions: ${mistakes.join("; ")}.`;
}

function spec(e: Evaluation): TopLevelSpec | null {
  const mistakes = shown(e);
  if (mistakes.length === 0) return null;
  const oneLine = mistakes.every((each) => textWidth(arrow(each), sizes.axisTitle, "semibold") <= ONE_LINE);
  const frames = mistakes.map((example): Frame => {
    const { truth, predicted, confidence } = example;
    const lines = oneLine ? [arrow(example)] : [truth, `→ ${predicted}`];
    return {
      url: thumbnail(example, shownShape(e.dataset.shape), true),
      above: lines.map((text): Caption => ({ text, color: colors.wrongText, weight: "semibold" })),
      below:
        confidence === null ? [] : [{ text: percent(confidence), color: colors.muted, weight: "regular" }],
    };
  });
  return contactSheet(
    { title: title(e), subtitle: subtitle(e), description: description(e) },
    frames,
    shownShape(e.dataset.shape),
  );
}

function arrow({ truth, predicted }: Example): string {
  return `${truth} → ${predicted}`;
}
