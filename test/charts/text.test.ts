import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Resvg } from "@resvg/resvg-js";
import { describe, expect, it } from "vitest";
import { fontUrl } from "../../src/charts/fontface.ts";
import widths from "../../src/charts/fonts/widths.json" with { type: "json" };
import { fitText, missingGlyphs, textWidth, type Weight, widestOf, wrapText } from "../../src/charts/text.ts";

// The package is CommonJS whose exports Node cannot name.
const { parse } = createRequire(import.meta.url)("opentype.js") as typeof import("opentype.js");

const FILES = { regular: "Inter-Regular.ttf", semibold: "Inter-SemiBold.ttf" } as const;
const PACKAGE = {
  regular: "@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf",
  semibold: "@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf",
} as const;
const WEIGHTS: readonly Weight[] = ["regular", "semibold"];

function fontAt(url: URL | string): ReturnType<typeof parse> {
  const bytes = readFileSync(url);
  return parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** Advance widths by code point, as widths.json has them. */
function tableOf(weight: Weight): Map<number, number> {
  return new Map(
    widths.starts.flatMap((start, i) =>
      (widths[weight][i] ?? []).map((width, j) => [start + j, width] as const),
    ),
  );
}

describe.each(WEIGHTS)("widths.json, %s", (weight) => {
  it("holds the widths of every character of the font file, and of no other", () => {
    const font = fontAt(fontUrl(FILES[weight]));
    const codePoints = Object.keys(
      (font.tables["cmap"] as unknown as { glyphIndexMap: object }).glyphIndexMap,
    ).map(Number);
    const expected = codePoints
      .filter((codePoint) => codePoint >= 0x20)
      .map(
        (codePoint) => [codePoint, font.charToGlyph(String.fromCodePoint(codePoint)).advanceWidth] as const,
      );
    expect(tableOf(weight)).toEqual(new Map(expected.sort(([a], [b]) => a - b)));
  });

  it("holds the widths of the font's package", () => {
    const font = fontAt(fileURLToPath(import.meta.resolve(PACKAGE[weight])));
    expect(widths.unitsPerEm).toBe(font.unitsPerEm);
    const differing = [...tableOf(weight)].filter(
      ([codePoint, width]) => font.charToGlyph(String.fromCodePoint(codePoint)).advanceWidth !== width,
    );
    expect(differing).toEqual([]);
  });
});

describe("textWidth(text, size, weight)", () => {
  it.each([
    ["41 of 892, 4.6 %", "regular"],
    ["AVATAR To Ty WA", "regular"],
    ["Ankle boot → T-shirt/top", "semibold"],
    ["Größe Ж Ω ≤ 5", "semibold"],
  ] as const)("is the width that the rasteriser gives %s in %s", (text, weight) => {
    // The box of letters lacks the blank space beside the first and last one: a hyphen at both ends cancels it.
    const box = (content: string) => {
      const svg =
        `<svg xmlns="http://www.w3.org/2000/svg" width="2000" height="200"><text x="10" y="100" font-size="40" ` +
        `font-family="Inter" font-weight="${weight === "regular" ? 400 : 600}">${content}</text></svg>`;
      const fontFiles = Object.values(FILES).map((name) => fileURLToPath(fontUrl(name)));
      return new Resvg(svg, { font: { loadSystemFonts: false, fontFiles } }).getBBox()!.width;
    };
    const drawn = box(`-${text}-`) - box("--");
    expect(Math.abs(textWidth(text, 40, weight) / drawn - 1)).toBeLessThan(0.002);
  });

  it("counts an em for a character that the font lacks", () => {
    expect(textWidth("あ", 20)).toBe(20);
    expect(textWidth("😀", 20)).toBe(20);
  });

  it("is 0 of nothing", () => {
    expect(textWidth("", 12)).toBe(0);
    expect(widestOf([], 12)).toBe(0);
  });
});

describe("fitText(text, width, size)", () => {
  it("leaves alone what fits", () => {
    expect(fitText("Ankle boot", textWidth("Ankle boot", 12), 12)).toBe("Ankle boot");
  });

  it("cuts what does not fit to the longest beginning that does, with an ellipsis", () => {
    expect(fitText("Ankle boot", 56, 12)).toBe("Ankle b…");
    expect(textWidth("Ankle b…", 12)).toBeLessThanOrEqual(56);
    expect(textWidth("Ankle bo…", 12)).toBeGreaterThan(56);
  });

  it("leaves no space before the ellipsis, and always the ellipsis", () => {
    expect(fitText("Ankle boot", 44, 12)).toBe("Ankle…");
    expect(fitText("Ankle boot", 1, 12)).toBe("…");
  });
});

describe("wrapText(text, width, size)", () => {
  it("breaks at spaces, but not before a percent sign", () => {
    expect(wrapText("read as 3 in 4.6 % of cases", 60, 12)).toEqual(["read as 3", "in 4.6 %", "of cases"]);
  });

  it("cuts a word that is wider than the line", () => {
    const [first, second] = wrapText("an extraordinarily-long-name", 80, 12);
    expect(first).toBe("an");
    expect(second).toMatch(/^extraordin.*…$/u);
  });
});

describe("missingGlyphs(text)", () => {
  it("lists each character that the font lacks once", () => {
    expect(missingGlyphs("おきおT-shirt/top Größe αβγ Ж → ≤ %😀")).toEqual(["お", "き", "😀"]);
  });
});
