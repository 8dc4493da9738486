import type { StoredAnswer } from "../../../src/scorer/journal.ts";

export const CLASSES = 3;
export const WAY = "unit flat";
export const BINDING = { endpoint: "http://127.0.0.1/score", protocol: "azureml", model: null };

export const pixelsOf = (index: number): Uint8Array => Uint8Array.of(index & 255, index >> 8, 7, 200);

/** A third of the answers have no scores. */
export const answerOf = (index: number): StoredAnswer => ({
  label: index % CLASSES,
  scores: index % 3 === 2 ? null : Float64Array.of(index / 7, 0.25, -0),
});
