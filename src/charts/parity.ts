import type { TopLevelSpec } from "vega-lite";
import { shownShape } from "../large-images.ts";
import type { Evaluation, Parity } from "../types.ts";
import type { Chart } from "./chart.ts";
import { type Caption, contactSheet, type Frame } from "./contact_sheet.ts";
import { textWidth } from "./text.ts";
import { colors, sizes } from "./theme.ts";
import { thumbnail } from "./thumbnail.ts";
import { counted, percent, wholeNumber } from "./wording.ts";

/** The images on which the service and the local model differ, those first of which both are most sure. */
export const parity: Chart = { title, description, spec };

type Difference = Parity["examples"][number];

const MOST = 30;
/** Widest caption in pixels that holds name and confidence on one line; longer ones take two. */
const ONE_LINE = 145;
/** Confidences above this are 99.95 % and more: further digits would not fit. */
const SURE = 0.9995;

function shown(e: Evaluation): readonly Difference[] {
  return e.parity?.examples.slice(0, MOST) ?? [];
}

function title(e: Evaluation): string {
  if (e.parity === null) return "There is no service to compare with a model";
  const { images, differing } = e.parity;
  if (images === 0) return "No image was answered by both the service and the model";
  if (differing.count === 0) {
    return images === 1
      ? "Service and model agree on the only image"
      : `Service and model agree on all ${wholeNumber(images)} images`;
  }
  return `Service and model differ on ${wholeNumber(differing.count)} of ${counted(images, "image")}`;
}

function subtitle(e: Evaluation): string {
  const differences = shown(e);
  const all = e.parity?.differing.count ?? 0;
  const scored = differences.some(isScored);
  const order = scored ? `of which they are most sure` : "first";
  const some = all > differences.length ? `The ${counted(differences.length, "image")} ${order}. ` : "";
  const confidences = scored ? ", with the confidence" : "";
  return `${some}Above each image its truth; below, what the service and the model say${confidences}. Blue is right, red wrong.`;
}

function isScored({ endpointConfidence, modelConfidence }: Difference): boolean {
  return endpointConfidence !== null || modelConfidence !== null;
}

function description(e: Evaluation): string {
  const differences = shown(e).map(
    ({ index, truth, endpoint, model, endpointConfidence, modelConfidence }) =>
      `image ${index}, a ${truth}: service ${saying(endpoint, endpointConfidence)}, model ${saying(model, modelConfidence)}`,
  );
  return differences.length === 0 ? `${title(e)}.` : `${title(e)}: ${differences.join("; ")}.`;
}

function spec(e: Evaluation): TopLevelSpec | null {
  const differences = shown(e);
  if (differences.length === 0) return null;
  const oneLine = differences.every((each) =>
    captions(each, true).every(({ text }) => textWidth(text, sizes.axisTitle, "semibold") <= ONE_LINE),
  );
  const frames = differences.map((each): Frame => ({
    url: thumbnail(each, shownShape(e.dataset.shape), false),
    above: [{ text: `is ${each.truth}`, color: colors.muted, weight: "regular" }],
    below: captions(each, oneLine),
  }));
  return contactSheet(
    { title: title(e), subtitle: subtitle(e), description: description(e) },
    frames,
    shownShape(e.dataset.shape),
  );
}

function captions(difference: Difference, oneLine: boolean): Caption[] {
  const { truth, endpoint, model, endpointConfidence, modelConfidence } = difference;
  return [
    ...said("service", endpoint, endpointConfidence, truth, oneLine),
    ...said("model", model, modelConfidence, truth, oneLine),
  ];
}

function said(
  who: string,
  label: string,
  confidence: number | null,
  truth: string,
  oneLine: boolean,
): Caption[] {
  const color = label === truth ? colors.right : colors.wrongText;
  if (oneLine) return [{ text: `${who} ${saying(label, confidence)}`, color, weight: "semibold" }];
  const sure = confidence === null ? "" : `, ${sureText(confidence)}`;
  return [
    { text: label, color, weight: "semibold" },
    { text: `${who}${sure}`, color: colors.muted, weight: "regular" },
  ];
}

function saying(label: string, confidence: number | null): string {
  return confidence === null ? label : `${label}, ${sureText(confidence)}`;
}

function sureText(confidence: number): string {
  return confidence > SURE && confidence < 1 ? "> 99.9 %" : percent(confidence);
}
