import type { ClassMetrics, Estimate, Evaluation, GateResult } from "../types.ts";
import { failureGroups, failureHeads, unlisted } from "./failures.ts";
import { count, decimal, measured, percent, range } from "./format.ts";
import { type Markup, markup, outside } from "./markup.ts";
import { confusionsSentence, weakestSentence } from "./picked.ts";

const MOST_FAILURES = 100;
const MOST_CONFUSIONS = 10;
/** Share of a true class from which on a wrong cell is at its strongest colour. */
const STRONGEST_AT = 0.1;
/** With more classes than these, the matrix needs smaller print to fit on paper. */
const MANY_CLASSES = 20;
const PALEST = 0.08;
const STRONGEST = 0.6;

/** A table that scrolls inside its box where the screen is narrow. */
export function scroll(label: string, content: Markup, kind = "plain"): Markup {
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table class="${kind}">
${content}</table></div>`;
}

export function gateTable(gates: readonly GateResult[]): Markup | null {
  if (gates.length === 0) return null;
  const rows = gates.map(
    (gate) => markup`<tr><td class="text"><span class="mark ${gate.result}">${gate.result}</span></td>
<td class="text"><code>${outside(gate.expression)}</code></td><td>${measured(gate)}</td><td class="text wrap">${outside(gate.reason)}</td></tr>
`,
  );
  return scroll(
    "Gates",
    markup`<thead><tr><th class="text">outcome</th><th class="text">gate</th><th>measured</th><th class="text">reason</th></tr></thead>
<tbody>${rows}</tbody>`,
  );
}

export function classTable(evaluation: Evaluation): Markup {
  const weakest = evaluation.weakestClass?.class;
  const table = scroll(
    "Classes",
    markup`<thead><tr><th class="text">class</th><th>support</th><th>predicted</th><th>precision</th><th>recall</th><th>F1</th>
<th>ROC AUC</th><th>average precision</th></tr></thead>
<tbody>${evaluation.perClass.map((entry) => classRow(entry, entry.class === weakest))}</tbody>`,
  );
  return noted(table, weakestSentence(evaluation));
}

function noted(table: Markup, note: string): Markup {
  return note === ""
    ? table
    : markup`${table}
<p class="note">${note}</p>`;
}

function classRow(entry: ClassMetrics, weakest: boolean): Markup {
  const mark = weakest ? markup` <span class="mark weakest">weakest</span>` : null;
  return markup`<tr><th class="text name" scope="row" title="${entry.class}">${outside(entry.class)}${mark}</th>
<td>${count(entry.support)}</td><td>${count(entry.predicted)}</td><td>${share(entry.precision)}</td><td>${share(entry.recall)}</td>
<td>${share(entry.f1)}</td><td>${decimal(entry.roc_auc.value)}</td><td>${decimal(entry.average_precision.value)}</td></tr>
`;
}

function share({ value, interval }: Estimate): Markup {
  const bounds = range(interval, "percent");
  return markup`${percent(value)}${bounds === "" ? null : markup`<br><small>${bounds}</small>`}`;
}

export function confusionTable({ topConfusions }: Evaluation): Markup {
  if (topConfusions.length === 0) return markup`<p>None: every prediction is correct.</p>`;
  const rows = topConfusions
    .slice(0, MOST_CONFUSIONS)
    .map(({ true: truth, predicted, count: images, rate, interval }) => {
      const bounds = range(interval, "percent");
      return markup`<tr><td class="text">${outside(truth)}</td><td class="text">${outside(predicted)}</td><td>${count(images)}</td>
<td class="text">${percent(rate)}${bounds === "" ? null : markup`<small>${bounds}</small>`}</td></tr>
`;
    });
  const table = scroll(
    "Strongest confusions",
    markup`<thead><tr><th class="text">true</th><th class="text">predicted</th><th>images</th><th class="text">of the true class</th></tr></thead>
<tbody>${rows}</tbody>`,
    "compact",
  );
  return noted(table, confusionsSentence(topConfusions));
}

export function matrixTable({ confusionMatrix, dataset, perClass }: Evaluation): Markup {
  const heads = dataset.classes.map((name) => markup`<th scope="col" title="${name}">${outside(name)}</th>`);
  const rows = confusionMatrix.map((row, i) => {
    const name = dataset.classes[i] ?? "";
    const support = perClass[i]?.support ?? 0;
    const cells = row.map((cell, j) => matrixCell(cell, support, i === j));
    return markup`<tr><th class="text name" scope="row" title="${name}">${outside(name)}</th>${cells}</tr>
`;
  });
  const table = scroll(
    "Confusion matrix",
    markup`<thead><tr><th class="text">true ╲ predicted</th>${heads}</tr></thead>
<tbody>${rows}</tbody>`,
    dataset.classes.length > MANY_CLASSES ? "matrix many" : "matrix",
  );
  return markup`${table}
<p class="note">Images; rows are the true classes, columns the predicted. A wrong cell is the stronger, the larger its share of the true class.</p>`;
}

function matrixCell(cell: number, support: number, diagonal: boolean): Markup {
  if (diagonal) return markup`<td class="right">${count(cell)}</td>`;
  if (cell === 0) return markup`<td class="none">·</td>`;
  const strength = PALEST + (STRONGEST - PALEST) * Math.min(1, cell / Math.max(1, support) / STRONGEST_AT);
  return markup`<td class="wrong" style="--share:${strength.toFixed(2)}">${count(cell)}</td>`;
}

export function failureTable({ failures }: Evaluation): Markup | null {
  if (failures.count === 0) return null;
  const groups = failureGroups(failures.images);
  const shown = groups.slice(0, MOST_FAILURES);
  const { counts, requests } = failureHeads(shown);
  const rows = shown.map(({ images, indices, reason, request }) => {
    const size = counts ? markup`<td>${count(images)}</td>` : null;
    const id = requests ? markup`<td class="text"><code>${request ?? ""}</code></td>` : null;
    return markup`<tr>${size}<td>${indices}</td><td class="text wrap">${outside(reason)}</td>${id}</tr>
`;
  });
  const rest = unlisted(failures, shown);
  const table = scroll(
    "Images without a prediction",
    markup`<thead><tr>${counts ? markup`<th>images</th>` : null}<th>index</th><th class="text">reason</th>${
      requests ? markup`<th class="text">request</th>` : null
    }</tr></thead>
<tbody>${rows}</tbody>`,
  );
  return noted(table, rest);
}
