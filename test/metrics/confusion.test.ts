import { describe, expect, test } from "vitest";
import { TOP_CONFUSIONS } from "../../src/metrics/confusion.ts";
import { wilson } from "../../src/metrics/intervals.ts";
import { labels, measure } from "./builders.ts";

describe("topConfusions", () => {
  test("lists the most frequent first, ties by true and then by predicted class", () => {
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
      { true: "c2", predicted: "c1", count: 1, rate: 0.25, interval: wilson(1, 4) },
    ]);
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
