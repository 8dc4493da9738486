import { describe, expect, it } from "vitest";
import { lossText, preprocessingText, wayText } from "../../src/report/preprocessing.ts";
import { candidate, evaluation, preflight } from "./builders.ts";

describe("preprocessingText(evaluation)", () => {
  it("says how pixels were fed, alone where there was nothing to choose", () => {
    const scorer = {
      ...evaluation().scorer,
      preprocessing: { scale: "mnist", layout: "nchw", invert: true, transpose: true },
    } as const;
    expect(preprocessingText(evaluation({ scorer }))).toBe(
      "Pixels as (x/255 − 0.1307)/0.3081 (inverted and transposed mnist). Their layout is [n, 1, h, w] (nchw).",
    );
  });

  it("gives the preflight's own reason and no other", () => {
    const statement = "Pixels as x/255 (unit), as the model's metadata says";
    const candidates = [candidate({ log_loss: 0.081 }), candidate({ scale: "raw", log_loss: 0 })];
    expect(preprocessingText(evaluation({ preflight: preflight({ statement, candidates }) }))).toBe(
      `${statement}. Their layout is [n, h·w] (flat).`,
    );
  });
});

describe("wayText(choice), lossText(value)", () => {
  it.each([
    [{ scale: "signed", invert: false, transpose: true }, "x/127.5 − 1 (transposed signed)"],
    [{ scale: "raw", invert: true, transpose: true }, "x (inverted and transposed raw)"],
    [{ scale: "unit", invert: false, transpose: false }, "x/255 (unit)"],
    [{ scale: "centered", invert: false, transpose: false }, "x/255 − 0.5 (centered)"],
    [
      { scale: "0.2860,0.3530", invert: true, transpose: false },
      "(x/255 − 0.286)/0.353 (inverted 0.2860,0.3530)",
    ],
    [{ scale: "-0.5,2", invert: false, transpose: false }, "(x/255 + 0.5)/2 (-0.5,2)"],
  ] as const)("has the formula, the name and what else is done: %j", (choice, text) => {
    expect(wayText(choice)).toBe(text);
  });

  it.each([
    [2.813, "2.81"],
    [0.0352, "0.035"],
    [0, "0.000"],
    [null, "–"],
  ])("shows %d as %s", (value, text) => expect(lossText(value)).toBe(text));
});
