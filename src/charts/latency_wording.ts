import type { Latency } from "../types.ts";
import { counted, wholeNumber } from "./wording.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** From here on time is told in minutes. */
export const LONG = 3 * MINUTE;
const DIGITS = 3;
/** Requests from which one in a hundred is not the slowest. */
const HUNDRED = 100;
/** Reasons that are named. */
const MOST_REASONS = 3;

/** `0.42 ms`, `12.3 ms`, `1.5 s`, `83 s`, `20.3 min`: three digits. */
export function timeText(ms: number): string {
  const rounded = Number(ms.toPrecision(DIGITS));
  if (rounded === 0) return "0";
  if (rounded < SECOND) return `${rounded} ms`;
  const [size, unit] = rounded < LONG ? [SECOND, "s"] : [MINUTE, "min"];
  return `${Number((ms / size).toPrecision(DIGITS))} ${unit}`;
}

/** The finding, as one sentence without its full stop. */
export function findingOf({ requests, perRequest }: Latency): string {
  if (perRequest === null) return "No request was answered";
  const [half, most, all] = [perRequest.p50, perRequest.p99, perRequest.max].map(timeText);
  if (requests === 1) return `The only request was answered in ${all}`;
  if (half === all) return `Every request was answered within ${all}`;
  if (requests < HUNDRED || most === all) {
    return `Half of the ${wholeNumber(requests)} requests were answered within ${half}, all within ${all}`;
  }
  return `Half of the ${wholeNumber(requests)} requests were answered within ${half}, 99 % within ${most}`;
}

/** What it took altogether. */
export function figuresOf(latency: Latency): string {
  const { requests, images, durationSeconds, imagesPerSecond, concurrency, resumed } = latency;
  const speed = imagesPerSecond === null ? "" : `: ${wholeNumber(Math.round(imagesPerSecond))} images/s`;
  const atOnce = concurrency === null ? "" : `, up to ${counted(concurrency.max, "request")} at once`;
  const earlier = resumed === 0 ? "" : ` ${counted(resumed, "image")} more were answered in an earlier run.`;
  const took = `${counted(images, "image")} in ${counted(requests, "request")} and ${timeText(durationSeconds * SECOND)}`;
  return `${took}${speed}${atOnce}. ${failuresOf(latency)}${earlier}`.trim();
}

/** `No attempt failed.`, `12 attempts failed: 429 (9), reset (3).` */
function failuresOf({ retries }: Latency): string {
  const reasons = Object.entries(retries).sort(([, a], [, b]) => b - a);
  const failed = reasons.reduce((sum, [, count]) => sum + count, 0);
  if (failed === 0) return "No attempt failed.";
  const named = reasons.slice(0, MOST_REASONS).map(([reason, count]) => `${reason} (${wholeNumber(count)})`);
  const rest =
    reasons.length > MOST_REASONS ? ` and ${counted(reasons.length - MOST_REASONS, "other reason")}` : "";
  return `${counted(failed, "attempt")} failed: ${named.join(", ")}${rest}.`;
}
