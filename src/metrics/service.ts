import type { Evaluation, LatencyQuantiles, Measurements } from "../types.ts";

/** What a gate may look at: measurements, and what else of the run there is. */
export type GatedRun = Measurements &
  Partial<
    Pick<Evaluation, "dataset" | "parity" | "repeatability" | "latency" | "failures" | "preflight"> & {
      readonly scorer: { readonly kind: string };
    }
  >;

interface ServiceMetric {
  readonly value: (run: GatedRun) => number | null;
  /** Why there is none, to be read after "could not be told:". */
  readonly whyUndefined: (run: GatedRun) => string;
}

const NO_ANSWER = "no request was answered";

/** Numbers of a run that gates know besides the metrics: times in milliseconds, images a second, images. */
export const SERVICE_METRICS = {
  parity: {
    value: ({ parity }) => parity?.agreement.value ?? null,
    whyUndefined: ({ parity }) =>
      parity ? "no image was answered by both" : "it needs both --endpoint and --model",
  },
  latency_mean: latencyMetric("mean"),
  latency_p50: latencyMetric("p50"),
  latency_p90: latencyMetric("p90"),
  latency_p99: latencyMetric("p99"),
  latency_max: latencyMetric("max"),
  throughput: { value: ({ latency }) => latency?.imagesPerSecond ?? null, whyUndefined: whyNoLatency },
  failures: {
    value: ({ failures }) => failures?.count ?? null,
    whyUndefined: () => "failures were not counted",
  },
} satisfies Record<string, ServiceMetric>;

export type ServiceMetricName = keyof typeof SERVICE_METRICS;
export const SERVICE_METRIC_NAMES = Object.keys(SERVICE_METRICS) as ServiceMetricName[];

function latencyMetric(name: keyof LatencyQuantiles): ServiceMetric {
  return { value: ({ latency }) => latency?.perRequest?.[name] ?? null, whyUndefined: whyNoLatency };
}

function whyNoLatency({ latency, scorer }: GatedRun): string {
  if (latency) return NO_ANSWER;
  return scorer?.kind === "endpoint"
    ? "times are left out while SOURCE_DATE_EPOCH is set"
    : "it needs --endpoint";
}
