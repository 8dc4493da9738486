import type { Chart } from "../../src/charts/chart.ts";
import type { Evaluation } from "../../src/types.ts";

type Row = Readonly<Record<string, unknown>>;

interface Parts {
  readonly title: { readonly text: readonly string[]; readonly subtitle: readonly string[] };
  readonly data?: { readonly values: readonly Row[] };
  readonly layer: readonly { readonly data?: { readonly values: readonly Row[] } }[];
}

function partsOf(chart: Chart, evaluation: Evaluation): Parts {
  const spec = chart.spec(evaluation);
  if (spec === null) throw new Error("nothing is drawn");
  return spec as unknown as Parts;
}

/** Title and subtitle as they stand in the picture, their lines joined. */
export function headingOf(chart: Chart, evaluation: Evaluation) {
  const { text, subtitle } = partsOf(chart, evaluation).title;
  return { title: text.join(" "), subtitle: subtitle.join(" ") };
}

/** The data of each layer, those of the whole chart in place of none. */
export function rowsOf(chart: Chart, evaluation: Evaluation): readonly (readonly Row[])[] {
  const { data, layer } = partsOf(chart, evaluation);
  return layer.map((each) => (each.data ?? data)?.values ?? []);
}
