import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { isNumbers } from "../../src/scorer/protocols/images.ts";
import { RequestError, type Json, type Numbers } from "../../src/scorer/protocols/service.ts";
import { JsonReader } from "../../src/server/json.ts";
import type { BlockOptions } from "../../src/server/blocks.ts";

const OPTIONS: BlockOptions = { element: "float64", rowSize: 4, bytes: null };

function read(
  text: string | Buffer,
  options: Partial<BlockOptions> = {},
  cuts: readonly number[] = [],
): Json {
  const bytes = Buffer.from(text);
  const reader = new JsonReader({ ...OPTIONS, ...options });
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  let at = 0;
  for (const end of ends) {
    reader.push(bytes.subarray(at, end));
    at = end;
  }
  return reader.end();
}

function numbersIn(json: Json): Numbers {
  if (isNumbers(json)) return json;
  throw new TypeError("these are no numbers");
}

/** As `JSON.parse` would give it. @throws RequestError where a list of numbers was refused */
function plain(json: Json): unknown {
  if (isNumbers(json)) return nested(json);
  if (Array.isArray(json)) return (json as readonly Json[]).map(plain);
  if (json instanceof Map)
    return Object.fromEntries([...(json as Map<string, Json>)].map(([k, v]) => [k, plain(v)]));
  return json;
}

function nested({ blocks, dims }: Numbers): unknown {
  const numbers = blocks.flatMap((block) => [...block]);
  const build = (depth: number): unknown =>
    depth === dims.length ? numbers.shift() : Array.from({ length: dims[depth]! }, () => build(depth + 1));
  return build(0);
}

const table = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 }))
  .chain(([rows, columns]) =>
    fc.array(
      fc.array(
        fc.oneof(
          fc.double({ noNaN: true, noDefaultInfinity: true }),
          fc.integer(),
          fc.integer({ min: 0, max: 255 }).map((pixel) => pixel / 255),
        ),
        { minLength: columns, maxLength: columns },
      ),
      { minLength: rows, maxLength: rows },
    ),
  );
const key = fc.string({ unit: "binary" }).filter((name) => name !== "__proto__");
const { tree: json } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: "binary" }),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    table,
    fc.array(fc.oneof(fc.string(), fc.boolean())),
    fc.dictionary(key, tie("tree"), { noNullPrototype: true }),
  ),
}));

/** As images are sent: runs of background, and a few numbers over and over. */
const image = fc
  .tuple(fc.constantFrom(",", ", "), fc.constantFrom("0", "0.0", "0.00", "-0.0"))
  .chain(([separator, background]) =>
    fc
      .array(
        fc.oneof(
          {
            weight: 3,
            arbitrary: fc
              .oneof(fc.nat(40), fc.nat(600))
              .map((count) => Array<string>(count).fill(background)),
          },
          fc.nat(255).map((x) => [String(x / 255)]),
          fc.nat(255).map((x) => [`${x}.0`]),
          fc.nat(1200).map((x) => [String(x)]),
          // Those that another one's text starts or ends with.
          fc
            .tuple(fc.integer({ min: 60, max: 70 }), fc.integer({ min: 3, max: 17 }))
            .map(([x, digits]) => [(x / 255).toFixed(digits)]),
          fc.integer({ min: 60, max: 70 }).map((x) => [`-${(x / 255).toFixed(16)}`]),
        ),
        { minLength: 1, maxLength: 12 },
      )
      .map((runs) => `[${["0.5", ...runs.flat(), "0.25"].join(separator)}]`),
  );
const ELEMENTS = ["float32", "float64"] as const;
const asRead = (text: string, element: "float32" | "float64"): number[] =>
  (JSON.parse(text) as number[]).map((x) => (element === "float32" ? Math.fround(x) : x));

const refusable = (reads: () => number[]): number[] | "refused" => {
  try {
    return reads();
  } catch (error) {
    if (error instanceof RequestError || error instanceof SyntaxError) return "refused";
    throw error;
  }
};

