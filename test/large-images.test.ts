import { expect, test } from "vitest";

import { imagesAtOnce, shownPixels, shownShape } from "../src/large-images.ts";

test.each([
  [1000, [28, 28], 1000],
  [60_000, [28, 28], 42_799],
  [1000, [4096, 4096], 2],
  [1000, [10_000, 10_000], 1],
] as const)("of %d images of %j, %d are held at once", (wanted, shape, held) => {
  expect(imagesAtOnce(wanted, shape)).toBe(held);
});

test("an image of up to 256 pixels a side is shown whole", () => {
  const pixels = Uint8Array.from({ length: 256 * 3 }, (_, i) => i);
  expect(shownShape([256, 3])).toEqual([256, 3]);
  expect(shownPixels(pixels, [256, 3])).toEqual(pixels);
});

test("a larger one is shown by every n-th pixel of every n-th row, the first ones included", () => {
  // Each pixel is its row plus its column.
  const pixels = Uint8Array.from({ length: 5 * 600 }, (_, i) => Math.floor(i / 600) + (i % 600));
  expect(shownShape([5, 600])).toEqual([2, 200]);
  const shown = shownPixels(pixels, [5, 600]);
  expect(shown).toHaveLength(2 * 200);
  expect([...shown.subarray(0, 4)]).toEqual([0, 3, 6, 9]);
  expect([...shown.subarray(200, 204)]).toEqual([3, 6, 9, 12]);
});
