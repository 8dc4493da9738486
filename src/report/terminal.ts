import { visible, withoutCommand } from "../text/visible.ts";

const ESCAPE = "\u001B[";
const CODES = { green: "32", red: "31", yellow: "33", bold: "1", dim: "2", right: "1;32" } as const;

export type Color = keyof typeof CODES;
export type Paint = (color: Color, text: string) => string;

/**
 * Colours text, or leaves it as it is. Not `styleText` of `node:util`, which from Node 22 on looks at standard output
 * for itself: the caller decided already.
 */
export function painter(color: boolean): Paint {
  return (name, text) => (color ? `${ESCAPE}${CODES[name]}m${text}${ESCAPE}0m` : text);
}

const WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}|[\u{20000}-\u{3FFFD}]/u;
const NO_WIDTH = /\p{Mn}|\p{Me}|\p{Cf}/u;

/** How many columns of a terminal a text takes: East Asian characters take two. */
export function width(text: string): number {
  let columns = 0;
  for (const character of text) columns += WIDE.test(character) ? 2 : NO_WIDTH.test(character) ? 0 : 1;
  return columns;
}

/** On one line, with what would steer the terminal shown: a name from outside must not move the cursor. */
export function plainText(text: string): string {
  return withoutCommand(visible(text.trim()).replaceAll(/\s+/g, " "));
}

/** At most `columns` wide, the end replaced by `…` where it is longer. */
export function abbreviate(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let kept = "";
  for (const character of text) {
    if (width(kept + character) > columns - 1) break;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}

export function padStart(text: string, columns: number): string {
  return " ".repeat(Math.max(0, columns - width(text))) + text;
}

export function padEnd(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - width(text)));
}

/** Words in lines of at most `columns`; later lines are indented; a word that is longer stays whole. */
export function wrap(text: string, columns: number, indent = ""): string[] {
  return joined(text.split(" "), " ", columns, indent);
}

/** Parts joined into lines of at most `columns`, broken between parts, and within a part where it alone is wider. */
export function fill(parts: readonly string[], separator: string, columns: number, indent = ""): string[] {
  return joined(parts, separator, columns, indent).flatMap((line) => wrap(line, columns, indent));
}

function joined(parts: readonly string[], separator: string, columns: number, indent: string): string[] {
  const end = separator.trimEnd();
  const lines: string[] = [];
  let line = parts[0] ?? "";
  for (const [i, part] of parts.slice(1).entries()) {
    const longer = line + separator + part;
    const last = i === parts.length - 2;
    if (width(last ? longer : longer + end) <= columns) line = longer;
    else {
      lines.push((line + end).trimEnd());
      line = indent + part;
    }
  }
  return [...lines, line.trimEnd()];
}
