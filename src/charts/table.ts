import type { Chart } from "./chart.ts";

/** Every chart by the name of its files, in the order in which a report shows them. */
export const CHARTS = {} as const satisfies Record<string, Chart>;
