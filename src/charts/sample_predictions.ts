import type { TopLevelSpec } from "vega-lite";
import { shownShape } from "../large-images.ts";
import type { Evaluation } from "../types.ts";
import type { Chart } from "./chart.ts";
import { contactSheet, type Frame } from "./contact_sheet.ts";
import { colors } from "./theme.ts";
import { thumbnail } from "./thumbnail.ts";
import { counted, wholeNumber } from "./wording.ts";

/** Random images with their predictions; the wrong ones inverted, as negatives, with the truth. */
export const sample_predictions: Chart = { title, description, spec };

function counts(e: Evaluation): { readonly all: number; readonly right: number } {
  const { sample } = e.examples;
  return { all: sample.length, right: sample.filter((each) => each.truth === each.predicted).length };
}

function title(e: Evaluation): string {
  const { all, right } = counts(e);
  if (all === 0) return "No image was scored";
  if (all === 1) return `The only image is classified ${right === 1 ? "correctly" : "wrongly"}`;
  if (right === all) return `All ${wholeNumber(all)} random images are classified correctly`;
  if (right === 0) return `None of ${wholeNumber(all)} random images is classified correctly`;
  return `${wholeNumber(right)} of ${wholeNumber(all)} random images ${right === 1 ? "is" : "are"} classified correctly`;
}

function subtitle(e: Evaluation): string {
  const { all, right } = counts(e);
  const wrong = right < all ? "; a wrong one is red, on a negative, with the truth below" : "";
  return `Above each image is its prediction${wrong}. Drawn with seed ${e.seed}.`;
}

function description(e: Evaluation): string {
  const wrong = e.examples.sample
    .filter((each) => each.truth !== each.predicted)
    .map((each) => `image ${each.index}, a ${each.truth}, as ${each.predicted}`);
  const { all } = counts(e);
  const mistakes = wrong.length === 0 ? "None is wrong" : `Wrong: ${wrong.join("; ")}`;
  return `${counted(all, "random image")} of ${e.dataset.name} with the predicted class. ${mistakes}.`;
}

function spec(e: Evaluation): TopLevelSpec | null {
  const { sample } = e.examples;
  if (sample.length === 0) return null;
  const frames = sample.map((example): Frame => {
    const wrong = example.truth !== example.predicted;
    const color = wrong ? colors.wrongText : colors.ink;
    return {
      url: thumbnail(example, shownShape(e.dataset.shape), wrong),
      above: [{ text: example.predicted, color, weight: "semibold" }],
      below: wrong ? [{ text: `is ${example.truth}`, color: colors.muted, weight: "regular" }] : [],
    };
  });
  return contactSheet(
    { title: title(e), subtitle: subtitle(e), description: description(e) },
    frames,
    shownShape(e.dataset.shape),
  );
}
