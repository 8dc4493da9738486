import type { Chart } from "../../src/charts/chart.ts";
import type { Evaluation } from "../../src/types.ts";

type Row = Readonly<Record<string, unknown>>;

/** The rows that a chart draws in its first layer whose rows have all of these fields. */
export function rowsWith(chart: Chart, evaluation: Evaluation, ...fields: readonly string[]): readonly Row[] {
  const spec = chart.spec(evaluation) as unknown as {
    readonly layer: readonly { readonly data: { readonly values: readonly Row[] } }[];
  };
  const found = spec.layer.find(({ data }) => fields.every((field) => field in (data.values[0] ?? {})));
  if (!found) throw new Error(`no layer has rows with ${fields.join(", ")}`);
  return found.data.values;
}

/** The subtitle as it is drawn, its lines joined. */
export function subtitleOf(chart: Chart, evaluation: Evaluation): string {
  const spec = chart.spec(evaluation) as unknown as {
    readonly title: { readonly subtitle: readonly string[] };
  };
  return spec.title.subtitle.join(" ");
}
