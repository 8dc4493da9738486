import type { Latency, LatencyQuantiles, RequestRecord } from "../types.ts";
import { LogHistogram } from "./log-histogram.ts";
import { Timeline } from "./timeline.ts";

/** The running count behind `Latency`; its memory does not grow with the number of requests. */
export interface LatencyTally {
  /** Counts one request; in any order. */
  add(record: RequestRecord): void;
  /** What has been counted so far. @param resumed images that an earlier, interrupted run had got answers for */
  latency(resumed: number): Latency;
}

/** Bins of the histogram that a report draws. */
const MOST_BINS = 40;
const SHARES = [0.5, 0.9, 0.99] as const;

export function createLatencyTally(): LatencyTally {
  const perRequest = new LogHistogram();
  const perImage = new LogHistogram();
  const timeline = new Timeline();
  const retries = new Map<string, number>();
  const sent = { requests: 0, concurrent: 0, mostConcurrent: 0, bytes: 0, bytesReceived: 0 };
  const answered = { images: 0, mostImages: 0 };
  let [startMs, endMs] = [Infinity, -Infinity];

  return {
    add(record) {
      const { images, elapsedMs, outcome, concurrent } = record;
      sent.requests += 1;
      sent.concurrent += concurrent;
      sent.mostConcurrent = Math.max(sent.mostConcurrent, concurrent);
      sent.bytes += record.bytesSent;
      sent.bytesReceived += record.bytesReceived;
      startMs = Math.min(startMs, record.startMs);
      endMs = Math.max(endMs, record.startMs + elapsedMs);
      timeline.add(record);
      if (outcome !== "answered") {
        retries.set(outcome, (retries.get(outcome) ?? 0) + 1);
        return;
      }
      perRequest.add(elapsedMs);
      perImage.add(elapsedMs / images);
      answered.images += images;
      answered.mostImages = Math.max(answered.mostImages, images);
    },
    latency(resumed) {
      const durationSeconds = sent.requests === 0 ? 0 : (endMs - startMs) / 1000;
      const requests = perRequest.count;
      return {
        requests,
        images: answered.images,
        resumed,
        perRequest: quantilesOf(perRequest),
        perImage: quantilesOf(perImage),
        durationSeconds,
        imagesPerSecond: requests > 0 && durationSeconds > 0 ? answered.images / durationSeconds : null,
        bytesSent: sent.bytes,
        bytesReceived: sent.bytesReceived,
        retries: Object.fromEntries([...retries].sort(mostFirst)),
        concurrency:
          sent.requests === 0 ? null : { mean: sent.concurrent / sent.requests, max: sent.mostConcurrent },
        requestImages: requests === 0 ? null : { mean: answered.images / requests, max: answered.mostImages },
        histogram: perRequest.bins(MOST_BINS),
        timeline: timeline.spans(),
      };
    },
  };
}

function quantilesOf(histogram: LogHistogram): LatencyQuantiles | null {
  if (histogram.count === 0) return null;
  const [p50, p90, p99] = histogram.quantiles(SHARES) as [number, number, number];
  return { mean: histogram.mean, p50, p90, p99, max: histogram.max };
}

/** Of reasons that are as frequent, the one that sorts first, whichever came first. */
function mostFirst([a, countA]: [string, number], [b, countB]: [string, number]): number {
  return countB - countA || (a < b ? -1 : 1);
}
