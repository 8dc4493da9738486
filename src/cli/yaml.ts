import { Parser, parseDocument, type CST } from "yaml";

import { UsageError } from "../errors.ts";
import { visible } from "../text/visible.ts";

/** Options and lists of values need three. What is far deeper would end the process, for want of stack. */
const MOST_DEPTH = 50;
/** Faults whose message may repeat what the file holds, such as a header's secret, or is meant for programmers. */
const UNTOLD = [
  "BAD_COLLECTION_TYPE",
  "BAD_DIRECTIVE",
  "BAD_DQ_ESCAPE",
  "MULTIPLE_DOCS",
  "TAG_RESOLVE_FAILED",
  "UNEXPECTED_TOKEN",
] as const;

/**
 * The value of a config file's text. JSON is YAML, too. Messages repeat no value, which may be a secret.
 *
 * @param what begins messages, up to `is not valid …`
 * @throws UsageError
 */
export function parseConfig(what: string, text: string, language: "JSON" | "YAML"): unknown {
  checkNodes(what, text);
  const document = parseDocument(text, { logLevel: "error" });
  const [error] = document.errors;
  if (error === undefined) return document.toJS();
  const [{ line, col } = { line: 1, col: 1 }] = error.linePos ?? [];
  if (error.code === "DUPLICATE_KEY") {
    const key = visible(/^["']?([^"':,\s]*)/.exec(text.slice(error.pos[0]))?.[1] ?? "");
    throw new UsageError(
      `${what} gives ${key} twice, again at line ${line}, column ${col}: keep one of the two`,
    );
  }
  const repeats = UNTOLD.some((code) => code === error.code);
  const reason = repeats
    ? `see line ${line}, column ${col}`
    : error.message.split("\n")[0]!.replace(/:$/, "");
  throw new UsageError(`${what} is not valid ${language}: ${reason}`, { cause: error });
}

/**
 * Looks at all nodes, level by level: an alias may stand for itself, or for more than memory holds, and no option needs one.
 *
 * @throws UsageError
 */
function checkNodes(what: string, text: string): void {
  let level: readonly (CST.Token | null | undefined)[] = [...new Parser().parse(text)];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_DEPTH)
      throw new UsageError(
        `${what} is nested more than ${MOST_DEPTH} deep: it holds options and their values`,
      );
    if (level.some((node) => node?.type === "alias"))
      throw new UsageError(`${what} has an alias (*name): write the value itself in its place`);
    level = level.flatMap((node) => {
      if (node?.type === "document") return [node.value];
      return node && "items" in node ? node.items.flatMap(({ key, value }) => [key, value]) : [];
    });
  }
}
