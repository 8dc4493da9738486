import { ReplyError } from "./protocol.ts";

const MOST_CHARACTERS = 300;
const QUOTED_CHARACTERS = 100;
/** What bytes that are no UTF-8 become as text. */
const NO_TEXT = /[\p{Cc}\uFFFD]/u;

/** The text as one line, cut where it is long. */
export function oneLine(text: string, most = MOST_CHARACTERS): string {
  // Cut before the search, which a body of many megabytes would make slow.
  const line = text
    .slice(0, most * 20)
    .replace(/\s+/g, " ")
    .trim();
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}

/** How a text begins, in quotes. */
export const quoted = (text: string): string => JSON.stringify(oneLine(text, QUOTED_CHARACTERS));

export const isBinary = (text: string): boolean =>
  NO_TEXT.test(text.slice(0, MOST_CHARACTERS * 20).replace(/\s/g, ""));

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  "#x27": "'",
  "#39": "'",
};

/** The title of an HTML page, empty where it has none; null for what is no HTML. */
export function htmlTitle(text: string): string | null {
  const start = text.slice(0, 10_000);
  if (!/^\s*<(?:!doctype html|html|head|body|title|h1)\b/i.test(start)) return null;
  const title = /<title[^>]*>([^<]*)/i.exec(start)?.[1] ?? "";
  return oneLine(title.replace(/&([#\w]+);/g, (entity, name: string) => ENTITIES[name] ?? entity));
}

/** The body as text, without a byte order mark. @throws ReplyError where it is empty or a page for people */
export function textOf(body: Buffer): string {
  const text = body.toString("utf8").replace(/^\uFEFF/, "");
  if (text.trim() === "") throw new ReplyError("the reply is empty");
  const title = htmlTitle(text);
  if (title !== null) {
    throw new ReplyError(title === "" ? "the reply is an HTML page" : `the reply is an HTML page: ${title}`);
  }
  return text;
}
