// Writes widths.json, the advance widths of the two font files beside it: `node src/charts/fonts/widths.mjs`.
// Vega lays charts out by them, because reading a font of 340 KB in each run would cost more than drawing a chart.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parse } from "opentype.js/dist/opentype.mjs";

const FILES = { regular: "Inter-Regular.ttf", semibold: "Inter-SemiBold.ttf" };
/** From here on the font has private use and emoji. */
const LAST_CODE_POINT = 0xdfff;

function fontOf(name) {
  const bytes = readFileSync(new URL(name, import.meta.url));
  return parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** Runs of consecutive code points: where each starts, and one width a code point in font units. */
export function widths() {
  const { regular, semibold } = Object.fromEntries(
    Object.entries(FILES).map(([weight, name]) => [weight, fontOf(name)]),
  );
  const table = { unitsPerEm: regular.unitsPerEm, starts: [], regular: [], semibold: [] };
  const codePoints = Object.keys(regular.tables.cmap.glyphIndexMap).map(Number);
  codePoints.sort((a, b) => a - b);
  let previous = -2;
  for (const codePoint of codePoints) {
    if (codePoint < 0x20 || codePoint > LAST_CODE_POINT) continue;
    if (codePoint !== previous + 1) {
      table.starts.push(codePoint);
      table.regular.push([]);
      table.semibold.push([]);
    }
    const character = String.fromCodePoint(codePoint);
    table.regular.at(-1).push(regular.charToGlyph(character).advanceWidth);
    table.semibold.at(-1).push(semibold.charToGlyph(character).advanceWidth);
    previous = codePoint;
  }
  return table;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(fileURLToPath(new URL("widths.json", import.meta.url)), `${JSON.stringify(widths())}\n`);
}
