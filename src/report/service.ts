import type { Evaluation, Latency, LatencyQuantiles } from "../types.ts";
import { bytes, count, counted, duration, latencyText, mean, speed } from "./format.ts";
import { MEANINGS } from "./model.ts";

type Fact = readonly [term: string, text: string];

/** What the times do not say. */
export const CLOSED_LOOP =
  "Times are from sending a request to the last byte of its reply. Requests go out in a closed loop, each when an " +
  "earlier one is done: the wait for a turn is in none of them (coordinated omission), so that clients who do not wait " +
  "for each other may see longer ones.";

/** What a service is, and what it took to score through it; empty for a local model. */
export function serviceFacts({
  scorer,
  latency,
  repeatability,
}: Pick<Evaluation, "scorer" | "latency" | "repeatability">): Fact[] {
  const { kind, url, protocol, endpoint } = scorer;
  if (kind !== "endpoint") return [];
  const facts: (Fact | null)[] = [
    url === undefined ? null : ["Endpoint", url],
    protocol === undefined ? null : ["Protocol", protocol],
  ];
  if (endpoint !== undefined) {
    const { model, version, server, encoding, found, output, meaning } = endpoint;
    const named = [...(model === null ? [] : [model]), ...(version === null ? [] : [`version ${version}`])];
    facts.push(
      named.length === 0 ? null : ["Model", named.join(", ")],
      server === null ? null : ["Server", server],
      ["Encoding", encoding],
      ["Found by", found],
      ["Output", `${output}: ${MEANINGS[meaning]}`],
    );
  }
  facts.push(repeatability === null ? null : ["Asked again", repeatability.statement]);
  return [...facts.filter((fact) => fact !== null), ...(latency === null ? [] : trafficFacts(latency))];
}

function trafficFacts(latency: Latency): Fact[] {
  const { requests, requestImages, durationSeconds, imagesPerSecond, concurrency, resumed } = latency;
  const size = requestImages === null ? "" : `, images in each: ${average(requestImages)}`;
  const facts: (Fact | null)[] = [
    ["Requests", `${count(requests)} answered${size}`],
    concurrency === null ? null : ["At once", average(concurrency)],
    imagesPerSecond === null
      ? null
      : [
          "Throughput",
          `${speed(imagesPerSecond)}: ${counted(latency.images, "image")} in ${duration(durationSeconds)}`,
        ],
    ["Sent", bytes(latency.bytesSent)],
    ["Received", bytes(latency.bytesReceived)],
    ["Failed attempts", failedText(latency)],
    resumed === 0
      ? null
      : ["Resumed", `${counted(resumed, "image")} had answers from an earlier, interrupted run`],
  ];
  return facts.filter((fact) => fact !== null);
}

function average({ mean: value, max }: { readonly mean: number; readonly max: number }): string {
  return value === max ? count(max) : `${mean(value)} on average, ${count(max)} at most`;
}

/** `none`, `12: 429 (9), reset (3)` */
export function failedText({ retries }: Pick<Latency, "retries">): string {
  const reasons = Object.entries(retries).sort(([, a], [, b]) => b - a);
  const failed = reasons.reduce((sum, [, times]) => sum + times, 0);
  if (failed === 0) return "none";
  return `${count(failed)}: ${reasons.map(([reason, times]) => `${reason} (${count(times)})`).join(", ")}`;
}

export const LATENCY_HEADS = [
  "mean",
  "p50",
  "p90",
  "p99",
  "max",
] as const satisfies (keyof LatencyQuantiles)[];

/** Mean and quantiles of a request, and of an image where that is something else. */
export function latencyRows({ perRequest, perImage, requestImages }: Latency): LatencyRow[] {
  return [...row("a request", perRequest), ...(requestImages?.max === 1 ? [] : row("an image", perImage))];
}

type LatencyRow = readonly [name: string, ...times: string[]];

function row(name: string, quantiles: LatencyQuantiles | null): LatencyRow[] {
  return quantiles === null ? [] : [[name, ...LATENCY_HEADS.map((head) => latencyText(quantiles[head]))]];
}
