import { describe, expect, test } from "vitest";
import { wilson } from "../../src/statistics/wilson.ts";
import { measure, type Table } from "./builders.ts";

/** Images of two classes, each predicted as `a` with this confidence; truly `a` where `right`. */
function predictedWith(confidences: readonly number[], right: readonly boolean[]): Table {
  return {
    classes: ["a", "b"],
    truth: right.map((isRight) => (isRight ? 0 : 1)),
    predicted: right.map(() => 0),
    probabilities: confidences.map((p) => [p, 1 - p]),
  };
}

function filled(bins: readonly { low: number; high: number }[], counts: readonly number[]): number[][] {
  return bins.flatMap(({ low, high }, bin) => (counts[bin] ? [[low, high, counts[bin]]] : []));
}

describe("calibration", () => {
  test("has 15 equal bins, closed above, the first one closed below too", () => {
    const edges = [0, 1 / 15, 0.2, 3 / 15 + 1e-12, 0.6, 14 / 15, 1];
    const { bins } = measure(
      predictedWith(
        edges,
        edges.map(() => true),
      ),
    ).calibration!;
    expect(bins).toHaveLength(15);
    expect(
      filled(
        bins,
        bins.map(({ count }) => count),
      ),
    ).toEqual([
      [0, 1 / 15, 2],
      [2 / 15, 0.2, 1],
      [0.2, 4 / 15, 1],
      [8 / 15, 0.6, 1],
      [13 / 15, 14 / 15, 1],
      [14 / 15, 1, 1],
    ]);
  });

  test("compares accuracy with mean confidence, and leaves empty bins undefined", () => {
    const { bins } = measure(predictedWith([0.95, 0.99, 0.97, 1], [true, false, true, true])).calibration!;
    expect(bins[14]).toEqual({
      low: 14 / 15,
      high: 1,
      count: 4,
      accuracy: 0.75,
      confidence: (0.95 + 0.99 + 0.97 + 1) / 4,
      interval: wilson(3, 4),
    });
    expect(bins[0]).toEqual({
      low: 0,
      high: 1 / 15,
      count: 0,
      accuracy: null,
      confidence: null,
      interval: null,
    });
  });

  test("takes the probability of the predicted class, which need not be the largest", () => {
    const { bins } = measure(predictedWith([0.1], [true])).calibration!;
    expect(bins.findIndex(({ count }) => count === 1)).toBe(1);
  });
});

describe("confidence", () => {
  test("has 50 equal bins of correct and wrong predictions", () => {
    const { bins } = measure(predictedWith([0.02, 0.021, 0.99, 1], [true, false, false, true])).confidence!;
    expect(bins).toHaveLength(50);
    expect(bins.filter(({ correct, wrong }) => correct + wrong > 0)).toEqual([
      { low: 0, high: 0.02, correct: 1, wrong: 0 },
      { low: 0.02, high: 0.04, correct: 0, wrong: 1 },
      { low: 0.98, high: 1, correct: 1, wrong: 1 },
    ]);
  });
});

test.each([
  { bins: 15, field: "calibration" },
  { bins: 50, field: "confidence" },
] as const)(
  "$field has each edge in the bin below it, and the next number in the bin above",
  ({ bins, field }) => {
    const filledBin = (confidence: number) => {
      const measurements = measure(predictedWith([confidence], [true]));
      const counts =
        field === "calibration"
          ? measurements.calibration!.bins.map(({ count }) => count)
          : measurements.confidence!.bins.map(({ correct }) => correct);
      return counts.indexOf(1);
    };
    const edges = Array.from({ length: bins - 1 }, (_, edge) => edge + 1);
    expect(edges.map((edge) => filledBin(edge / bins))).toEqual(edges.map((edge) => edge - 1));
    expect(edges.map((edge) => filledBin((edge / bins) * (1 + Number.EPSILON)))).toEqual(edges);
  },
);

describe("expected_calibration_error", () => {
  test("is 0 where confidence is accuracy", () => {
    const { metrics } = measure(predictedWith([0.75, 0.75, 0.75, 0.75], [true, true, true, false]));
    expect(metrics["expected_calibration_error"]!.value).toBe(0);
  });

  test("is the confidence where every image is wrong", () => {
    const { metrics } = measure(predictedWith([0.75, 0.25], [false, false]));
    expect(metrics["expected_calibration_error"]!.value).toBe(0.5);
  });
});

describe("log_loss", () => {
  test("of a true class with probability 0 is that of float64's epsilon", () => {
    const { metrics } = measure(predictedWith([1], [false]));
    expect(metrics["log_loss"]!.value).toBeCloseTo(-Math.log(Number.EPSILON), 12);
  });

  test("of a true class with probability 1 is next to 0 and never below", () => {
    const { value } = measure(predictedWith([1], [true])).metrics["log_loss"]!;
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThan(1e-15);
  });
});
