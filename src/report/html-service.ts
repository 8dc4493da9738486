import type { Evaluation } from "../types.ts";
import { count } from "./format.ts";
import { facts } from "./html-provenance.ts";
import { scroll } from "./html-tables.ts";
import { type Markup, markup, outside } from "./markup.ts";
import { DIFFERENCE_HEADS, differenceCells, parityFacts } from "./parity.ts";
import { CLOSED_LOOP, LATENCY_HEADS, latencyRows, serviceFacts } from "./service.ts";

const MOST_DIFFERENCES = 20;

/** What the service is, how fast it answered, and what that does not say. */
export function serviceSection(evaluation: Evaluation): Markup | null {
  const known = serviceFacts(evaluation);
  if (known.length === 0) return null;
  const rows = evaluation.latency === null ? [] : latencyRows(evaluation.latency);
  if (rows.length === 0) return facts(known);
  return markup`<h3>Latency</h3>
${latencyTable(rows)}
<h3>The service, and what it took</h3>
${facts(known)}`;
}

function latencyTable(rows: readonly (readonly string[])[]): Markup {
  const heads = LATENCY_HEADS.map((head) => markup`<th>${head}</th>`);
  const body = rows.map(
    ([name = "", ...times]) =>
      markup`<tr><th class="text name" scope="row">${name}</th>${times.map((time) => markup`<td>${time}</td>`)}</tr>
`,
  );
  const table = scroll(
    "Latency",
    markup`<thead><tr><th class="text">latency of</th>${heads}</tr></thead>
<tbody>${body}</tbody>`,
    "compact",
  );
  return markup`${table}
<p class="note">${CLOSED_LOOP}</p>`;
}

/** Whether the service answers as the local model does, and where it does not. */
export function paritySection(evaluation: Evaluation): Markup | null {
  const { parity } = evaluation;
  if (parity === null) return null;
  return markup`<p>${outside(parity.statement)}.</p>
${facts(parityFacts({ ...evaluation, parity }))}
${differences(parity)}`;
}

function differences({ differing }: NonNullable<Evaluation["parity"]>): Markup | null {
  const shown = differing.images.slice(0, MOST_DIFFERENCES);
  if (shown.length === 0) return null;
  const heads = DIFFERENCE_HEADS.map((head, i) =>
    i === 0 ? markup`<th>${head}</th>` : markup`<th class="text">${head}</th>`,
  );
  const rows = shown.map((image) => {
    const [index, ...cells] = differenceCells(image);
    return markup`<tr><td>${index}</td>${cells.map((cell) => markup`<td class="text">${outside(cell)}</td>`)}</tr>
`;
  });
  const hidden = differing.count - shown.length;
  const rest = hidden > 0 ? markup`<p class="note">and ${count(hidden)} more</p>` : null;
  const table = scroll(
    "Images on which they differ",
    markup`<thead><tr>${heads}</tr></thead>
<tbody>${rows}</tbody>`,
    "compact",
  );
  return markup`<h3>Images on which they differ</h3>
${table}${rest}`;
}
