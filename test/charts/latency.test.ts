import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linear, spread } from "../../src/charts/axis.ts";
import { placeFlags } from "../../src/charts/flags.ts";
import { latency } from "../../src/charts/latency.ts";
import { timeText } from "../../src/charts/latency_wording.ts";
import { textWidth } from "../../src/charts/text.ts";
import type { Evaluation, Latency } from "../../src/types.ts";
import { evaluation, latencyOf } from "./builders.ts";
import { headingOf, rowsOf } from "./spec-parts.ts";

function timed(given: Latency): Evaluation {
  return { ...evaluation(), latency: given };
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

function textsOf(e: Evaluation): unknown[] {
  return rowsOf(latency, e).flatMap((rows) => rows.flatMap(({ text }) => (text === undefined ? [] : [text])));
}

describe("latency.title(evaluation)", () => {
  it.each<[Latency, string]>([
    [latencyOf([12.345]), "The only request was answered in 12.3 ms"],
    [latencyOf([10, 10, 10]), "Every request was answered within 10 ms"],
    [latencyOf([10, 20, 900]), "Half of the 3 requests were answered within 20 ms, all within 900 ms"],
    [latencyOf(range(1_000)), "Half of the 1,000 requests were answered within 498 ms, 99 % within 986 ms"],
    [latencyOf([], { refused: 2 }), "No request was answered"],
  ])("%#", (given, title) => {
    expect(latency.title(timed(given))).toBe(title);
  });

  it("says that there is no service", () => {
    expect(latency.title(evaluation())).toBe("There is no service whose requests were timed");
    expect(latency.spec(evaluation())).toBeNull();
  });
});

describe("latency.spec(evaluation)", () => {
  it("is nothing where no request was answered", () => {
    expect(latency.spec(timed(latencyOf([], { refused: 2 })))).toBeNull();
  });

  it("says what it took, and how many attempts failed for what", () => {
    const given = latencyOf([100, 100], { "429": 2_000, reset: 3, "503": 2, timeout: 1, dns: 1 });
    expect(headingOf(latency, timed(given)).subtitle).toBe(
      "128 images in 2 requests and 4.21 s: 30 images/s, up to 1 request at once. 2,007 attempts failed: 429 (2,000), " +
        "reset (3), 503 (2) and 2 other reasons. From sending to the last byte of the reply, without the wait for a turn.",
    );
  });

  it("says what an earlier run had answered", () => {
    expect(latency.description(timed({ ...latencyOf([100]), resumed: 1_000 }))).toBe(
      "Histogram of latencies, and how they went over the run. 64 images in 1 request and 100 ms: 640 images/s, up to 1 " +
        "request at once. No attempt failed. 1,000 images more were answered in an earlier run. Latency of a request: " +
        "mean 100 ms, p50 100 ms, p90 100 ms, p99 100 ms, max 100 ms.",
    );
  });

  it("flags the quantiles, those that read the same together", () => {
    expect(textsOf(timed(latencyOf(range(1_000))))).toEqual(
      expect.arrayContaining(["p50 498 ms", "p90 904 ms", "p99 986 ms", "max 1 s"]),
    );
    expect(textsOf(timed(latencyOf([10, 10])))).toContain("p50, p90, p99, max 10 ms");
  });

  it("has a logarithmic axis where times are spread, and says so", () => {
    expect(textsOf(timed(latencyOf([10, 9_000])))).toEqual(
      expect.arrayContaining([
        "Latency of a request (logarithmic)",
        "Median (dot) and longest (line's end) over the run, logarithmic",
      ]),
    );
    expect(textsOf(timed(latencyOf([10, 11])))).toContain("Latency of a request");
  });

  it("has failed attempts in their own colour, and no word of them without any", () => {
    expect(textsOf(timed(latencyOf([10], { reset: 1 })))).toContain(
      "Attempts answered (blue) and failed (orange)",
    );
    expect(textsOf(timed(latencyOf([10])))).toContain("Requests answered");
  });
});

describe("timeText(ms)", () => {
  it.each([
    [0, "0"],
    [0.001_234, "0.00123 ms"],
    [999.9, "1 s"],
    [83_000, "83 s"],
    [1_220_000, "20.3 min"],
  ])("%d is %s", (ms, text) => {
    expect(timeText(ms)).toBe(text);
  });
});

describe("placeFlags(marks, width)", () => {
  const WIDTH = 680;
  const marks = fc
    .array(fc.double({ min: 20, max: 660, noNaN: true }), { minLength: 1, maxLength: 4 })
    .map((places) =>
      places
        .sort((a, b) => a - b)
        .map((at, i) => ({ at, text: `${["p50", "p90", "p99", "max"][i]} 123 ms` })),
    );

  it("keeps every text inside, off the others and off the poles", () => {
    fc.assert(
      fc.property(marks, (given) => {
        const flags = placeFlags(given, WIDTH).map((flag) => {
          const width = textWidth(flag.text, 12, "semibold");
          const from = flag.align === "left" ? flag.at + 6 : flag.at - 6 - width;
          return { ...flag, from, to: from + width };
        });
        for (const flag of flags) {
          expect(flag.from).toBeGreaterThanOrEqual(0);
          expect(flag.to).toBeLessThanOrEqual(WIDTH);
          for (const other of flags) {
            if (other === flag) continue;
            expect(other.row >= flag.row && other.at > flag.from && other.at < flag.to).toBe(false);
            expect(other.row === flag.row && other.from < flag.to && flag.from < other.to).toBe(false);
          }
        }
      }),
    );
  });

  it("takes one row where there is room", () => {
    const far = [
      { at: 50, text: "p50 1 ms" },
      { at: 300, text: "max 9 ms" },
    ];
    expect(placeFlags(far, WIDTH).map(({ row, align }) => [row, align])).toEqual([
      [0, "left"],
      [0, "left"],
    ]);
  });
});

describe("axes", () => {
  it.each([
    [[0, 10] as const, [0, 2, 4, 6, 8, 10]],
    [[0, 480] as const, [0, 100, 200, 300, 400]],
    [[89, 115] as const, [90, 95, 100, 105, 110, 115]],
  ])("linear(%j) has round numbers", ([low, high], ticks) => {
    const scale = linear([low, high], [0, 100]);
    expect(scale.ticks).toEqual(ticks);
    expect([scale.at(low), scale.at(high), scale.logarithmic]).toEqual([0, 100, false]);
  });

  it.each([
    [[1, 7] as const, false, [1, 2, 3, 4, 5, 6, 7]],
    [[2, 300] as const, true, [2, 5, 10, 20, 50, 100, 200]],
    [[1, 1e7] as const, true, [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7]],
  ])("spread(%j) is logarithmic: %s", ([low, high], logarithmic, ticks) => {
    const scale = spread([low, high], [0, 100]);
    expect([scale.logarithmic, scale.ticks]).toEqual([logarithmic, ticks]);
    expect([scale.at(low), scale.at(high)]).toEqual([0, 100]);
  });

  it("has numbers inside of its domain, whatever that is", () => {
    const positive = fc.double({ min: 1e-6, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(positive, fc.double({ min: 1.3, max: 1e9, noNaN: true }), (low, ratio) => {
        const { ticks } = spread([low, low * ratio], [0, 100]);
        expect(ticks.length).toBeGreaterThan(1);
        expect(ticks.length).toBeLessThanOrEqual(13);
        for (const tick of ticks) {
          expect(tick).toBeGreaterThanOrEqual(low * (1 - 1e-6));
          expect(tick).toBeLessThanOrEqual(low * ratio * (1 + 1e-6));
        }
      }),
    );
  });
});
