import type { Evaluation } from "../types.ts";
import type { ReportContext } from "./context.ts";
import { definition, TERMS } from "./definitions.ts";
import { counted, duration, level, range, short, styled, UNDEFINED } from "./format.ts";
import { STYLE } from "./html-style.ts";
import { classTable, confusionTable, failureTable, gateTable, matrixTable } from "./html-tables.ts";
import { Markup, markup } from "./markup.ts";
import { preprocessingText, verdict } from "./verdict.ts";

/** The page loads nothing and runs nothing: its style, fonts and pictures are inside. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:";

/** report.html: one file that needs no other; everything from outside the program is escaped. */
export function htmlReport(evaluation: Evaluation, context: ReportContext): string {
  const { scorer, dataset } = evaluation;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(POLICY)}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${scorer.name} on ${dataset.name} ${dataset.split}</title>
<style>${new Markup(context.fontFaceCss + STYLE)}</style>
</head>
<body>
<main>
${headline(evaluation)}
${warningList(evaluation)}
${section("Gates", gateTable(evaluation.gates))}
${tiles(evaluation)}
${charts(context)}
${section("Classes", classTable(evaluation))}
${section("Confusion matrix", matrixTable(evaluation))}
${section("Strongest confusions", confusionTable(evaluation))}
${section("Images without a prediction", failureTable(evaluation))}
${section("Where these numbers come from", provenance(evaluation))}
${definitions(evaluation)}
</main>
</body>
</html>
`.text;
}

function section(title: string, content: Markup | null): Markup | null {
  return content === null
    ? null
    : markup`<section>
<h2>${title}</h2>
${content}
</section>`;
}

function headline(evaluation: Evaluation): Markup {
  const { outcome, gates, accuracy, correct } = verdict(evaluation);
  const { scorer, dataset } = evaluation;
  const first = gates === "" ? `A${accuracy.slice(1)}` : `${gates}: ${accuracy}`;
  return markup`<header class="verdict ${outcome}">
<h1>${first.replaceAll(" %", "\u00A0%")}</h1>
<p><strong>${scorer.name}</strong> on ${dataset.name} ${dataset.split}: ${correct}</p>
</header>`;
}

function warningList({ warnings }: Evaluation): Markup | null {
  if (warnings.length === 0) return null;
  return markup`<ul class="warnings" aria-label="Warnings">${warnings.map((line) => markup`<li>${line}</li>`)}</ul>`;
}

function tiles({ metrics }: Evaluation): Markup {
  const entries = Object.entries(metrics);
  const items = entries.map(([name, { value, interval }]) => {
    const { label, style, meaning } = definition(name);
    const bounds = range(interval, style);
    const line = bounds === "" ? null : markup`<br><span class="range">${bounds}</span>`;
    return markup`<div title="${meaning}"><dt>${label}</dt><dd><span class="value">${styled(value, style)}</span>${line}</dd></div>
`;
  });
  const interval = entries.find(([, { interval }]) => interval !== null)?.[1].interval;
  const notes = [
    ...(interval ? [`Under a number: its ${level(interval)} interval.`] : []),
    ...(entries.some(([, { value }]) => value === null) ? [`${UNDEFINED} undefined in this run.`] : []),
  ];
  return markup`<section>
<h2>Metrics</h2>
<dl class="tiles">
${items}</dl>
<p class="note">${notes.join(" ")}</p>
</section>`;
}

function charts({ charts }: ReportContext): Markup | null {
  const figures = charts.map(({ name, title, description, svg }) => {
    const id = `chart-${name}`;
    return markup`<figure>
<figcaption id="${id}"><strong>${title}</strong>${description}</figcaption>
<div class="picture" role="img" aria-labelledby="${id}">${new Markup(inline(svg))}</div>
</figure>
`;
  });
  return figures.length === 0 ? null : section("Charts", markup`<div class="charts">${figures}</div>`);
}

/** An SVG document as part of a page: without the lines that only a file of its own has. */
function inline(svg: string): string {
  return svg.replace(/^\uFEFF?\s*(?:<\?xml[^>]*\?>\s*|<!DOCTYPE[^>]*>\s*|<!--[\s\S]*?-->\s*)*/i, "").trim();
}

function provenance(evaluation: Evaluation): Markup {
  const { dataset, scorer, environment, createdAt, durationSeconds, seed } = evaluation;
  const took = durationSeconds === null ? "" : `, in ${duration(durationSeconds)}`;
  const rows: (readonly [string, string | Markup])[] = [["Model", hashed(scorer.name, scorer.sha256)]];
  if (scorer.url !== undefined) rows.push(["Endpoint", `${scorer.url} ${scorer.protocol ?? ""}`.trim()]);
  rows.push(["Pixels", preprocessingText(evaluation)]);
  rows.push([
    "Data",
    `${dataset.name} ${dataset.split}, ${counted(dataset.images, "image")}, ${dataset.source}`,
  ]);
  for (const { name, sha256 } of dataset.files) rows.push(["File", hashed(name, sha256)]);
  rows.push(["Run", `${createdAt}, seed ${seed}${took}`]);
  if (environment !== null) {
    const { node, platform, cpu, packages, git } = environment;
    rows.push(["Machine", `Node ${node}, ${platform}, ${cpu}`]);
    const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
    if (versions.length > 0) rows.push(["Packages", versions.join(", ")]);
    if (git !== null) rows.push(["Commit", gitText(git)]);
  }
  return markup`<dl class="facts">
${rows.map(([term, value]) => markup`<dt>${term}</dt><dd>${value}</dd>\n`)}</dl>`;
}

function gitText({
  commit,
  branch,
  dirty,
}: {
  commit: string;
  branch: string | null;
  dirty: boolean;
}): string {
  return `${short(commit)}${branch === null ? "" : ` on ${branch}`}${dirty ? ", with local changes" : ""}`;
}

function hashed(name: string, sha256: string | undefined): string | Markup {
  if (sha256 === undefined) return name;
  return markup`${name}, sha256 <code title="${sha256}">${short(sha256)}…</code>`;
}

function definitions({ metrics }: Evaluation): Markup {
  const known = Object.keys(metrics).map((name) => definition(name));
  const rows = [
    ...known.filter(({ meaning }) => meaning !== "").map(({ label, meaning }) => [label, meaning] as const),
    ...TERMS,
  ];
  return markup`<details>
<summary>How the numbers are defined</summary>
<dl class="terms">
${rows.map(([term, meaning]) => markup`<dt>${term}</dt><dd>${meaning}</dd>\n`)}</dl>
</details>`;
}
