import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { confusionMatrixCsv, predictionsHeader, predictionsRows } from "../../src/report/csv.ts";
import { evaluation } from "./builders.ts";
import { EVIL_NAMES, scored } from "./cases.ts";
import { golden } from "./golden.ts";

/** Records of a CSV text, read as RFC 4180 says. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n)/g)) {
    record.push(quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    records.push(record);
    record = [];
  }
  return records;
}

describe("confusionMatrixCsv(evaluation)", () => {
  it("has true classes in rows and predicted classes in columns", () => {
    const text = confusionMatrixCsv(evaluation());
    expect(text).toBe(golden("confusion_matrix.csv", text));
  });

  it("reads back with any class names", () => {
    const [head, ...rows] = parseCsv(confusionMatrixCsv(evaluation({ classes: EVIL_NAMES })));
    expect(head).toEqual(["true\\predicted", ...EVIL_NAMES]);
    expect(rows.map(([name]) => name)).toEqual(EVIL_NAMES);
    expect(rows[0]?.slice(1)).toEqual(["1034", "6", "0", "0", "0", "0", "0"]);
  });
});

describe("predictionsHeader(classes, hasProbabilities)", () => {
  it("names probabilities by position", () => {
    expect(predictionsHeader(["a", "b,c"], true)).toBe("index,truth,predicted,correct,confidence,p_0,p_1\n");
    expect(predictionsHeader(["a", "b,c"], false)).toBe("index,truth,predicted,correct,confidence\n");
  });
});

const rowsOf = (...given: Parameters<typeof predictionsRows>): string =>
  [...predictionsRows(...given)].join("");

describe("predictionsRows(batch, classes)", () => {
  it("has class names, 1 for correct, and the probability of the predicted class as confidence", () => {
    const batch = scored(
      [
        [7, 0, 1],
        [9, 1, 1],
      ],
      Float64Array.of(0.1, 0.9, 1e-7, 1),
    );
    expect(rowsOf(batch, ["cat", "dog"])).toBe("7,cat,dog,0,0.9,0.1,0.9\n9,dog,dog,1,1,1e-7,1\n");
  });

  it("leaves confidence empty without probabilities", () => {
    expect(rowsOf(scored([[3, 1, 1]], null), ["cat", 'a "dog"'])).toBe('3,"a ""dog""","a ""dog""",1,\n');
  });

  it("is empty for no images", () => {
    expect(rowsOf(scored([], new Float64Array(0)), ["cat"])).toBe("");
  });

  it("comes in pieces, because a large batch with many classes is longer than a string can be", () => {
    const images = Array.from({ length: 2001 }, (_, i): [number, number, number] => [i, 0, i % 2]);
    const pieces = [...predictionsRows(scored(images, null), ["a", "b"])];
    expect(pieces.map((piece) => piece.split("\n").length - 1)).toEqual([1000, 1000, 1]);
    expect(pieces.join("")).toBe(
      images.map(([i, , label]) => (label === 0 ? `${i},a,a,1,\n` : `${i},a,b,0,\n`)).join(""),
    );
  });

  it("reads back: the same names and the same doubles", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const rows = fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.nat(2), fc.tuple(share, share, share)), {
      maxLength: 8,
    });
    const names = fc.uniqueArray(fc.string({ unit: "binary" }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(rows, names, (images, classes) => {
        const probabilities = Float64Array.from(images.flatMap(([, , , scores]) => scores));
        const batch = scored(
          images.map(([index, truth, predicted]) => [index, truth, predicted]),
          probabilities,
        );
        const read = parseCsv(predictionsHeader(classes, true) + rowsOf(batch, classes)).slice(1);
        const expected = images.map(([index, truth, predicted, scores]) => [
          String(index),
          classes[truth],
          classes[predicted],
          truth === predicted ? 1 : 0,
          scores[predicted],
          ...scores,
        ]);
        expect(read.map((row) => row.map((cell, c) => (c > 2 ? Number(cell) : cell)))).toEqual(
          expected.map((row) => row.map((cell) => (Object.is(cell, -0) ? 0 : cell))),
        );
      }),
    );
  });
});
