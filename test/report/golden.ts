import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const FOLDER = new URL("../golden/report/", import.meta.url);

/**
 * Compares a text with the accepted one in `test/golden/report/`. One that differs is written beside it as
 * `name-changed.ext`; with `UPDATE_GOLDEN=1` it becomes the accepted one.
 */
export function expectGolden(file: string, text: string): void {
  const accepted = fileURLToPath(new URL(file, FOLDER));
  const changed = accepted.replace(/(\.\w+)$/, "-changed$1");
  rmSync(changed, { force: true });
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(accepted, text);
  const expected = existsSync(accepted) ? readFileSync(accepted, "utf8") : "";
  if (text !== expected) writeFileSync(changed, text);
  expect(text, `${file} differs: see ${changed}, and accept it with UPDATE_GOLDEN=1`).toBe(expected);
}
