import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bytes,
  count,
  counted,
  decimal,
  difference,
  duration,
  estimate,
  latencyText,
  mean,
  measured,
  percent,
  range,
  speed,
} from "../../src/report/format.ts";

describe("count(value)", () => {
  it.each([
    [0, "0"],
    [999, "999"],
    [10_000, "10,000"],
    [1_234_567, "1,234,567"],
  ])("shows %d as %s", (value, text) => expect(count(value)).toBe(text));

  it("counted(value, one) takes the plural for all but 1", () => {
    expect([0, 1, 2_000].map((n) => counted(n, "image"))).toEqual(["0 images", "1 image", "2,000 images"]);
  });
});

describe("bytes(size), speed(imagesPerSecond)", () => {
  it.each([
    [0, "0 bytes"],
    [1, "1 byte"],
    [999, "999 bytes"],
    [1_000, "1.00 kB"],
    [32_553, "32.6 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [26_454_000, "26.5 MB"],
    [7_654_000_000, "7.65 GB"],
    [7_654_000_000_000, "7.65e+3 GB"],
  ])("bytes shows %d as %s", (size, text) => expect(bytes(size)).toBe(text));

  it.each([
    [339_425.892, "339,000 images/s"],
    [1_234_567, "1,230,000 images/s"],
    [71.26, "71 images/s"],
  ])("speed shows %d as %s", (value, text) => expect(speed(value)).toBe(text));
});

describe("percent(value), decimal(value)", () => {
  it.each([
    [0.9204, "92.04 %"],
    [null, "–"],
    [1, "100.00 %"],
    [0, "0.00 %"],
    [0.999_999, "99.9999 %"],
    [0.000_001, "0.0001 %"],
  ])("percent shows %d as %s", (value, text) => expect(percent(value)).toBe(text));

  it.each([
    [0.344_715_684, "0.3447"],
    [null, "–"],
    [1, "1.0000"],
    [0.999_99, "0.99999"],
    [0.000_01, "0.00001"],
    [-0.000_01, "-0.00001"],
    [2.5, "2.5000"],
  ])("decimal shows %d as %s", (value, text) => expect(decimal(value)).toBe(text));

  it("percent shows 100 % and 0 % only where it is exactly that", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true, minExcluded: true, maxExcluded: true }),
        (value) => {
          const shown = Number.parseFloat(percent(value));
          expect((shown < 100 || value * 100 === 100) && shown > 0).toBe(true);
        },
      ),
    );
  });
});

describe("range(interval, style), estimate(estimate, style)", () => {
  const interval = { low: 0.914_932, high: 0.925_545, level: 0.95, method: "wilson" };
  it("shows both bounds, in percent or as decimals, and nothing without an interval", () => {
    expect(range(interval, "percent")).toBe("91.49–92.55 %");
    expect(range(interval, "decimal")).toBe("0.9149–0.9255");
    expect(range({ ...interval, low: -0.01 }, "decimal")).toBe("-0.0100 to 0.9255");
    expect(range(null, "percent")).toBe("");
  });
  it("puts the interval in brackets behind the number", () => {
    expect(estimate({ value: 0.9204, interval }, "percent")).toBe("92.04 % (91.49–92.55 %)");
    expect(estimate({ value: null, interval: null }, "percent")).toBe("–");
  });
});

describe("measured(gate)", () => {
  it.each([
    [0.9204, 0.92, "0.9204"],
    [0.919_996, 0.92, "0.919996"],
    [0.919_98, 0.919_99, "0.91998"],
    [0.92, 0.92, "0.9200"],
    [null, 0.92, "–"],
    [48.7, 50, "48.7"],
    [49.999, 50, "49.999"],
    [1034, 1000, "1034"],
    [0.1 + 0.2, 0.3, "0.30000000000000004"],
  ])("shows %d beside %d as %s", (actual, expected, text) =>
    expect(measured({ actual, expected })).toBe(text),
  );

  it("stands on the same side of the threshold as the number itself", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const near = fc.tuple(share, fc.double({ min: -1e-6, max: 1e-6, noNaN: true }));
    fc.assert(
      fc.property(near, ([expected, offset]) => {
        const actual = expected + offset;
        const shown = Number(measured({ actual, expected }));
        expect(Math.sign(shown - expected)).toBe(Math.sign(actual - expected));
      }),
    );
  });
});

describe("latencyText(ms), difference(value), mean(value)", () => {
  it.each([
    [0, "0 ms"],
    [0.4237, "0.424 ms"],
    [12, "12 ms"],
    [999.6, "1 s"],
    [1_234.5, "1.23 s"],
    [179_000, "179 s"],
    [1_220_000, "20.3 min"],
  ])("shows %d ms as %s", (ms, text) => expect(latencyText(ms)).toBe(text));

  it.each([
    [null, "–"],
    [3.04e-7, "3e-7"],
    [0.007_38, "0.0074"],
  ])("shows the difference %d as %s", (value, text) => expect(difference(value)).toBe(text));

  it.each([
    [64, "64"],
    [63.69, "63.7"],
    [1_999.96, "2,000"],
  ])("shows the mean %d as %s", (value, text) => expect(mean(value)).toBe(text));
});

describe("duration(seconds)", () => {
  it.each([
    [0.614, "0.61 s"],
    [12.4, "12 s"],
    [200, "3 min 20 s"],
    [119.7, "2 min 0 s"],
  ])("shows %d as %s", (seconds, text) => expect(duration(seconds)).toBe(text));
});
