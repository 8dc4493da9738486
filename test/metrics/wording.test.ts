import { expect, test } from "vitest";
import { grouped } from "../../src/grouped.ts";
import { listed, loss, percent } from "../../src/metrics/wording.ts";

test.each([
  [27.631, "27.63"],
  [0.1, "0.10"],
  [0.0999, "0.100"],
  [0.035, "0.035"],
  [0.00426, "0.0043"],
  [0.0001, "0.00010"],
  [0.00009, "below 0.0001"],
  [0, "0.00"],
])("loss(%f) is %s", (value, text) => {
  expect(loss(value)).toBe(text);
});

test.each([
  [[], "", 2],
  [["a"], "a", 2],
  [["a", "b"], "a and b", 2],
  [["a", "b", "c"], "a, b and 1 more", 2],
  [["a", "b", "c"], "a, b and c", 3],
])("listed(%j) is %j with at most %i", (names, text, most) => {
  expect(listed(names, most)).toBe(text);
});

test("grouped(count) and percent(share) of their examples", () => {
  expect([grouped(0), grouped(999), grouped(1_234), grouped(1_234_567)]).toEqual([
    "0",
    "999",
    "1,234",
    "1,234,567",
  ]);
  expect([percent(0.92), percent(0.92044, 2), percent(1)]).toEqual(["92.0 %", "92.04 %", "100.0 %"]);
});
