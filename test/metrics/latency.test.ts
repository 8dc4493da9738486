import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createLatencyTally } from "../../src/metrics/latency.ts";
import { seededRandom } from "../../src/random.ts";
import type { Latency, RequestRecord } from "../../src/types.ts";

function request(record: Partial<RequestRecord> = {}): RequestRecord {
  return {
    id: "r",
    images: 10,
    startMs: 0,
    elapsedMs: 10,
    bytesSent: 100,
    bytesReceived: 20,
    outcome: "answered",
    concurrent: 1,
    ...record,
  };
}

function latencyOf(records: readonly Partial<RequestRecord>[], resumed = 0): Latency {
  const tally = createLatencyTally();
  for (const record of records) tally.add(request(record));
  return tally.latency(resumed);
}

/** The smallest value that at least this share of them is not above. */
function nearestRank(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

const off = (value: number, exact: number): number => Math.abs(value - exact) / exact;

describe("latency() without an answered request", () => {
  test("has no quantiles, speed or size", () => {
    expect(latencyOf([], 7)).toEqual({
      requests: 0,
      images: 0,
      resumed: 7,
      perRequest: null,
      perImage: null,
      durationSeconds: 0,
      imagesPerSecond: null,
      bytesSent: 0,
      bytesReceived: 0,
      retries: {},
      concurrency: null,
      requestImages: null,
      histogram: [],
      timeline: [],
    });
  });

  test("counts what was sent in vain", () => {
    const latency = latencyOf([{ outcome: "429", elapsedMs: 2, concurrent: 4 }]);
    expect(latency).toMatchObject({
      requests: 0,
      perRequest: null,
      imagesPerSecond: null,
      bytesSent: 100,
      retries: { "429": 1 },
      concurrency: { mean: 4, max: 4 },
      requestImages: null,
      histogram: [],
    });
    expect(latency.timeline.map(({ failed }) => failed)).toEqual([0, 0, 1]);
  });
});

describe("latency() of a few requests", () => {
  const latency = latencyOf(
    [
      { startMs: 0, elapsedMs: 100, images: 10, concurrent: 1 },
      { startMs: 0, elapsedMs: 3, outcome: "reset", concurrent: 2, bytesReceived: 0 },
      { startMs: 5, elapsedMs: 4, outcome: "429", concurrent: 2 },
      { startMs: 10, elapsedMs: 4, outcome: "429", concurrent: 2 },
      { startMs: 20, elapsedMs: 400, images: 40, concurrent: 3 },
    ],
    5,
  );

  test("has figures of those that were answered, and bytes and concurrency of all", () => {
    expect(latency).toMatchObject({
      requests: 2,
      images: 50,
      resumed: 5,
      perRequest: { mean: 250, p50: 100, p90: 400, p99: 400, max: 400 },
      perImage: { mean: 10, p50: 10, p90: 10, p99: 10, max: 10 },
      durationSeconds: 0.42,
      imagesPerSecond: 50 / 0.42,
      bytesSent: 500,
      bytesReceived: 80,
      concurrency: { mean: 2, max: 3 },
      requestImages: { mean: 25, max: 40 },
    });
  });

  test("lists failed attempts, most frequent reason first, and keeps any reason", () => {
    expect(JSON.stringify(latency.retries)).toBe('{"429":2,"reset":1}');
    const odd = latencyOf([{ outcome: "__proto__" }, { outcome: "reset" }, { outcome: "503" }]);
    expect(Object.entries(odd.retries)).toEqual([
      ["503", 1],
      ["__proto__", 1],
      ["reset", 1],
    ]);
  });

  test("has each request in the span in which it ended", () => {
    const spans = latency.timeline.filter(({ requests, failed }) => requests + failed > 0);
    expect(spans).toEqual([
      { seconds: 0, requests: 0, failed: 1, p50: null, max: null },
      { seconds: 0.008, requests: 0, failed: 2, p50: null, max: null },
      { seconds: 0.096, requests: 1, failed: 0, p50: 100, max: 100 },
      { seconds: 0.416, requests: 1, failed: 0, p50: 400, max: 400 },
    ]);
    expect(latency.timeline).toHaveLength(53);
    expect(latency.timeline[52]?.seconds).toBe(0.416);
  });
});

const times = fc.array(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 });

