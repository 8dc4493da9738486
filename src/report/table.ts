import type { Evaluation, ReportFile } from "../types.ts";
import type { ReportContext } from "./context.ts";
import { confusionMatrixCsv } from "./csv.ts";
import { htmlReport } from "./html.ts";
import { metricsJson } from "./json.ts";
import { junitXml } from "./junit.ts";
import { markdownReport } from "./markdown.ts";

export type Report = (evaluation: Evaluation, context: ReportContext) => readonly ReportFile[];

/** Every report format: the names are the choices of `--reports`. predictions.csv is part of csv, and streamed. */
export const REPORTS = {
  json: (evaluation) => [{ path: "metrics.json", content: metricsJson(evaluation) }],
  csv: (evaluation) => [{ path: "confusion_matrix.csv", content: confusionMatrixCsv(evaluation) }],
  html: (evaluation, context) => [{ path: "report.html", content: htmlReport(evaluation, context) }],
  markdown: (evaluation, context) => [{ path: "report.md", content: markdownReport(evaluation, context) }],
  junit: (evaluation) => [{ path: "junit.xml", content: junitXml(evaluation) }],
} satisfies Record<string, Report>;

export type ReportName = keyof typeof REPORTS;

/** The names of their files, as they are known before a run. */
export const REPORT_FILES: Readonly<Record<ReportName, readonly string[]>> = {
  json: ["metrics.json"],
  csv: ["confusion_matrix.csv", "predictions.csv"],
  html: ["report.html"],
  markdown: ["report.md"],
  junit: ["junit.xml"],
};
