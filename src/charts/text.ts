import widths from "./fonts/widths.json" with { type: "json" };

/** The two cuts of Inter that charts are set in: 400 and 600. */
export type Weight = "regular" | "semibold";

const MISSING = 0xffff;
const SIZE = 0xe000;
/** An em: what CJK needs, the widest script that a class name is likely to be in. */
const FALLBACK_EM = 1;
let advances: Record<Weight, Uint16Array> | undefined;

/** Advance width by code point, in font units. */
function advancesOf(weight: Weight): Uint16Array {
  advances ??= { regular: unpack(widths.regular), semibold: unpack(widths.semibold) };
  return advances[weight];
}

function unpack(runs: readonly (readonly number[])[]): Uint16Array {
  const table = new Uint16Array(SIZE).fill(MISSING);
  runs.forEach((run, i) => table.set(run, widths.starts[i]));
  return table;
}

/** Width of a line of text in pixels at `size` pixels, by the font's own advance widths, without kerning. */
export function textWidth(text: string, size: number, weight: Weight = "regular"): number {
  const table = advancesOf(weight);
  let units = 0;
  for (const character of text) {
    const advance = table[character.codePointAt(0) ?? 0] ?? MISSING;
    units += advance === MISSING ? FALLBACK_EM * widths.unitsPerEm : advance;
  }
  return (units * size) / widths.unitsPerEm;
}

/** Width of the widest of some texts, 0 of none. */
export function widestOf(texts: readonly string[], size: number, weight: Weight = "regular"): number {
  return texts.reduce((widest, text) => Math.max(widest, textWidth(text, size, weight)), 0);
}

/** The text as it is where it fits into `width` pixels, else its beginning and an ellipsis. */
export function fitText(text: string, width: number, size: number, weight: Weight = "regular"): string {
  if (textWidth(text, size, weight) <= width) return text;
  const characters = Array.from(text);
  while (characters.length > 0) {
    characters.pop();
    const shortened = `${characters.join("").trimEnd()}…`;
    if (textWidth(shortened, size, weight) <= width) return shortened;
  }
  return "…";
}

/** Lines of at most `width` pixels, broken at spaces, but never between a figure and its percent sign. */
export function wrapText(text: string, width: number, size: number, weight: Weight = "regular"): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/ (?!%)/u)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && textWidth(longer, size, weight) > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  lines.push(line);
  return lines.map((each) => fitText(each, width, size, weight));
}

/** The characters of a text that the font lacks, each once: they would be blank in a PNG. */
export function missingGlyphs(text: string): string[] {
  const table = advancesOf("regular");
  const lacks = (character: string) => (table[character.codePointAt(0) ?? 0] ?? MISSING) === MISSING;
  return [...new Set(text)].filter(lacks);
}
