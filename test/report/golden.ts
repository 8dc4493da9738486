import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../golden/report/", import.meta.url);

/**
 * The accepted text of a file in `test/golden/report/`. A text that differs is written beside it as
 * `name-changed.ext`; with `UPDATE_GOLDEN=1` it becomes the accepted one.
 */
export function golden(file: string, text: string): string {
  const accepted = fileURLToPath(new URL(file, FOLDER));
  const changed = accepted.replace(/(\.\w+)$/, "-changed$1");
  rmSync(changed, { force: true });
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(accepted, text);
  const expected = existsSync(accepted) ? readFileSync(accepted, "utf8") : "";
  if (text !== expected) writeFileSync(changed, text);
  return expected;
}
