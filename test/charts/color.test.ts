import { assert, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { contrast, ramp, textOn } from "../../src/charts/color.ts";
import { colors } from "../../src/charts/theme.ts";

const hex = integer({ min: 0, max: 0xffffff }).map((n) => `#${n.toString(16).padStart(6, "0")}`);

describe("contrast(a, b)", () => {
  it.each([
    ["#000000", "#ffffff", 21],
    ["#777777", "#ffffff", 4.48],
    ["#ffffff", "#0000ff", 8.59],
  ])("of %s and %s is %d", (a, b, expected) => {
    expect(contrast(a, b)).toBeCloseTo(expected, 2);
  });

  it("is enough for the theme's text on white", () => {
    for (const ink of [colors.ink, colors.muted, colors.wrongText]) {
      expect(contrast(ink, colors.background)).toBeGreaterThan(4.5);
    }
  });
});

describe("textOn(fill)", () => {
  it("is readable on every colour", () => {
    assert(
      property(hex, (fill) => {
        expect(contrast(textOn(fill), fill)).toBeGreaterThanOrEqual(4.5);
      }),
    );
  });

  it("is the usual ink where that is readable", () => {
    expect(textOn("#ffffff")).toBe(colors.ink);
    expect(textOn("#0072b2")).toBe(colors.background);
  });
});

describe("ramp(stops, share)", () => {
  it("goes through the stops evenly", () => {
    const stops = ["#000000", "#808080", "#ff0000"];
    expect([0, 0.25, 0.5, 0.75, 1].map((share) => ramp(stops, share))).toEqual([
      "#000000",
      "#404040",
      "#808080",
      "#c04040",
      "#ff0000",
    ]);
  });

  it("stays at the ends outside of 0 to 1", () => {
    expect([ramp(["#000000", "#ffffff"], -1), ramp(["#000000", "#ffffff"], 2)]).toEqual([
      "#000000",
      "#ffffff",
    ]);
  });
});
