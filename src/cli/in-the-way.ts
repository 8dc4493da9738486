import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { refuseForeign } from "../files/commit.ts";
import { foreignFiles, MANIFEST } from "../files/earlier.ts";
import { REPORT_FILES } from "../report/table.ts";
import type { EvaluateArguments } from "./options.ts";

/**
 * Looks before the scoring for files that this run would overwrite though they are not of an earlier one. The commit looks
 * again, at what it really writes and closer.
 *
 * @throws ReportError that names them
 */
export async function checkInTheWay({
  out,
  reports,
  charts,
  force,
}: Pick<EvaluateArguments, "out" | "reports" | "charts" | "force">): Promise<void> {
  if (force) return;
  const foreign = await foreignFiles(
    out,
    [MANIFEST, ...reports.flatMap((name) => REPORT_FILES[name])],
    "size",
  );
  const pictures = await readdir(join(out, "charts")).catch(() => []);
  const foreignPictures = await foreignFiles(
    out,
    pictures
      .filter((name) => charts.some((format) => name.endsWith(`.${format}`)))
      .map((name) => `charts/${name}`),
    "size",
  );
  if (foreignPictures.length > 0) {
    // Only now, because their code takes a while to load.
    const { CHARTS } = await import("../charts/table.ts");
    const written = new Set(
      Object.keys(CHARTS).flatMap((name) => charts.map((format) => `charts/${name}.${format}`)),
    );
    foreign.push(...foreignPictures.filter((path) => written.has(path)));
  }
  refuseForeign(out, foreign);
}
