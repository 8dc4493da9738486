import { expect, test } from "vitest";
import { counted, listed, percent, score, wholeNumber } from "../../src/charts/wording.ts";

test.each([
  [0.862, 1, "86.2 %"],
  [0.9204, 2, "92.04 %"],
  [0.95, 0, "95 %"],
  [0, 1, "0 %"],
  [1, 1, "100 %"],
  [0.9996, 1, "99.96 %"],
  [0.999996, 0, "99.9996 %"],
  [0.0004, 1, "0.04 %"],
  [1 - 1e-15, 1, "100 %"],
])("percent(%f, %i) is %s", (share, decimals, text) => {
  expect(percent(share, decimals)).toBe(text);
});

test.each([
  [0.98149, "0.981"],
  [0.9, "0.900"],
  [0, "0"],
  [1, "1"],
  [0.99996, "0.99996"],
  [0.00002, "0.00002"],
  [1 - 1e-15, "1"],
])("score(%f) is %s", (value, text) => {
  expect(score(value)).toBe(text);
});

test.each([
  [0, "0"],
  [999, "999"],
  [1000, "1,000"],
  [1_234_567, "1,234,567"],
])("wholeNumber(%i) is %s", (value, text) => {
  expect(wholeNumber(value)).toBe(text);
});

test("counted(value, one, many) takes the noun's form from the number", () => {
  expect(counted(1, "image")).toBe("1 image");
  expect(counted(2000, "image")).toBe("2,000 images");
  expect(counted(2, "class", "classes")).toBe("2 classes");
});

test("listed(names) reads as prose", () => {
  expect(listed([])).toBe("");
  expect(listed(["5"])).toBe("5");
  expect(listed(["5", "8"])).toBe("5 and 8");
  expect(listed(["3", "5", "8"])).toBe("3, 5 and 8");
});
