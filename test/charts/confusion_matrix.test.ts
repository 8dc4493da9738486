import { describe, expect, it } from "vitest";
import { contrast } from "../../src/charts/color.ts";
import { confusion_matrix } from "../../src/charts/confusion_matrix.ts";
import { colors } from "../../src/charts/theme.ts";
import { evaluation, LETTERS } from "./builders.ts";
import { headingOf, rowsOf } from "./spec-parts.ts";

const matrix = [
  [8, 2, 0],
  [1, 9, 0],
  [0, 0, 0],
];
const three = evaluation({ classes: ["cat", "dog", "owl"], confusionMatrix: matrix });

describe("confusion_matrix.title(evaluation)", () => {
  it.each([
    [matrix, "85.00 % of 20 images are classified correctly; strongest confusion: cat taken for dog"],
    [
      [
        [8, 2],
        [2, 8],
      ],
      "80.00 % of 20 images are classified correctly; strongest confusions: a taken for b and b taken for a",
    ],
    [
      [
        [7, 1, 1],
        [1, 7, 0],
        [0, 0, 1],
      ],
      "83.33 % of 18 images are classified correctly",
    ],
    [
      [
        [1, 1],
        [0, 0],
      ],
      "50.00 % of 2 images is classified correctly; strongest confusion: a taken for b",
    ],
    [
      [
        [4, 0],
        [0, 4],
      ],
      "All 8 images are classified correctly",
    ],
    [
      [
        [1, 0],
        [0, 0],
      ],
      "The only image is classified correctly",
    ],
    [
      [
        [0, 0],
        [0, 0],
      ],
      "No image was scored",
    ],
  ])("of %j", (confusionMatrix, title) => {
    const classes = confusionMatrix === matrix ? ["cat", "dog", "owl"] : ["a", "b", "c"];
    const value = evaluation({ classes: classes.slice(0, confusionMatrix.length), confusionMatrix });
    expect(confusion_matrix.title(value)).toBe(title);
  });
});

describe("confusion_matrix.spec(evaluation)", () => {
  it("says the figures of its finding", () => {
    expect(headingOf(confusion_matrix, three).subtitle).toBe(
      "2 of the 10 images of cat, 20.0 %. Colour is the share of the true class: blue where correct, orange where wrong.",
    );
  });

  it("shows every count, truth downwards, and recall and precision beside them", () => {
    const [cells, , recalls, precisions] = rowsOf(confusion_matrix, three);
    expect(cells!.map(({ truth, predicted, text }) => [truth, predicted, text])).toEqual([
      ["cat", "cat", "8"],
      ["cat", "dog", "2"],
      ["cat", "owl", "0"],
      ["dog", "cat", "1"],
      ["dog", "dog", "9"],
      ["dog", "owl", "0"],
      ["owl", "cat", "0"],
      ["owl", "dog", "0"],
      ["owl", "owl", "0"],
    ]);
    expect(recalls!.map(({ text }) => text)).toEqual(["80.0 %", "90.0 %", "–"]);
    expect(precisions!.map(({ text }) => text)).toEqual(["88.9 %", "81.8 %", "–"]);
  });

  it("colours the most likely confusion most, and correct cells otherwise", () => {
    const [cells] = rowsOf(confusion_matrix, three);
    expect(cells![1]!["fill"]).toBe(colors.wrong);
    expect(cells![3]!["fill"]).not.toBe(colors.wrong);
    expect(cells![4]!["fill"]).toBe("#005d96");
  });

  it("writes in colours that can be read", () => {
    const [cells] = rowsOf(confusion_matrix, evaluation({ errors: 0.4 }));
    for (const { fill, ink } of cells!)
      expect(contrast(String(fill), String(ink))).toBeGreaterThanOrEqual(4.5);
  });

  it("leaves out counts that do not fit, and then empty cells", () => {
    const value = evaluation({ classes: LETTERS, support: 400 });
    const [cells, written] = rowsOf(confusion_matrix, value);
    expect(written).toEqual([]);
    expect(cells!.length).toBe(value.confusionMatrix.flat().filter((count) => count > 0).length);
  });
});
