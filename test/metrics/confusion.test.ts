import { describe, expect, test } from "vitest";
import { TOP_CONFUSIONS } from "../../src/metrics/confusion.ts";
import { clopperPearson } from "../../src/statistics/binomial.ts";
import { labels, measure } from "./builders.ts";

describe("topConfusions", () => {
  test("lists the surest first, ties by true and then by predicted class", () => {
    const { topConfusions } = measure(labels([2, 2, 2, 1, 0, 0, 1, 1], [1, 1, 2, 2, 2, 1, 0, 1]));
    expect(topConfusions.map((cell) => [cell.true, cell.predicted, cell.count])).toEqual([
      ["c2", "c1", 2],
      ["c0", "c1", 1],
      ["c0", "c2", 1],
      ["c1", "c0", 1],
      ["c1", "c2", 1],
    ]);
  });

  test("gives the share of the true class with its interval", () => {
    const { topConfusions } = measure(labels([2, 2, 2, 2], [1, 2, 2, 2]));
    expect(topConfusions).toEqual([
      {
        true: "c2",
        predicted: "c1",
        count: 1,
        rate: 0.25,
        interval: clopperPearson(1, 4, { simultaneous: 2 }),
      },
    ]);
  });

  test("ranks one image of a rare class below many of a common one, whatever their rates", () => {
    const truth = [0, 1, ...Array.from({ length: 100 }, () => 2)];
    const predicted = [1, 1, ...Array.from({ length: 100 }, (_, i) => (i < 30 ? 1 : 2))];
    const { topConfusions } = measure(labels(truth, predicted));
    expect(topConfusions.map((cell) => [cell.true, cell.predicted, cell.rate])).toEqual([
      ["c2", "c1", 0.3],
      ["c0", "c1", 1],
    ]);
  });

  test("counts only confusions that images could have shown", () => {
    const { topConfusions } = measure(labels([0, 0, 0, 1], [1, 0, 0, 1], 10));
    expect(topConfusions[0]!.interval!.simultaneous).toBe(18);
  });

  test(`stops at ${TOP_CONFUSIONS}`, () => {
    const k = 7;
    const cells = Array.from({ length: k * k }, (_, cell) => cell);
    const truth = cells.map((cell) => Math.floor(cell / k));
    const { topConfusions } = measure(
      labels(
        truth,
        cells.map((cell) => cell % k),
        k,
      ),
    );
    expect(topConfusions).toHaveLength(TOP_CONFUSIONS);
    expect(topConfusions.at(-1)).toMatchObject({ true: "c3", predicted: "c1" });
  });

  test("is empty where every image is right", () => {
    expect(measure(labels([0, 1, 2], [0, 1, 2])).topConfusions).toEqual([]);
  });
});

describe("weakestClass", () => {
  test("is the class of the lowest recall, its interval held together with those of all that have images", () => {
    const { weakestClass } = measure(labels([0, 0, 0, 0, 1, 1, 2], [0, 0, 0, 1, 1, 0, 2], 5));
    expect(weakestClass).toEqual({
      class: "c1",
      recall: { value: 0.5, interval: clopperPearson(1, 2, { simultaneous: 3 }) },
    });
  });

  test.each([
    ["all recalls are equal", labels([0, 1, 1, 1], [1, 0, 0, 2])],
    ["one class alone has images", labels([1, 1], [1, 0])],
    ["there are no images", labels([], [])],
  ])("is null where %s", (_, table) => {
    expect(measure(table).weakestClass).toBeNull();
  });
});
