import type { Evaluation } from "../types.ts";
import { count, latencyText, speed } from "./format.ts";
import { failedText } from "./service.ts";
import { fill, type Paint, plainText, wrap } from "./terminal.ts";

/** What a service is and how it answered, and whether it answers as the local model does. */
export function serviceLines(evaluation: Evaluation, columns: number, paint: Paint): string[] {
  return [...service(evaluation, columns), ...parity(evaluation, columns, paint)];
}

function service({ scorer, latency }: Evaluation, columns: number): string[] {
  if (scorer.kind !== "endpoint") return [];
  const { url = scorer.name, protocol, endpoint } = scorer;
  const about = [
    `Service: ${plainText(url)}`,
    ...(protocol === undefined ? [] : [plainText(protocol)]),
    ...(endpoint === undefined ? [] : [plainText(endpoint.encoding)]),
  ];
  return [
    ...fill(about, ", ", columns, "  "),
    ...(latency === null ? [] : fill(latencyParts(latency), ", ", columns, "  ")),
  ];
}

function latencyParts(latency: NonNullable<Evaluation["latency"]>): string[] {
  const { requests, perRequest, imagesPerSecond } = latency;
  const answered = `Latency: ${count(requests)} ${requests === 1 ? "request" : "requests"}`;
  const times =
    perRequest === null
      ? []
      : (["p50", "p90", "p99", "max"] as const).map((name) => `${name} ${latencyText(perRequest[name])}`);
  const pace = imagesPerSecond === null ? [] : [speed(imagesPerSecond)];
  const failed = Object.keys(latency.retries).length === 0 ? [] : [`failed attempts ${failedText(latency)}`];
  return [answered, ...times, ...pace, ...failed.map(plainText)];
}

function parity({ parity }: Evaluation, columns: number, paint: Paint): string[] {
  if (parity === null) return [];
  const lines = wrap(`Parity: ${plainText(parity.statement)}`, columns, "  ");
  return parity.verdict === "skew" ? lines.map((line) => paint("yellow", line)) : lines;
}
