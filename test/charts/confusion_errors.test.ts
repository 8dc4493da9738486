import { describe, expect, it } from "vitest";
import { contrast } from "../../src/charts/color.ts";
import { confusion_errors } from "../../src/charts/confusion_errors.ts";
import { evaluation, LETTERS } from "./builders.ts";
import { headingOf, rowsOf } from "./spec-parts.ts";

// 1 → 2 is the most frequent confusion; 0 → 1 is the surer one to be likely.
const matrix = [
  [8, 2, 0],
  [1, 96, 3],
  [0, 0, 50],
];
const three = evaluation({ classes: 3, confusionMatrix: matrix });

describe("confusion_errors.title(evaluation)", () => {
  it.each([
    [matrix, "0 read as 1 is the strongest of 6 possible confusions"],
    [
      [
        [8, 2],
        [2, 8],
      ],
      "0 read as 1 and 1 read as 0 are the strongest of 2 possible confusions",
    ],
    [
      [
        [8, 1, 1],
        [1, 9, 0],
        [0, 0, 1],
      ],
      "None of 6 possible confusions stands out: the strongest are equally strong",
    ],
    [
      [
        [4, 0],
        [0, 4],
      ],
      "No class is taken for another",
    ],
    [
      [
        [0, 0],
        [0, 0],
      ],
      "No image was scored",
    ],
  ])("of %j", (confusionMatrix, title) => {
    const value = evaluation({ classes: confusionMatrix.length, confusionMatrix });
    expect(confusion_errors.title(value)).toBe(title);
  });
});

describe("confusion_errors.spec(evaluation)", () => {
  it("says the figures of its finding", () => {
    expect(headingOf(confusion_errors, three).subtitle).toBe(
      "2 of 10, 20.0 % (1.0–65.7 %, a 95 % interval for all 6 together). The brighter, the larger the share of the true class.",
    );
  });

  it("goes from black at none to white at the highest share, correct predictions black", () => {
    const [cells, written] = rowsOf(confusion_errors, three);
    expect(cells!.map(({ fill }) => fill)).toEqual([
      "#101216",
      "#ffffff",
      "#101216",
      "#17191e",
      "#101216",
      "#25282e",
      "#101216",
      "#101216",
      "#101216",
    ]);
    expect(written).toEqual([
      { truth: "0", predicted: "1", fill: "#ffffff", ink: "#1b1f24", text: "20.0 %" },
    ]);
  });

  it("leaves the percent sign out of narrow cells", () => {
    const [, written] = rowsOf(confusion_errors, evaluation({ classes: LETTERS.slice(0, 26) }));
    expect(written!.length).toBeGreaterThan(0);
    for (const { text } of written!) expect(text).toMatch(/^\d\.\d$/u);
  });

  it("writes in colours that can be read", () => {
    const [, written] = rowsOf(confusion_errors, evaluation({ errors: 0.4 }));
    for (const { fill, ink } of written!) {
      expect(contrast(String(fill), String(ink))).toBeGreaterThanOrEqual(4.5);
    }
  });
});
