import { JSON_HEADERS } from "./paths.ts";
import type { Form } from "./protocol.ts";

/** Images as nested lists of JSON numbers, the commonest form. */
export function jsonForm(name: string, head: Form["head"], tail: string): Form {
  return {
    name,
    row: "json",
    element: "float32",
    head,
    separator: ",",
    tail,
    headers: () => JSON_HEADERS,
    mostRows: Infinity,
  };
}
