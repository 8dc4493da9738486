import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTally } from "../../src/metrics/tally.ts";
import { METRIC_NAMES, METRICS, type MetricName } from "../../src/metrics/table.ts";
import type { Measurements } from "../../src/types.ts";
import { anyTable, batchOf, gap, measure, names, type Table } from "./builders.ts";

/** The rows in any order. */
function shuffledRows(table: Table): fc.Arbitrary<number[]> {
  const rows = table.truth.map((_, row) => row);
  return fc.shuffledSubarray(rows, { minLength: rows.length });
}

function values({ metrics }: Measurements): Record<string, number | null> {
  return Object.fromEntries(METRIC_NAMES.map((name) => [name, metrics[name]!.value]));
}

describe("measurements()", () => {
  test("does not depend on the order of the images", () => {
    const tableAndOrder = anyTable.chain((table) => fc.tuple(fc.constant(table), shuffledRows(table)));
    fc.assert(
      fc.property(tableAndOrder, ([table, rows]) => {
        const tally = createTally(table.classes);
        tally.add(batchOf(table, rows));
        expect(tally.measurements()).toEqual(measure(table));
      }),
    );
  });

  test.each([{ exactScores: Infinity }, { exactScores: 40 }, { exactScores: 0 }])(
    "is the same for any batches and shards merged in any order, with %o",
    (options) => {
      const shards = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 40, maxLength: 40 });
      const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
      fc.assert(
        fc.property(anyTable, shards, order, (table, shardOf, order) => {
          const tallies = order.map(() => createTally(table.classes, options));
          for (const row of table.truth.keys()) tallies[shardOf[row]!]!.add(batchOf(table, [row]));
          const merged = createTally(table.classes, options);
          for (const shard of order) merged.merge(tallies[shard]!);
          expect(merged.measurements()).toEqual(measure(table, options));
        }),
        { numRuns: 40 },
      );
    },
  );

  test("leaves the tally that is merged as it was", () => {
    fc.assert(
      fc.property(anyTable, (table) => {
        const from = createTally(table.classes);
        from.add(batchOf(table));
        const into = createTally(table.classes);
        into.merge(from);
        into.add(batchOf(table));
        expect(from.measurements()).toEqual(measure(table));
      }),
    );
  });

  test("relabelling the classes permutes rows and changes no average", () => {
    const tableAndNames = anyTable.chain((table) => {
      const classes = [...table.classes.keys()];
      return fc.tuple(fc.constant(table), fc.shuffledSubarray(classes, { minLength: classes.length }));
    });
    fc.assert(
      fc.property(tableAndNames, ([table, oldOf]) => {
        const relabelled = measure(relabel(table, oldOf));
        const original = measure(table);
        for (const [c, old] of oldOf.entries()) {
          expect(relabelled.perClass[c]).toEqual(original.perClass[old]);
          for (const [d, oldD] of oldOf.entries()) {
            expect(relabelled.confusionMatrix[c]![d]).toBe(original.confusionMatrix[old]![oldD]);
          }
        }
        // Among equal scores the later class ranks first: top-k depends on the order of the classes.
        for (const name of METRIC_NAMES.filter((name) => !name.startsWith("top_"))) {
          const [actual, expected] = [relabelled.metrics[name]!.value, original.metrics[name]!.value];
          expect(gap(actual, expected)).toBeLessThanOrEqual(1e-12);
        }
      }),
    );
  });

  test("counts each image once", () => {
    fc.assert(
      fc.property(anyTable, (table) => {
        const { confusionMatrix, perClass, calibration, confidence, topConfusions } = measure(table);
        const n = table.truth.length;
        expect(sum(confusionMatrix.flat())).toBe(n);
        expect(sum(perClass.map(({ support }) => support))).toBe(n);
        expect(sum(perClass.map(({ predicted }) => predicted))).toBe(n);
        const mistakes = table.truth.filter((label, row) => label !== table.predicted[row]).length;
        expect(sum(topConfusions.map(({ count }) => count))).toBeLessThanOrEqual(mistakes);
        if (table.probabilities === null) return;
        expect(sum(calibration!.bins.map(({ count }) => count))).toBe(n);
        expect(sum(confidence!.bins.map(({ wrong }) => wrong))).toBe(mistakes);
        expect(sum(confidence!.bins.map(({ correct }) => correct))).toBe(n - mistakes);
      }),
    );
  });

  test("answers in plain JSON", () => {
    fc.assert(
      fc.property(anyTable, (table) => {
        const measurements = measure(table);
        expect(JSON.parse(JSON.stringify(measurements))).toEqual(measurements);
      }),
    );
  });
});

const BOUNDS: Partial<Record<MetricName, readonly [number, number]>> = {
  cohen_kappa: [-1, 1],
  matthews_corrcoef: [-1, 1],
  log_loss: [0, 40],
  brier_score: [0, 2],
};

describe.each(METRIC_NAMES)("%s", (name) => {
  const [low, high] = BOUNDS[name] ?? [0, 1];

  test("stays within its bounds, and its interval holds it", () => {
    fc.assert(
      fc.property(anyTable, (table) => {
        const { value, interval } = measure(table).metrics[name]!;
        const bounds =
          value === null
            ? []
            : [low - 1e-15, interval?.low ?? value, value, interval?.high ?? value, high + 1e-15];
        expect(bounds).toEqual(bounds.toSorted((a, b) => a - b));
        expect(value === null && interval !== null).toBe(false);
      }),
    );
  });

  test("is best where every image is right with probability 1", () => {
    const classes = names(6);
    const truth = [0, 1, 2, 3, 4, 5, 0, 1];
    const probabilities = truth.map((label) => classes.map((_, c) => (c === label ? 1 : 0)));
    const best = METRICS[name].better === "higher" ? 1 : 0;
    expect(values(measure({ classes, truth, predicted: truth, probabilities }))[name]).toBeCloseTo(best, 12);
  });

  test(`is ${METRICS[name].needsProbabilities ? "undefined" : "the same"} without probabilities`, () => {
    fc.assert(
      fc.property(anyTable, (table) => {
        const estimate = measure({ ...table, probabilities: null }).metrics[name];
        const withThem = METRICS[name].needsProbabilities ? null : measure(table).metrics[name];
        expect(estimate).toEqual(withThem ?? { value: null, interval: null });
      }),
    );
  });
});

/** Class c of the new table is class oldOf[c] of the old one. */
function relabel(table: Table, oldOf: readonly number[]): Table {
  const newOf = (label: number) => oldOf.indexOf(label);
  return {
    classes: oldOf.map((old) => table.classes[old]!),
    truth: table.truth.map(newOf),
    predicted: table.predicted.map(newOf),
    probabilities: table.probabilities && table.probabilities.map((row) => oldOf.map((old) => row[old]!)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}
