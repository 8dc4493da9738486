import type { Evaluation } from "../types.ts";
import type { ReportContext } from "./context.ts";
import { definition, PARITY_TERMS, samplingNote, SERVICE_TERMS, TERMS } from "./definitions.ts";
import { level, range, styled, UNDEFINED } from "./format.ts";
import { provenance } from "./html-provenance.ts";
import { paritySection, serviceSection } from "./html-service.ts";
import { STYLE } from "./html-style.ts";
import { classTable, confusionTable, failureTable, gateTable, matrixTable } from "./html-tables.ts";
import { Markup, markup, outside, unbroken } from "./markup.ts";
import { verdict } from "./verdict.ts";

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
${words(headline(evaluation))}
${words(warningList(evaluation))}
${words(section("Gates", gateTable(evaluation.gates)))}
${words(tiles(evaluation))}${words(section("Parity", paritySection(evaluation)))}${words(section("Service", serviceSection(evaluation)))}
${charts(context)}
${words(section("Classes", classTable(evaluation)))}
${section("Confusion matrix", matrixTable(evaluation))}
${words(section("Strongest confusions", confusionTable(evaluation)))}
${words(section("Images without a prediction", failureTable(evaluation)))}
${words(section("Where these numbers come from", provenance(evaluation)))}
${definitions(evaluation)}
</main>
</body>
</html>
`.text;
}

/** What is set by the browser: the charts' own text was measured with plain spaces. */
function words(content: Markup | null): Markup | null {
  return content === null ? null : new Markup(unbroken(content.text));
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
<h1>${first}</h1>
<p><strong>${outside(scorer.name)}</strong> on ${outside(dataset.name)} ${outside(dataset.split)}: ${correct}</p>
</header>`;
}

function warningList({ warnings }: Evaluation): Markup | null {
  if (warnings.length === 0) return null;
  return markup`<ul class="warnings" aria-label="Warnings">${warnings.map((line) => markup`<li>${outside(line)}</li>`)}</ul>`;
}

function tiles(evaluation: Evaluation): Markup {
  const entries = Object.entries(evaluation.metrics);
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
    ...(interval && samplingNote(evaluation) !== "" ? [samplingNote(evaluation)] : []),
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
<figcaption id="${id}"><strong>${outside(unbroken(title))}</strong>${outside(unbroken(description))}</figcaption>
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

function definitions({ metrics, latency, parity }: Evaluation): Markup {
  const known = Object.keys(metrics).map((name) => definition(name));
  const rows = [
    ...known.filter(({ meaning }) => meaning !== "").map(({ label, meaning }) => [label, meaning] as const),
    ...TERMS,
    ...(latency === null ? [] : SERVICE_TERMS),
    ...(parity === null ? [] : PARITY_TERMS),
  ];
  return markup`<details>
<summary>How the numbers are defined</summary>
<dl class="terms">
${rows.map(([term, meaning]) => markup`<dt>${term}</dt><dd>${meaning}</dd>\n`)}</dl>
</details>`;
}
