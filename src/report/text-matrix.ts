import type { Evaluation } from "../types.ts";
import { count } from "./format.ts";
import { abbreviate, type Paint, padEnd, padStart, plainText, width, wrap } from "./terminal.ts";

const WIDEST_NAME = 16;
const NARROWEST_HEAD = 4;
const GAP = 2;

/**
 * The confusion matrix, rows true and columns predicted, with names cut to what fits; where the counts themselves do
 * not fit, a line that says where they are.
 */
export function matrixLines(
  { confusionMatrix, dataset }: Evaluation,
  columns: number,
  paint: Paint,
): string[] {
  const names = dataset.classes.map(plainText);
  const cells = confusionMatrix.map((row) => row.map((cell) => (cell === 0 ? "·" : count(cell))));
  const digits = Math.max(0, ...cells.flat().map(width));
  const side = Math.min(WIDEST_NAME, Math.max("true".length, ...names.map(width)));
  const head = headWidth(names, digits, columns - side);
  if (head === null) {
    const k = names.length;
    return wrap(
      `Confusion matrix: ${k} × ${k} is too wide for here, see confusion_matrix.csv`,
      columns,
      "  ",
    );
  }
  const line = (first: string, row: readonly string[]) => padEnd(first, side) + row.join("");
  const cell = (text: string) => padStart(text, head + GAP);
  const caption = `${padEnd("true", side)}${" ".repeat(GAP)}predicted`;
  const heads = line(
    "",
    names.map((name) => cell(abbreviate(name, head))),
  );
  const rows = cells.map((row, i) => {
    const texts = row.map((text, j) => shown(cell(text), i === j, text === "·", paint));
    return line(abbreviate(names[i] ?? "", side), texts);
  });
  return [caption, heads.trimEnd(), ...rows];
}

function shown(text: string, diagonal: boolean, none: boolean, paint: Paint): string {
  if (diagonal) return paint("right", text);
  return none ? paint("dim", text) : text;
}

/** The widest of whole names, cut names and bare counts that fits; null where none does. */
function headWidth(names: readonly string[], digits: number, room: number): number | null {
  const most = Math.floor(room / names.length) - GAP;
  const whole = Math.max(digits, ...names.map(width));
  if (whole <= Math.min(most, WIDEST_NAME)) return whole;
  const least = Math.max(digits, Math.min(whole, NARROWEST_HEAD));
  return most < least ? null : Math.min(most, WIDEST_NAME);
}