describe("JsonReader", () => {
  test("reads what JSON.parse reads, whatever the pieces that it comes in", () => {
    fc.assert(
      fc.property(
        json,
        fc.array(fc.nat(), { maxLength: 12 }),
        fc.constantFrom(0, 1),
        (value, cuts, space) => {
          const text = JSON.stringify(value, null, space);
          expect(plain(read(text, {}, cuts))).toEqual(JSON.parse(text));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("rounds to float32 as Math.fround does, however a number is written", () => {
    const written = fc.oneof(
      fc.double({ noNaN: true, min: -1e38, max: 1e38 }).map(String),
      fc.double({ noNaN: true, min: 0, max: 1 }).map(String),
      fc
        .tuple(fc.double({ noNaN: true, min: 0, max: 1 }), fc.integer({ min: 1, max: 40 }))
        .map(([x, n]) => x.toFixed(n)),
      fc.double({ noNaN: true, min: 0, max: 1e10 }).map((x) => x.toExponential()),
      // Halfway between two float32, and a little beside.
      fc.float({ noNaN: true, min: 0, max: 1 }).map((x) => (x + x * 2 ** -24).toPrecision(18)),
    );
    fc.assert(
      fc.property(fc.array(written, { minLength: 1 }), (texts) => {
        const numbers = read(`[${texts.join(",")}]`, { element: "float32" }) as Numbers;
        expect(numbers.blocks.flatMap((block) => [...block])).toEqual(
          texts.map((text) => Math.fround(Number(text))),
        );
      }),
      { numRuns: 2000 },
    );
  });

  test("reads the numbers of images, which it has seen before", () => {
    fc.assert(
      fc.property(
        image,
        fc.constantFrom(...ELEMENTS),
        fc.array(fc.nat(), { maxLength: 3 }),
        (text, element, cuts) => {
          const { blocks } = read(text, { element, rowSize: 1 }, cuts) as Numbers;
          expect(blocks.flatMap((block) => [...block])).toEqual(asRead(text, element));
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("takes a damaged list of numbers for what JSON.parse takes it, or refuses it", () => {
    const damage = fc.tuple(
      fc.nat(),
      fc.constantFrom(...Buffer.from("0123456789.,-+eE []\0\x7f"), 0x80, 0xff),
    );
    fc.assert(
      fc.property(image, damage, fc.constantFrom(...ELEMENTS), (text, [place, byte], element) => {
        const bytes = Buffer.from(text);
        bytes[1 + (place % (bytes.length - 2))] = byte;
        const damaged = bytes.toString("latin1");
        const numbers = refusable(() => asRead(damaged, element));
        const isTable = Array.isArray(numbers) && numbers.every((value) => Number.isFinite(value));
        expect(refusable(() => nested(numbersIn(read(bytes, { element }))) as number[])).toEqual(
          isTable ? numbers : "refused",
        );
      }),
      { numRuns: 3000 },
    );
  });

  test("lays no image across two blocks", () => {
    const rows = Array.from({ length: 1000 }, (_, i) => [i, 0, 0, 0]);
    const { blocks, dims } = read(JSON.stringify(rows)) as Numbers;
    expect(dims).toEqual([1000, 4]);
    expect(blocks.map(({ length }) => length)).toEqual([1024, 1024, 1024, 928]);
  });

  test.each([
    ["", "the body is empty: send JSON"],
    [" \n", "the body is empty: send JSON"],
    ['{"data": [[1, 2', "the body is no JSON: it ends in the middle"],
    ['{"data', "the body is no JSON: it ends in the middle"],
    ["{'data': 1}", "the body is no JSON: at byte 1 stands ', where key or } is expected"],
    ['{"data" [1]}', "the body is no JSON: at byte 8 stands [, where : is expected"],
    ['{"data": 1,}', "the body is no JSON: at byte 11 stands }, where key is expected"],
    ["[1] 2", "the body is no JSON: at byte 4 stands 2, where the end is expected"],
    ['{"a": tru}', "the body is no JSON: at byte 6 stands tru, where a value is expected"],
    ['{"a": 1.}', "the body is no JSON: at byte 6 stands 1., where a value is expected"],
    ["\uFEFF{}", "the body is no JSON: at byte 0 stands the byte 0xef, where a value is expected"],
    ['{"a": 1, "a": 2}', 'the body has the key "a" twice (near byte 9)'],
    ['{"a": "\\x"}', "the body has a string that is not UTF-8, or has a wrong escape (near byte 6)"],
    [`{"a": "${"x".repeat(9000)}`, "the body has a string or a number of more than 8192 bytes (near byte 6)"],
    ['{"a":'.repeat(33), "the body is nested more than 32 deep (near byte 160)"],
    [
      `["",${'"",'.repeat(20_000)}`,
      "the body has more than 20000 values beside its numbers (near byte 60001)",
    ],
    ['{"data": [[1, 2], [3]]}', '"data": row 1 has 1 number, but those before it have 2'],
    ['{"data": [[1, 2], [3, 4, 5]]}', '"data": row 1 has 3 numbers, but those before it have 2'],
    ['{"data": [[1, null]]}', '"data": row 0, column 1 is null, but must be a number'],
    ['{"data": [[1, true]]}', '"data": row 0, column 1 is true, but must be a number'],
    ['{"data": [[1, "2"]]}', '"data": row 0, column 1 is a string, but must be a number'],
    ['{"data": [[1, {}]]}', '"data": row 0, column 1 is an object, but must be a number'],
    ['{"data": [[1, NaN]]}', '"data": row 0, column 1 is NaN, but must be a number'],
    ['{"data": [[1, -Infinity]]}', '"data": row 0, column 1 is -Infinity, but must be a number'],
    ['{"data": [[1, 1e999]]}', '"data": row 0, column 1 is 1e999, which is too large for float64'],
    ['{"data": [[1, 01]]}', '"data": row 0, column 1 is 01, but must be a number'],
    ['{"data": [[1, .5]]}', '"data": row 0, column 1 is .5, but must be a number'],
    ['{"data": [[1, +5]]}', '"data": row 0, column 1 is +5, but must be a number'],
    ['{"data": [[1], 2]}', '"data": row 1 is a number, where lists were before'],
    ['{"data": [[1, [2]]]}', '"data": row 0, column 1 is a list, where numbers were before'],
    ['{"data": [[[1, 2], [3, x]]]}', '"data": row 0, line 1, column 1 is x, but must be a number'],
    ['{"data": [1, x]}', '"data": element 1 is x, but must be a number'],
    [
      "[[[[[[[1]]]]]]]",
      "the body: row 0, line 0, column 0, channel 0, element 0, element 0 is nested more than 6 deep",
    ],
    ["[".repeat(100_000), "the body is nested more than 32 deep (near byte 33)"],
    [
      '{"data": [[1, "x"], {"a": [tru]}]}',
      "the body is no JSON: at byte 27 stands tru, where value or ] is expected",
    ],
  ])("refuses %j in one piece and byte by byte", (text, message) => {
    const bytes = Buffer.from(text);
    const everywhere = text.length < 1000 ? Array.from(bytes, (_, i) => i) : [];
    const error = { name: "RequestError", status: 400, message };
    expect(() => plain(read(text))).toThrow(expect.objectContaining(error));
    expect(() => plain(read(text, {}, everywhere))).toThrow(expect.objectContaining(error));
  });

  test("refuses what is too large for float32 where the model takes float32", () => {
    expect(() => plain(read('{"data": [[0, 3.5e38]]}', { element: "float32" }))).toThrow(
      '"data": row 0, column 1 is 3.5e38, which is too large for float32',
    );
    expect(() => read("[3.4028234663852886e38]", { element: "float32" })).not.toThrow();
  });

  test("drops a list of numbers that is uneven or holds something else, and reads what is beside it", () => {
    const uneven = fc.constantFrom(
      '[1, "a"]',
      "[[1], [2, 3]]",
      '[[1, 2], {"a": [1, {"b": "]"}]}, [true, null]]',
      "[1, [2, [3]], 1e999]",
      "[[1], 2, [[[[[[[[3]]]]]]]]]",
      '[[], ["x"], []]',
    );
    fc.assert(
      fc.property(uneven, fc.array(fc.nat(), { maxLength: 6 }), (list, cuts) => {
        const body = read(`{"before": ${list}, "data": [[1, 2], [3, 4]], "after": ${list}}`, {}, cuts);
        const fields = body as ReadonlyMap<string, Json>;
        expect([...fields.keys()]).toEqual(["before", "data", "after"]);
        expect(plain(fields.get("data")!)).toEqual([
          [1, 2],
          [3, 4],
        ]);
        for (const name of ["before", "after"])
          expect(() => plain(fields.get(name)!)).toThrow(expect.objectContaining({ name: "RequestError" }));
      }),
    );
  });

  test("lets a list be followed by any number of spaces", () => {
    expect(plain(read(`{"a": [${" ".repeat(20_000)}"x"], "b": [${" ".repeat(20_000)}1]}`))).toEqual({
      a: ["x"],
      b: [1],
    });
  });

  test("takes __proto__ as a key like any other", () => {
    const value = read('{"__proto__": {"data": "x"}}') as ReadonlyMap<string, Json>;
    expect([...value.keys()]).toEqual(["__proto__"]);
    expect(({} as { data?: unknown }).data).toBeUndefined();
  });
});
