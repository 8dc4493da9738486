import { describe, expect, it } from "vitest";
import { lossText, preflightLine, preprocessingText, wayText } from "../../src/report/preprocessing.ts";
import type { Preflight } from "../../src/types.ts";
import { candidate, evaluation, preflight } from "./builders.ts";

const close: Partial<Preflight> = {
  verdict: "close",
  candidates: [candidate(), candidate({ scale: "mnist", log_loss: 0.36 })],
};
/** Named on the command line, though another way is better. */
const worse: Partial<Preflight> = {
  automatic: false,
  verdict: "close",
  candidates: [candidate({ scale: "raw", log_loss: 0.035 }), candidate()],
};
const labels: Partial<Preflight> = {
  candidates: [candidate({ log_loss: null }), candidate({ scale: "raw", accuracy: 0.1, log_loss: null })],
};
const untried: Partial<Preflight> = { verdict: "close", candidates: [] };
const alone: Partial<Preflight> = { candidates: [candidate({ images: 1 })] };

describe("preflightLine(preflight)", () => {
  it.each([
    [{}, "x/255 (unit), chosen on 300 labelled images: log loss 0.35, next best 2.81 (mnist)"],
    [close, "x/255 (unit), chosen on 300 labelled images: log loss 0.35, close to 0.36 (mnist)"],
    [worse, "x/255 (unit), as asked; tried on 300 labelled images: log loss 0.35, better 0.035 (raw)"],
    [
      { verdict: "same" as const },
      "x/255 (unit), chosen on 300 labelled images: the scale makes no difference to this model",
    ],
    [labels, "x/255 (unit), chosen on 300 labelled images: accuracy 90.00 %, next best 10.00 % (raw)"],
    [untried, "x/255 (unit): there are no labelled images to try other ways on"],
    [alone, "x/255 (unit), chosen on 1 labelled image: log loss 0.35"],
  ])("of %j", (overrides, line) => {
    expect(preflightLine(preflight(overrides))).toBe(`Pixels as ${line}`);
  });
});

describe("preprocessingText(evaluation)", () => {
  it("says how pixels were fed, alone where there was nothing to choose", () => {
    const scorer = {
      ...evaluation().scorer,
      preprocessing: { scale: "mnist", layout: "nchw", invert: true, transpose: true },
    } as const;
    expect(preprocessingText(evaluation({ scorer }))).toBe(
      "Pixels were fed as (x/255 − 0.1307)/0.3081 (mnist), inverted, transposed in the layout [n, 1, h, w] (nchw).",
    );
  });

  it.each([
    [
      {},
      "This was chosen on 300 labelled images, where no other way comes near: log loss 0.35, next best 2.81 (mnist).",
    ],
    [
      close,
      "This was chosen on 300 labelled images, where others come close: log loss 0.35, close to 0.36 (mnist).",
    ],
    [
      { verdict: "same" as const },
      "This was chosen on 300 labelled images, where the scale makes no difference to this model.",
    ],
    [
      worse,
      "The scale was named on the command line; on 300 labelled images another way is better: log loss 0.35, better 0.035 (raw).",
    ],
    [untried, "There were no labelled images to try other ways on."],
    [{ ...untried, automatic: false }, "The scale was named on the command line."],
    [
      { automatic: false },
      "The scale was named on the command line; on 300 labelled images no other way comes near: log loss 0.35, next best 2.81 (mnist).",
    ],
  ])("says how that was found: %j", (overrides, text) => {
    expect(preprocessingText(evaluation({ preflight: preflight(overrides) }))).toBe(
      `Pixels were fed as x/255 (unit) in the layout [n, h·w] (flat). ${text}`,
    );
  });
});

describe("wayText(choice), lossText(value)", () => {
  it("has the formula, the name and what else is done", () => {
    expect(wayText({ scale: "signed", invert: false, transpose: true })).toBe(
      "x/127.5 − 1 (signed), transposed",
    );
  });
  it.each([
    [2.813, "2.81"],
    [0.0352, "0.035"],
    [0, "0.000"],
    [null, "–"],
  ])("shows %d as %s", (value, text) => expect(lossText(value)).toBe(text));
});
