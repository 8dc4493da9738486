import { describe, expect, test } from "vitest";

import { calibratedLosses, trialOf } from "../../src/metrics/trial.ts";

/** Two classes, each image with this probability of the true one. */
function trial(probabilities: readonly number[]) {
  const rows = Float32Array.from(probabilities.flatMap((p) => [p, 1 - p]));
  const truth = new Uint8Array(probabilities.length);
  const labels = Uint8Array.from(probabilities, (p) => (p >= 0.5 ? 0 : 1));
  return trialOf({ labels, probabilities: rows }, truth, 2);
}

const mean = (losses: Float64Array | null): number =>
  losses!.reduce((sum, loss) => sum + loss, 0) / losses!.length;
const repeated = (p: number, times: number): number[] => Array.from({ length: times }, () => p);

describe("calibratedLosses(trial, classes, columns)", () => {
  test.each([0.6, 0.8, 0.9999])("are those of the right confidence where all have %d", (p) => {
    // Right on 4 of 5: at its best temperature, the confidence is 0.8.
    const losses = calibratedLosses(trial([...repeated(p, 80), ...repeated(1 - p, 20)]), null);
    expect(mean(losses)).toBeCloseTo(-0.8 * Math.log(0.8) - 0.2 * Math.log(0.2), 5);
  });

  test("are the same for scores that are surer or less sure alike", () => {
    const odds = [3, 2, -0.5, 1, 0.2, -1, 4, 1.5];
    const at = (factor: number) =>
      mean(calibratedLosses(trial(odds.map((odd) => 1 / (1 + Math.exp(-factor * odd)))), null));
    expect(at(0.1)).toBeCloseTo(at(1), 4);
    expect(at(3)).toBeCloseTo(at(1), 4);
  });

  test("follow the classes' names, and are none where there are labels only", () => {
    const swapped = trial(repeated(0.1, 10));
    expect(mean(calibratedLosses(swapped, [1, 0]))).toBeLessThan(0.01);
    expect(calibratedLosses({ ...swapped, probabilities: null }, null)).toBeNull();
  });
});
