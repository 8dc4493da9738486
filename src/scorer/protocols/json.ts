import { grouped } from "../../grouped.ts";
import { ReplyError } from "./protocol.ts";
import { isBinary, quoted, textOf } from "./text.ts";

/**
 * The JSON of a reply, as Python writes it: `NaN`, `Infinity` and `-Infinity` are null, Infinity and -Infinity.
 *
 * @throws ReplyError where it is none, in words for users
 */
export function jsonOf(body: Buffer): unknown {
  const text = textOf(body);
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof ReplyError) throw error;
    if (breaksOff(text)) {
      throw new ReplyError(`the reply breaks off after ${body.length.toLocaleString("en")} bytes`, {
        cause: error,
      });
    }
    const what = isBinary(text) ? "binary data" : quoted(text);
    throw new ReplyError(`the reply is not JSON: ${what}`, { cause: error });
  }
}

/** More than any service's lists and objects: what is done with them may take a function call for each level. */
const MOST_LEVELS = 64;
/** Of one object: reading so many takes longer than what they are worth. */
const MOST_FIELDS = 10_000;

/** @throws SyntaxError; ReplyError where it is nested too deep, or has too many fields */
export function parse(text: string): unknown {
  checkExtent(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) throw error;
    return JSON.parse(withoutTokens(text));
  }
}

/** JSON has no Infinity, but a number that overflows is read as one. */
const TOKENS: Readonly<Record<string, string>> = { NaN: "null", Infinity: "1e999" };

function withoutTokens(text: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('"', at);
    const outside = text.slice(at, end === -1 ? text.length : end);
    parts.push(
      text.slice(from, at),
      outside.replace(/NaN|Infinity/g, (token) => TOKENS[token]!),
    );
    if (end === -1) return parts.join("");
    from = end;
    at = stringEnd(text, end);
  }
  parts.push(text.slice(from));
  return parts.join("");
}

/** Before anything is made of it. */
function checkExtent(text: string): void {
  const fields = new Uint32Array(MOST_LEVELS + 1);
  const mark = /["[\]{}:]/g;
  for (let level = 0; mark.test(text);) {
    const at = mark.lastIndex - 1;
    const character = text[at];
    if (character === '"') mark.lastIndex = stringEnd(text, at);
    else if (character === "[" || character === "{") {
      if (level === MOST_LEVELS) throw new ReplyError(`the reply is nested more than ${MOST_LEVELS} deep`);
      fields[++level] = 0;
    } else if (character !== ":") level = Math.max(0, level - 1);
    else if (++fields[level]! > MOST_FIELDS)
      throw new ReplyError(`the reply has an object of more than ${grouped(MOST_FIELDS)} fields`);
  }
}

/** Where the string that begins with the quote at `start` is over; the text's end where it never is. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return text.length;
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === "\\") backslashes++;
    at = quote + 1;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}

/** Whether a text that is no JSON begins as JSON and ends within a list, an object or a string. */
function breaksOff(text: string): boolean {
  if (!/^\s*[[{"]/.test(text)) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth--;
    else if (character === '"') {
      at = stringEnd(text, at) - 1;
      if (at === text.length - 1 && text[at] !== '"') return true;
    }
  }
  return depth > 0;
}
