import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { createTally, type TallyOptions } from "../../src/metrics/tally.ts";
import { seededRandom } from "../../src/random.ts";
import type { Measurements, ScoredBatch } from "../../src/types.ts";

/** Scored images as a table: what a test writes down, and cuts into batches. */
export interface Table {
  readonly classes: readonly string[];
  readonly truth: readonly number[];
  readonly predicted: readonly number[];
  /** A row an image, null for a scorer of labels only. */
  readonly probabilities: readonly (readonly number[])[] | null;
}

export function batchOf(
  { truth, predicted, probabilities }: Table,
  rows = truth.map((_, row) => row),
): ScoredBatch {
  return {
    indices: Uint32Array.from(rows),
    pixels: new Uint8Array(rows.length),
    truth: Uint8Array.from(rows, (row) => truth[row]!),
    predicted: Uint8Array.from(rows, (row) => predicted[row]!),
    probabilities: probabilities && Float64Array.from(rows.flatMap((row) => probabilities[row]!)),
  };
}

export function measure(table: Table, options?: TallyOptions): Measurements {
  const tally = createTally(table.classes, options);
  tally.add(batchOf(table));
  return tally.measurements();
}

/** Truth and predictions alone. */
export function labels(truth: readonly number[], predicted: readonly number[], classes = 3): Table {
  return { classes: names(classes), truth, predicted, probabilities: null };
}

export function names(k: number): string[] {
  return Array.from({ length: k }, (_, c) => `c${c}`);
}

/** How far two numbers are apart: 0 where both are undefined, infinite where one is. */
export function gap(a: number | null, b: number | null): number {
  if (a === null || b === null) return a === b ? 0 : Infinity;
  return Math.abs(a - b);
}

/** Divides by the sum, as the scores that reach the metrics are. */
export function normalised(row: readonly number[]): number[] {
  const sum = row.reduce((total, value) => total + value, 0);
  return row.map((value) => value / sum);
}

/** Images of a fair classifier: confident where right, with a tail of confident mistakes. */
export function simulated(images: number, k = 10, seed = 7): Table {
  const random = seededRandom(seed);
  const uniform = () => (random.below(2 ** 30) + 0.5) / 2 ** 30;
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const truth = Array.from({ length: images }, () => random.below(k));
  const probabilities = truth.map((label) =>
    normalised(Array.from({ length: k }, (_, c) => Math.exp(2.5 * normal() + (c === label ? 6 : 0)))),
  );
  const predicted = probabilities.map((row) => row.indexOf(Math.max(...row)));
  return { classes: names(k), truth, predicted, probabilities };
}

interface ReferenceMetrics {
  readonly support: number;
  readonly predicted: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
  readonly roc_auc: number | null;
  readonly average_precision: number | null;
}

export interface Reference {
  readonly name: string;
  readonly table: Table;
  readonly confusionMatrix: readonly (readonly number[])[];
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly perClass: readonly ReferenceMetrics[];
  readonly curves?: readonly {
    readonly class: number;
    readonly roc: { readonly fpr: readonly number[]; readonly tpr: readonly number[] };
    readonly precision_recall: { readonly recall: readonly number[]; readonly precision: readonly number[] };
  }[];
}

type StoredReference = Omit<Reference, "table"> & {
  readonly truth: readonly number[];
  readonly predicted: readonly number[];
  readonly probabilities?: readonly (readonly number[])[];
  readonly probabilities_f32le_base64?: string;
};

const stored = JSON.parse(readFileSync(new URL("../fixtures/metrics.json", import.meta.url), "utf8")) as {
  readonly tables: readonly StoredReference[];
  readonly wilson: readonly { successes: number; n: number; level: number; low: number; high: number }[];
  readonly normalQuantile: readonly (readonly [number, number])[];
};

export const { wilson, normalQuantile } = stored;

/** Tables with scikit-learn's figures: see fixtures/metrics.py. */
export const references: readonly Reference[] = stored.tables.map((reference) => {
  const k = reference.perClass.length;
  const { truth, predicted } = reference;
  const probabilities = reference.probabilities ?? decoded(reference.probabilities_f32le_base64 ?? "", k);
  return { ...reference, table: { classes: names(k), truth, predicted, probabilities } };
});

function decoded(base64: string, k: number): number[][] {
  const bytes = Buffer.from(base64, "base64");
  const rows = bytes.length / (4 * k);
  return Array.from({ length: rows }, (_, row) =>
    normalised(Array.from({ length: k }, (_, c) => bytes.readFloatLE(4 * (row * k + c)))),
  );
}

/** Small tables of any kind: ties, zeros, absent classes, predictions that are not of highest probability. */
export const anyTable: fc.Arbitrary<Table> = fc
  .record({ k: fc.integer({ min: 2, max: 6 }), n: fc.integer({ min: 1, max: 40 }) })
  .chain(({ k, n }) => {
    const label = fc.integer({ min: 0, max: k - 1 });
    const weight = fc.oneof(fc.constantFrom(0, 1, 1e-12), fc.double({ min: 0, max: 1, noNaN: true }));
    const row = fc
      .array(weight, { minLength: k, maxLength: k })
      .filter((weights) => weights.some((w) => w > 1e-300))
      .map(normalised);
    const many = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: n, maxLength: n });
    return fc.record({
      classes: fc.constant(names(k)),
      truth: many(label),
      predicted: many(label),
      probabilities: fc.option(many(row), { freq: 8 }),
    });
  });
