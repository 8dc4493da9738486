import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { grouped } from "../../src/grouped.ts";
import { IDX_TYPES, IdxReader } from "../../src/dataset/idx.ts";
import { DatasetError } from "../../src/errors.ts";
import { idxFile, type TypeName } from "./builders.ts";

const SUBJECT = { name: "x-idx", advice: "mend it" };

const header = (...bytes: number[]) => Uint8Array.from(bytes);

function cutUp(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge));
}

function parse(bytes: Uint8Array, cuts: readonly number[] = []) {
  const reader = new IdxReader(SUBJECT);
  const data = Buffer.concat(cutUp(bytes, cuts).map((chunk) => Buffer.from(reader.push(chunk))));
  reader.end();
  if (reader.header === null) throw new Error("no header");
  return { header: reader.header, data };
}

const doubles = fc.double({ noNaN: true });
const VALUES: Record<TypeName, fc.Arbitrary<number>> = {
  ubyte: fc.integer({ min: 0, max: 255 }),
  byte: fc.integer({ min: -128, max: 127 }),
  short: fc.integer({ min: -32768, max: 32767 }),
  int: fc.integer(),
  float: fc.float({ noNaN: true }),
  double: doubles,
};

describe("IdxReader", () => {
  test.each(Object.keys(VALUES) as TypeName[])(
    "push(chunk) gives back %s values under any chunking",
    (type) => {
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }).chain((dimensions) => {
            const count = dimensions.reduce((product, side) => product * side, 1);
            return fc.tuple(
              fc.constant(dimensions),
              fc.array(VALUES[type], { minLength: count, maxLength: count }),
              fc.array(fc.nat(5000), { maxLength: 12 }),
            );
          }),
          ([dimensions, values, cuts]) => {
            const { header: parsed, data } = parse(idxFile(dimensions, values, type), cuts);
            expect(parsed.type.name).toBe(type);
            expect(parsed.dimensions).toEqual(dimensions);
            expect(parsed.totalBytes).toBe(4 + 4 * dimensions.length + data.length);
            expect(parsed.recordBytes * (dimensions[0] ?? 0)).toBe(data.length);
            const view = new DataView(data.buffer, data.byteOffset, data.length);
            const read = values.map((_, i) => parsed.type.read(view, i * parsed.type.bytes));
            expect(read).toEqual(values);
          },
        ),
      );
    },
  );

  const known = "0x08 ubyte, 0x09 byte, 0x0b short, 0x0c int, 0x0d float, 0x0e double";
  const ERRORS: [string, Uint8Array, string][] = [
    ["nothing", header(), "x-idx is empty (0 bytes): mend it"],
    ["a few bytes", header(0, 0), "x-idx is cut short: 2 bytes are less than an IDX header: mend it"],
    [
      "half a header",
      header(0, 0, 8, 1, 0, 0),
      "x-idx is cut short: 6 bytes are less than an IDX header: mend it",
    ],
    [
      "a zip",
      header(0x50, 0x4b, 3, 4, 0),
      "x-idx is not an IDX file: it begins with the bytes 50 4b 03 04, expected 00 00, type, dimensions: mend it",
    ],
    [
      "a letter",
      header(0x41, 0x42),
      "x-idx is not an IDX file: it begins with the bytes 41 42, expected 00 00, type, dimensions: mend it",
    ],
    [
      "a web page",
      Buffer.from("\n <!doctype html>"),
      "x-idx is a web page (HTML or XML), not IDX data: mend it",
    ],
    [
      "a web page with a byte order mark",
      Buffer.from("\uFEFF<html>"),
      "x-idx is a web page (HTML or XML), not IDX data: mend it",
    ],
    [
      "a Git LFS pointer",
      Buffer.from("version https://git-lfs.github.com/spec/v1\n"),
      "x-idx is a Git LFS pointer, not the data it points to: mend it",
    ],
    [
      "an unknown type",
      header(0, 0, 7, 1, 0, 0, 0, 1, 0),
      `x-idx has the unknown IDX type 0x07, expected one of ${known}: mend it`,
    ],
    ["no dimensions", header(0, 0, 8, 0, 1), "x-idx claims 0 dimensions, expected 1 to 4: mend it"],
    ["200 dimensions", header(0, 0, 8, 200, 1), "x-idx claims 200 dimensions, expected 1 to 4: mend it"],
    [
      "a dimension of 0",
      header(0, 0, 8, 2, 0, 0, 0, 9, 0, 0, 0, 0),
      "x-idx claims dimensions of 9 × 0, where none may be 0: mend it",
    ],
    [
      "no records",
      header(0, 0, 8, 1, 0, 0, 0, 0),
      "x-idx claims dimensions of 0, where none may be 0: mend it",
    ],
    [
      "too many records",
      header(0, 0, 8, 1, 0x80, 0, 0, 1),
      "x-idx claims 2,147,483,649 records, at most 2,147,483,648 can be read: mend it",
    ],
    [
      "a huge side",
      header(0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0x10, 1),
      "x-idx claims dimensions of 1 × 4,097, at most 4,096 a side can be read: mend it",
    ],
    [
      "a size beyond counting",
      header(0, 0, 14, 3, 0x80, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0x10, 0),
      "x-idx claims dimensions of 2,147,483,648 × 4,096 × 4,096, more than can be read: mend it",
    ],
    [
      "a truncated file",
      idxFile([1000, 2]).subarray(0, -1),
      "x-idx is cut short: it holds 2,011 bytes, but its header promises 2,012: mend it",
    ],
    [
      "a file with a tail",
      Buffer.concat([idxFile([10]), Buffer.from("ab")]),
      "x-idx goes on after the 18 bytes that its header promises: mend it",
    ],
  ];

  test.each(ERRORS)("refuses %s with its own message", (_, bytes, message) => {
    expect(() => parse(bytes)).toThrow(new DatasetError(message));
  });

  test.each(ERRORS)("refuses %s with the same message byte by byte", (_, bytes, message) => {
    const everywhere = Array.from(bytes, (_, i) => i);
    expect(() => parse(bytes, everywhere)).toThrow(new DatasetError(message));
  });
});

test("grouped(count) sets commas", () => {
  expect([0, 12, 999, 1000, 9_999, 1_234_567].map(grouped)).toEqual([
    "0",
    "12",
    "999",
    "1,000",
    "9,999",
    "1,234,567",
  ]);
});

test("IDX_TYPES has the six types of the format", () => {
  expect(Object.values(IDX_TYPES).map(({ name, bytes }) => `${name}:${bytes}`)).toEqual([
    "ubyte:1",
    "byte:1",
    "short:2",
    "int:4",
    "float:4",
    "double:8",
  ]);
});