describe("latency()", () => {
  test("is within 1 % of exact quantiles, and exact in mean and max", () => {
    fc.assert(
      fc.property(times, (values) => {
        const { perRequest, requests } = latencyOf(values.map((elapsedMs) => ({ elapsedMs })));
        expect(requests).toBe(values.length);
        expect(off(perRequest!.p50, nearestRank(values, 0.5))).toBeLessThan(0.01);
        expect(off(perRequest!.p90, nearestRank(values, 0.9))).toBeLessThan(0.01);
        expect(off(perRequest!.p99, nearestRank(values, 0.99))).toBeLessThan(0.01);
        expect(perRequest!.max).toBe(Math.max(...values));
        const sum = values.reduce((total, value) => total + value, 0);
        expect(off(perRequest!.mean, sum / values.length)).toBeLessThan(1e-12);
      }),
    );
  });

  test("counts every answered request in one bin of its histogram, without empty bins at the ends", () => {
    fc.assert(
      fc.property(times, (values) => {
        const { histogram } = latencyOf(values.map((elapsedMs) => ({ elapsedMs })));
        expect(histogram.length).toBeLessThanOrEqual(40);
        for (const { low, high, count } of histogram) {
          expect(count).toBe(values.filter((value) => value > low && value <= high).length);
        }
        expect(histogram[0]!.count * histogram.at(-1)!.count).toBeGreaterThan(0);
        expect(histogram.slice(1).every(({ low }, i) => low === histogram[i]!.high)).toBe(true);
      }),
    );
  });

  test("counts every attempt in its span, in whatever order they come", () => {
    const attempts = fc.array(
      fc.record({
        startMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
        elapsedMs: fc.double({ min: 1e-3, max: 1e5, noNaN: true }),
        outcome: fc.constantFrom("answered", "429"),
      }),
      { minLength: 1, maxLength: 200 },
    );
    fc.assert(
      fc.property(attempts, (records) => {
        const { timeline } = latencyOf(records);
        expect(timeline).toEqual(latencyOf(records.toReversed()).timeline);
        expect(timeline.length).toBeLessThanOrEqual(60);
        const width = timeline.length > 1 ? timeline[1]!.seconds : Infinity;
        for (const { seconds, requests, failed, max } of timeline) {
          const ended = records.filter(({ startMs, elapsedMs }) => {
            const end = (startMs + elapsedMs) / 1000;
            return end >= seconds && end < seconds + width;
          });
          const answered = ended.filter(({ outcome }) => outcome === "answered");
          expect([requests, failed]).toEqual([answered.length, ended.length - answered.length]);
          const longest = Math.max(...answered.map(({ elapsedMs }) => elapsedMs));
          expect(max).toBe(answered.length === 0 ? null : longest);
        }
      }),
    );
  });

  test("has at least 30 spans of a run of any length from 60 ms on", () => {
    for (let endMs = 60; endMs < 1e9; endMs *= 1.37) {
      const { timeline } = latencyOf([{ elapsedMs: endMs }]);
      expect(timeline.length).toBeGreaterThanOrEqual(30);
      expect(timeline.length).toBeLessThanOrEqual(60);
    }
  });

  test("takes times of nothing, and of years", () => {
    const { perRequest, histogram } = latencyOf([{ elapsedMs: 0 }, { elapsedMs: 1e13 }]);
    expect(perRequest).toEqual({ mean: 5e12, p50: 0, p90: 1e13, p99: 1e13, max: 1e13 });
    expect(histogram.length).toBeLessThanOrEqual(40);
  });

  test("stays small over a million requests", () => {
    const tally = createLatencyTally();
    const random = seededRandom(3);
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 1_000_000; i++) {
      tally.add(request({ startMs: i, elapsedMs: 1 + random.below(1000) / 10 }));
    }
    const { timeline, histogram, requests } = tally.latency(0);
    expect([requests, timeline.length <= 60, histogram.length <= 40]).toEqual([1_000_000, true, true]);
    // A record kept would be 100 MB in all.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50e6);
  });
});
