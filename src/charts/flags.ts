import { textWidth } from "./text.ts";
import { sizes } from "./theme.ts";

/** A number marked on an axis: a pole, and beside its top a text. */
export interface Flag {
  readonly text: string;
  /** Pixels from the plot's left. */
  readonly at: number;
  /** Side of the pole on which the text begins or ends: `left` is to the right of it, as text is aligned. */
  readonly align: "left" | "right";
  /** 0 is the lowest; poles end in their flag's row. */
  readonly row: number;
}

/** Between pole and text, and between a text and the next pole. */
export const FLAG_GAP = 6;

/**
 * Places flags in as few rows as there can be so that no text crosses a pole or another text, and as many to the right
 * of their poles. There are few flags: all ways are tried.
 *
 * @param width of the plot, in which every text stays
 */
export function placeFlags(marks: readonly Pick<Flag, "text" | "at">[], width: number): Flag[] {
  let [best, least] = [[] as readonly Flag[], Infinity];
  const place = (placed: readonly Flag[], cost: number): void => {
    const mark = marks[placed.length];
    if (cost >= least) return;
    if (mark === undefined) {
      [best, least] = [placed, cost];
      return;
    }
    for (let row = 0; row < marks.length; row++) {
      for (const align of ["left", "right"] as const) {
        const flag = { ...mark, align, row };
        const [from, to] = extent(flag);
        if (from < 0 || to > width || placed.some((other) => collide(flag, other))) continue;
        // A row more for the whole costs more than any number of flags in higher rows or to the left.
        const highest = Math.max(...placed.map((each) => each.row), 0);
        const rows = Math.max(0, row - highest);
        place([...placed, flag], cost + 1000 * rows + 10 * row + (align === "right" ? 1 : 0));
      }
    }
  };
  place([], 0);
  return best.length === marks.length ? [...best] : marks.map((mark) => ({ ...mark, align: "left", row: 0 }));
}

function extent({ text, at, align }: Flag): readonly [number, number] {
  const reach = textWidth(text, sizes.label, "semibold") + 2 * FLAG_GAP;
  return align === "left" ? [at, at + reach] : [at - reach, at];
}

function collide(a: Flag, b: Flag): boolean {
  const [fromA, toA] = extent(a);
  const [fromB, toB] = extent(b);
  const poleOfB = b.at > fromA && b.at < toA && b.row >= a.row;
  const poleOfA = a.at > fromB && a.at < toB && a.row >= b.row;
  return poleOfA || poleOfB || (a.row === b.row && fromA < toB && fromB < toA);
}
