import { parse } from "./json.ts";
import type { Reply, Target } from "./protocol.ts";
import { htmlTitle } from "./text.ts";
import { isObject, type Fields } from "./values.ts";

export const JSON_HEADERS = { "Content-Type": "application/json" } as const;

/** What a path tells, by a pattern with the groups root, model and version. */
export function targetIn(path: string, pattern: RegExp): Target | null {
  const groups = pattern.exec(path)?.groups;
  if (groups === undefined) return null;
  try {
    return {
      root: groups["root"]!,
      model: groups["model"] === undefined ? null : decodeURIComponent(groups["model"]),
      version: groups["version"] === undefined ? null : decodeURIComponent(groups["version"]),
    };
  } catch {
    // A stray % names nothing.
    return null;
  }
}

/** A model's place below `/v1/models` or `/v2/models`, null while it is not known. */
export function modelPath({ root, model, version }: Target, models: string): string | null {
  if (model === null) return null;
  const name = encodeURIComponent(model);
  return `${root}${models}/${name}${version === null ? "" : `/versions/${encodeURIComponent(version)}`}`;
}

/** What a question was answered with, null for anything but a page of status 200 with a JSON object. */
export function objectIn({ status, body }: Reply): Fields | null {
  if (status !== 200) return null;
  try {
    const json = parse(body.toString("utf8"));
    return isObject(json) ? json : null;
  } catch {
    return null;
  }
}

/** What a question was answered with in plain text, trimmed; null for another status or a page. */
export function plainIn({ status, body }: Reply): string | null {
  const text = body.toString("utf8");
  return status === 200 && htmlTitle(text) === null ? text.trim() : null;
}

export const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

export const textsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter(isText) : [];
