import { assert, boolean, constant, integer, property, record, uint8Array } from "fast-check";
import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import { thumbnail } from "../../src/charts/thumbnail.ts";
import type { Example } from "../../src/types.ts";

const PREFIX = "data:image/png;base64,";

function example(pixels: Uint8Array): Example {
  const encoded = Buffer.from(pixels).toString("base64");
  return { index: 0, truth: "1", predicted: "7", confidence: null, pixels: encoded };
}

function decoded(url: string) {
  expect(url.startsWith(PREFIX)).toBe(true);
  const { width, height, data } = PNG.sync.read(Buffer.from(url.slice(PREFIX.length), "base64"));
  return { width, height, shades: [...data].filter((_, i) => i % 4 === 0) };
}

describe("thumbnail(example, shape, inverted)", () => {
  it("keeps every pixel, as ink on paper or as its negative", () => {
    const images = record({
      height: integer({ min: 1, max: 30 }),
      width: integer({ min: 1, max: 30 }),
    }).chain(({ height, width }) => {
      const length = height * width;
      return record({
        shape: constant([height, width] as const),
        pixels: uint8Array({ minLength: length, maxLength: length }),
      });
    });
    assert(
      property(images, boolean(), ({ shape, pixels }, inverted) => {
        const { width, height, shades } = decoded(thumbnail(example(pixels), shape, inverted));
        expect([height, width]).toEqual(shape);
        expect(shades).toEqual([...pixels].map((value) => (inverted ? value : 255 - value)));
      }),
    );
  });
});
