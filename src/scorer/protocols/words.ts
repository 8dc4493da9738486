import { parse } from "./json.ts";
import { ReplyError, type Answer, type Reply } from "./protocol.ts";
import { htmlTitle, isBinary, oneLine } from "./text.ts";
import { answerOf, isObject } from "./values.ts";

/** Where services put what went wrong, most telling first. */
const WORDS = ["message", "Message", "error", "detail", "msg", "errorMessage", "title", "reason"] as const;

/**
 * What a service says went wrong, in one line: of JSON its message, of an HTML page its title, otherwise the text itself.
 * Null where it says nothing.
 *
 * @param telling makes one service's own messages shorter
 */
export function serviceWords({ body }: Reply, telling = (text: string): string => text): string | null {
  const text = body.toString("utf8").replace(/^\uFEFF/, "");
  const title = htmlTitle(text);
  const words = title ?? wordsOf(text);
  return words === null || isBinary(words) ? null : oneLine(telling(words)) || null;
}

function wordsOf(text: string): string | null {
  try {
    const json = parse(text);
    return wordsIn(json) ?? (isEmpty(json) ? null : text);
  } catch {
    return text;
  }
}

const isEmpty = (json: unknown): boolean =>
  json === null || json === "" || (typeof json === "object" && Object.keys(json).length === 0);

/** The message in what a service answered, null where there is none. */
export function wordsIn(json: unknown): string | null {
  if (typeof json === "string") return json.trim() === "" ? null : json;
  if (Array.isArray(json)) return detailWords(json);
  if (!isObject(json)) return null;
  for (const name of WORDS) {
    const value = Object.hasOwn(json, name) ? json[name] : undefined;
    // A list of lists or of numbers is an output that happens to be called so.
    const words = typeof value === "string" || isObject(value) || isDetails(value) ? wordsIn(value) : null;
    if (words !== null) return words;
  }
  return null;
}

const isDetails = (value: unknown): value is readonly unknown[] => Array.isArray(value) && isObject(value[0]);

/** FastAPI lists what is wrong and echoes the whole input with it. */
function detailWords(details: readonly unknown[]): string | null {
  const words = details.flatMap((detail) => {
    if (!isObject(detail) || typeof detail["msg"] !== "string") return [];
    return [typeof detail["type"] === "string" ? `${detail["type"]}: ${detail["msg"]}` : detail["msg"]];
  });
  return words.length === 0 ? null : [...new Set(words)].join("; ");
}

/**
 * The outputs under the first of these fields that a reply has.
 *
 * @throws ReplyError where it has none of them
 */
export function answerUnder(names: readonly string[], json: unknown): Answer {
  const name = isObject(json) ? names.find((candidate) => Object.hasOwn(json, candidate)) : undefined;
  if (name !== undefined) return answerOf((json as Record<string, unknown>)[name]);
  throw withoutAnswer(json, names);
}

/** A reply that has none of these fields: an error of the service's, or of another protocol. */
export function withoutAnswer(json: unknown, names: readonly string[]): ReplyError {
  const words = isObject(json) ? wordsIn(json) : null;
  if (words !== null) return new ReplyError(`the service answered with an error: ${oneLine(words)}`);
  const what = isObject(json) ? fieldsOf(Object.keys(json)) : kindOf(json);
  return new ReplyError(`the reply has no ${names.join(" or ")}: it is ${what}`);
}

function fieldsOf(names: readonly string[]): string {
  return names.length === 0 ? "an empty object" : `an object with ${oneLine(names.slice(0, 5).join(", "))}`;
}

function kindOf(json: unknown): string {
  if (Array.isArray(json)) return "a list";
  return json === null ? "null" : `a ${typeof json}`;
}
