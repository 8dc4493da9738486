import { array, assert, constantFrom, oneof, property, string } from "fast-check";
import { describe, expect, it } from "vitest";

import { visible, visibleJson, visibleLines } from "../../src/text/visible.ts";

const OBEYED = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\uFFFE\uFFFF]|##\w*\[/u;
/** Text with many of the characters that matter. */
const HOSTILE = array(
  oneof(
    constantFrom("\n", "\r", " ", ":", "::", "##[", "##vso[", "\u001B[2J", "\u202E"),
    string({ unit: "binary" }),
  ),
).map((parts) => parts.join(""));

describe("visible(text)", () => {
  it.each([
    ["\u001B[31mred\u001B[0m", String.raw`\x1b[31mred\x1b[0m`],
    ["\u0000\u0007\b\t\r\n\u007F", String.raw`\x00\x07\x08\t\r\n\x7f`],
    ["\u0085\u009B31m", String.raw`\x85\x9b31m`],
    ["\u202Egnp\u2066x\u2069\u200F\u061C", String.raw`\u202egnp\u2066x\u2069\u200f\u061c`],
    ["a\u200Bb\u200Dc\u00ADd\uFEFF", String.raw`a\u200bb\u200dc\xadd\ufeff`],
    ["a\u2028b\u2029c", String.raw`a\u2028b\u2029c`],
    ["\u{E0041}\uD800\uFFFF", String.raw`\u{e0041}\ud800\uffff`],
    ["##vso[task.complete]", String.raw`\x23#vso[task.complete]`],
    ["a ##[error]b", String.raw`a \x23#[error]b`],
    ["x/255 → 92.04 %, é も 👍 # [a] ## b", "x/255 → 92.04 %, é も 👍 # [a] ## b"],
  ])("shows %j as %j", (text, shown) => expect(visible(text)).toBe(shown));

  it("leaves nothing to obey, and what is visible as it is", () => {
    assert(
      property(HOSTILE, (text) => {
        const shown = visible(text);
        expect(shown).not.toMatch(OBEYED);
        expect(visible(shown)).toBe(shown);
      }),
    );
  });
});

describe("visibleLines(text)", () => {
  it.each([
    ["a\n::error::b\n", "a\n\\x3a:error::b\n"],
    ["  ::add-mask::b", "  \\x3a:add-mask::b"],
    ["\u00A0::set-output name=a::b", "\u00A0\\x3a:set-output name=a::b"],
    ["std::vector, [::1] and a: b", "std::vector, [::1] and a: b"],
  ])("shows %j as %j", (text, shown) => expect(visibleLines(text)).toBe(shown));

  it("begins no line with a command", () => {
    assert(
      property(HOSTILE, (text) => {
        for (const line of visibleLines(text).split("\n")) expect(line.trimStart()).not.toMatch(/^::/);
      }),
    );
  });
});

describe("visibleJson(json)", () => {
  it("escapes as JSON does", () => {
    expect(visibleJson(JSON.stringify("\u009B\u202E\u{E0041}\u001B##vso[x]"))).toBe(
      String.raw`"\u009b\u202e\udb40\udc41\u001b\u0023#vso[x]"`,
    );
  });

  it("leaves the value as it was", () => {
    assert(
      property(HOSTILE, (text) => {
        const json = visibleJson(JSON.stringify({ [text]: [text] }, null, 2));
        expect(JSON.parse(json)).toEqual({ [text]: [text] });
        expect(json.replaceAll("\n", "")).not.toMatch(OBEYED);
      }),
    );
  });
});
