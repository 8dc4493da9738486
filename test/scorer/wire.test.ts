import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { pixelWriter } from "../../src/scorer/pixels.ts";
import { wirePixels, wireShape } from "../../src/scorer/wire.ts";

/** Two images of 2×3. */
const PIXELS = Uint8Array.of(1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16);
const upright = { layout: "flat", channels: 1, transpose: false } as const;

describe("wirePixels(pixels, order, images)", () => {
  test("leaves grey upright images as they are", () => {
    expect(wirePixels(PIXELS, upright, [2, 3])).toBe(PIXELS);
  });

  test("exchanges rows and columns", () => {
    const turned = { ...upright, transpose: true };
    expect([...wirePixels(PIXELS, turned, [2, 3])]).toEqual([1, 4, 2, 5, 3, 6, 11, 14, 12, 15, 13, 16]);
  });

  test("repeats planes for nchw and pixels for nhwc", () => {
    const one = PIXELS.subarray(0, 6);
    expect([...wirePixels(one, { ...upright, layout: "nchw", channels: 3 }, [2, 3])]).toEqual(
      [one, one, one].flatMap((plane) => [...plane]),
    );
    expect([...wirePixels(one, { ...upright, layout: "nhwc", channels: 3 }, [2, 3])]).toEqual(
      [...one].flatMap((pixel) => [pixel, pixel, pixel]),
    );
  });

  test("gives what a local model is given, in any layout", () => {
    const layouts = fc.constantFrom("nchw", "nhwc", "flat", "nhw");
    const channels = fc.constantFrom<1 | 3>(1, 3);
    const sizes = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }));
    fc.assert(
      fc.property(layouts, channels, fc.boolean(), sizes, (layout, many, transpose, [height, width]) => {
        const depth = layout === "flat" || layout === "nhw" ? 1 : many;
        const pixels = Uint8Array.from({ length: 3 * height * width }, (_, i) => i);
        const shape: readonly [number, number] = transpose ? [width, height] : [height, width];
        const local = pixelWriter(
          {
            name: "x",
            type: "uint8",
            layout,
            channels: depth,
            fixedBatch: null,
            shape,
            resize: null,
            turned: transpose,
          },
          { scale: "raw", invert: false, transpose },
          [height, width],
        ).write(pixels, 3, 3);
        const order = { layout, channels: depth, transpose };
        expect([...wirePixels(pixels, order, [height, width])]).toEqual([...(local.buffer as Uint8Array)]);
        expect(wireShape(order, [height, width], 3)).toEqual(local.shape);
      }),
      { seed: 2 },
    );
  });
});
