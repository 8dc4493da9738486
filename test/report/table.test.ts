import { describe, expect, it } from "vitest";
import { METRIC_NAMES } from "../../src/metrics/table.ts";
import { definition } from "../../src/report/definitions.ts";
import { REPORT_FILES, REPORTS } from "../../src/report/table.ts";
import { evaluation } from "./builders.ts";
import { CASES, CHART } from "./cases.ts";

const ROWS = Object.entries(REPORTS).flatMap(([format, report]) =>
  CASES.map((row) => ({ ...row, format, report })),
);
const context = { charts: [CHART], files: [{ path: "charts/confusion_matrix.png" }], fontFaceCss: "" };

/** Lines of a text that a terminal, a browser or a CI job would obey. CSV files are data, and hold names as they are. */
function obeyed(text: string): string[] {
  return text.split("\n").filter((line) => /^\s*::|##\w*\[|[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(line));
}

describe("REPORTS", () => {
  it("names the choices of --reports and their files", () => {
    const files = Object.entries(REPORTS).map(([format, report]) => {
      return [format, report(evaluation(), context).map(({ path }) => path)];
    });
    expect(Object.fromEntries(files)).toEqual({
      json: ["metrics.json"],
      csv: ["confusion_matrix.csv"],
      html: ["report.html"],
      markdown: ["report.md"],
      junit: ["junit.xml"],
    });
    // The command streams predictions.csv, as a part of csv.
    expect(REPORT_FILES).toEqual({
      ...Object.fromEntries(files),
      csv: ["confusion_matrix.csv", "predictions.csv"],
    });
  });

  it.each(ROWS)("$format writes $name: the same text twice, and leaves the evaluation as it was", (row) => {
    const before = structuredClone(row.evaluation);
    const [first, again] = [row.report(row.evaluation, context), row.report(row.evaluation, context)];
    expect(first).toEqual(again);
    expect(row.evaluation).toEqual(before);
    for (const { content } of first) {
      expect(content).toMatch(/\S\n$/);
      expect(content).not.toMatch(/\bNaN\b|\bInfinity\b|\[object Object\]/);
    }
  });

  it.each(ROWS.filter(({ format }) => format !== "csv"))(
    "$format of $name holds nothing that is obeyed",
    ({ report, evaluation }) => {
      expect(report(evaluation, context).flatMap(({ content }) => obeyed(content))).toEqual([]);
    },
  );
});

describe("definition(metric)", () => {
  it.each(METRIC_NAMES)("explains %s", (name) => {
    expect(definition(name).meaning).toMatch(/^[A-Z].*\.$/);
  });

  it("shows a metric that it does not know by its name, as a plain number", () => {
    expect(definition("new_metric")).toEqual({ label: "new metric", style: "decimal", meaning: "" });
    expect(definition("constructor").label).toBe("constructor");
  });
});
