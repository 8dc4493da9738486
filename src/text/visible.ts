/**
 * What a reader does not see, but a terminal, a browser or an eye obeys: controls (C0, C1, with them the escapes of
 * ANSI), format characters (directions, zero widths), separators of lines, halves of surrogate pairs and what XML
 * forbids; and what begins a command of a CI job wherever in a line it stands, as `##vso[` and `##[` do.
 */
const OBEYED = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\uFFFE\uFFFF]|#(?=#\w*\[)/gu;
/** The same in JSON, which has line breaks between its values, and has escaped those inside of them. */
const OBEYED_IN_JSON = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|#(?=#\w*\[)/gu;
/** Found at once in a log's lines, most of which have nothing of the kind. */
const MAY_BE_OBEYED_IN_JSON = /[^\n -~]|##/;
/** What begins a command of a CI job where a line begins with it, after spaces too. */
const COMMAND = /^(\s*):(?=:)/u;
const SHORT: Readonly<Record<string, string>> = {
  "\n": String.raw`\n`,
  "\r": String.raw`\r`,
  "\t": String.raw`\t`,
};

/**
 * A text from outside as one line that is shown and never obeyed: `\x1b`, `\n` and `\u202e` stand for what they name.
 * @example visible("\u001B[31mred\u202E") // String.raw`\x1b[31mred\u202e`
 */
export function visible(text: string): string {
  return text.replaceAll(OBEYED, escaped);
}

/** Lines that hold texts from outside: their breaks stay, and none begins a command of a CI job. */
export function visibleLines(text: string): string {
  return text
    .split("\n")
    .map((line) => withoutCommand(visible(line)))
    .join("\n");
}

/** A line that a CI job does not take for a command such as `::error`. */
export function withoutCommand(line: string): string {
  return line.replace(COMMAND, String.raw`$1\x3a`);
}

/** JSON with the same value, in which nothing can be obeyed. */
export function visibleJson(json: string): string {
  if (!MAY_BE_OBEYED_IN_JSON.test(json)) return json;
  return json.replaceAll(OBEYED_IN_JSON, (character) =>
    Array.from({ length: character.length }, (_, i) => `\\u${hex(character.charCodeAt(i), 4)}`).join(""),
  );
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  if (code > 0xffff) return `\\u{${hex(code, 5)}}`;
  return SHORT[character] ?? (code > 0xff ? `\\u${hex(code, 4)}` : `\\x${hex(code, 2)}`);
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
