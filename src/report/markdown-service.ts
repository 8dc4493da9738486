import type { Evaluation, Parity } from "../types.ts";
import { count, counted } from "./format.ts";
import { details, escapeMarkdown as text, table } from "./markdown-syntax.ts";
import { DIFFERENCE_HEADS, differenceCells, parityFacts } from "./parity.ts";
import { CLOSED_LOOP, LATENCY_HEADS, latencyRows, serviceFacts } from "./service.ts";

const MOST_DIFFERENCES = 20;
const SIGNS = { identical: "✅", rounding: "✅", skew: "⚠️", untold: "❔" } as const satisfies Record<
  Parity["verdict"],
  string
>;

/** Whether the service answers as the local model does; the numbers and images are folded away. */
export function paritySection(evaluation: Evaluation): string {
  const { parity } = evaluation;
  if (parity === null) return "";
  const numbers = factTable(parityFacts({ ...evaluation, parity }));
  const parts = [
    `### Parity\n\n${SIGNS[parity.verdict]} ${text(parity.statement)}.`,
    details("Service and local model in numbers", numbers),
    differences(parity),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function differences({ differing }: Parity): string {
  const shown = differing.images.slice(0, MOST_DIFFERENCES);
  if (shown.length === 0) return "";
  const heads = DIFFERENCE_HEADS.map((head, i) => (i === 0 ? `>${head}` : head));
  const rows = shown.map((image) => differenceCells(image).map(text));
  const hidden = differing.count - shown.length;
  const rest = hidden > 0 ? `\n\nand ${count(hidden)} more` : "";
  return details(`${counted(differing.count, "image")} on which they differ`, table(heads, rows) + rest);
}

/** How fast the service answered; what it is is folded away. */
export function serviceSection(evaluation: Evaluation): string {
  const facts = serviceFacts(evaluation);
  if (facts.length === 0) return "";
  const rows = evaluation.latency === null ? [] : latencyRows(evaluation.latency);
  const heads = ["latency of", ...LATENCY_HEADS.map((head) => `>${head}`)];
  const parts = [
    "### Service",
    rows.length === 0 ? "" : table(heads, rows),
    details(
      "The service, and what it took to score through it",
      factTable(facts) + (rows.length === 0 ? "" : `\n\n${CLOSED_LOOP}`),
    ),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function factTable(rows: readonly (readonly [term: string, text: string])[]): string {
  return table(
    ["", ""],
    rows.map(([term, value]) => [term.toLowerCase(), text(value)]),
  );
}
