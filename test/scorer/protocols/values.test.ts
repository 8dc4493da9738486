import { describe, expect, test } from "vitest";

import { parse } from "../../../src/scorer/protocols/json.ts";
import { ReplyError } from "../../../src/scorer/protocols/protocol.ts";
import { answerOf, valuesOf } from "../../../src/scorer/protocols/values.ts";
import { summary } from "./replies.ts";

function outcome(run: () => string): string {
  try {
    return run();
  } catch (error) {
    return String(error);
  }
}

describe("answerOf(json)", () => {
  test.each([
    ["7", "int64 [1] 7"],
    ["[7, 2]", "int64 [2] 7,2"],
    ["[[7], [2]]", "int64 [2, 1] 7,2"],
    ["[[7, 2]]", "float64 [1, 2] 7,2"],
    ["[0.5, 1]", "float64 [2] 0.5,1"],
    ["[7, null]", "float64 [2] 7,NaN"],
    ["[NaN, -Infinity, Infinity]", "float64 [3] NaN,-Infinity,Infinity"],
    ['[1, "NaN", "-Infinity"]', "float64 [3] 1,NaN,-Infinity"],
    ['["7", "2"]', "string [2] 7,2"],
    ['[["a", null]]', "string [1, 2] a,"],
    ["[[[1, 2], [3, 4]]]", "float64 [1, 2, 2] 1,2,3"],
    ["[]", "float64 [0]"],
    [
      '[{"label": 7, "p": [0.5, 0.5]}, {"label": 2, "p": [1, 0]}]',
      "label int64 [2] 7,2; p float64 [2, 2] 0.5,0.5,1",
    ],
    ['[{"0": 0.5, "1": 0.25}, {"0": 1, "1": 0}]', "float64 [2, 2] 0.5,0.25,1"],
    ['{"0": [0.5, 1], "1": [0.25, 0]}', "float64 [2, 2] 0.5,0.25,1"],
    ['{"classes": [7], "scores": [[0.5, 1]]}', "classes int64 [1] 7; scores float64 [1, 2] 0.5,1"],
    ['{"0": [3, 4]}', "0 int64 [2] 3,4"],
    ["[[1, 2], [3]]", "ReplyError: the reply's lists are of different lengths"],
    ["[[1, 2], 3]", "ReplyError: the reply's lists are of different lengths"],
    ["[1, [2]]", "ReplyError: the reply's lists are of different lengths"],
    ["[true, false]", "ReplyError: the reply holds true where a number was expected"],
    ['[1, {"a": 1}]', "ReplyError: the reply holds an object where a number was expected"],
    ['[1, "a"]', "ReplyError: the reply mixes numbers and texts"],
    ['["a", 1]', "ReplyError: the reply mixes numbers and texts"],
    ['[{"a": 1}, {"b": 1}]', "ReplyError: the reply's item 2 has other fields than its first"],
    ['[{"a": 1}, 5]', "ReplyError: the reply's item 2 has other fields than its first"],
    ["[{}]", "ReplyError: the service answered with nothing ({}) for an image"],
    ["[[[[[[[[[1]]]]]]]]]", "ReplyError: the reply's lists are nested more than 8 deep"],
    ["true", "ReplyError: the reply holds true where a number was expected"],
    ["null", "ReplyError: the service answered with nothing (null)"],
    ["{}", "ReplyError: the service answered with nothing ({})"],
  ])("%s", (json, expected) => {
    expect(outcome(() => summary(answerOf(parse(json))))).toBe(expected);
  });

  test("asks for no memory that a ragged list only seems to need", () => {
    const wide = Array.from({ length: 100_000 }, () => 0);
    const json: unknown[] = Array.from({ length: 100_000 }, () => [0]);
    json[0] = wide;
    expect(() => valuesOf(json)).toThrow("the reply's lists are of different lengths");
  });
});

const fields = (count: number): string =>
  `{${Array.from({ length: count }, (_, i) => `"a:${i}":"{"`).join(",")}}`;

describe("parse(text)", () => {
  test("leaves the tokens alone in strings", () => {
    expect(parse('{"NaN \\\\": "a \\"NaN\\" Infinity", "b": [NaN, -Infinity]}')).toEqual({
      "NaN \\": 'a "NaN" Infinity',
      b: [null, -Infinity],
    });
  });

  test("reads strings of many megabytes beside a token", () => {
    const text = `["${'\\"NaN'.repeat(1_000_000)}", NaN]`;
    expect((parse(text) as unknown[])[1]).toBeNull();
  });

  test("keeps what is no JSON out", () => {
    expect(() => parse("[NaN")).toThrow(SyntaxError);
    expect(() => parse('["NaN')).toThrow(SyntaxError);
    expect(() => parse("nothing")).toThrow(SyntaxError);
  });

  test.each([
    ["lists", "[", "]"],
    ["objects", '{"a":', "}"],
  ])("takes %s that are nested 64 deep, and no more", (_, open, close) => {
    const nested = (levels: number): string => `${open.repeat(levels)}1${close.repeat(levels)}`;
    expect(parse(nested(64))).toBeTypeOf("object");
    expect(() => parse(nested(65))).toThrow(new ReplyError("the reply is nested more than 64 deep"));
  });

  test("takes objects of 10,000 fields, however many there are, and no more", () => {
    expect(parse(`[${fields(10_000)},${fields(10_000)}]`)).toHaveLength(2);
    expect(() => parse(`[0,${fields(10_001)}]`)).toThrow(
      new ReplyError("the reply has an object of more than 10,000 fields"),
    );
  });

  test("does not count what stands in strings", () => {
    const text = String.raw`"[[\"`.padEnd(200, "[:{");
    expect(parse(JSON.stringify({ text }))).toEqual({ text });
  });
});
