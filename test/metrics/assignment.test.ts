import * as fc from "fast-check";
import { expect, test } from "vitest";
import { assignment } from "../../src/metrics/assignment.ts";

type Counts = readonly (readonly number[])[];

const sum = (counts: Counts, columns: readonly number[]): number =>
  columns.reduce((total, column, row) => total + counts[row]![column]!, 0);

const fixed = (columns: readonly number[]): number => columns.filter((column, row) => column === row).length;

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}

const square = (k: number, largest: number): fc.Arbitrary<number[][]> =>
  fc.array(fc.array(fc.nat(largest), { minLength: k, maxLength: k }), { minLength: k, maxLength: k });

test("assignment(counts) takes the largest sum and, of equal ones, the most rows that stay", () => {
  const anySquare = fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom(1, 3, 1000, 1_000_000_000))
    .chain(([k, largest]) => square(k, largest));
  fc.assert(
    fc.property(anySquare, (counts) => {
      const columns = assignment(counts);
      const all = permutations([...counts.keys()]);
      const best = Math.max(...all.map((each) => sum(counts, each)));
      expect(columns.toSorted((a, b) => a - b)).toEqual([...counts.keys()]);
      expect(sum(counts, columns)).toBe(best);
      const stays = all.filter((each) => sum(counts, each) === best).map(fixed);
      expect(fixed(columns)).toBe(Math.max(...stays));
    }),
    { numRuns: 300 },
  );
});

test("assignment(counts) finds a known order of 256 classes under noise", () => {
  const order = fc.shuffledSubarray(
    Array.from({ length: 256 }, (_, c) => c),
    { minLength: 256 },
  );
  fc.assert(
    fc.property(order, (order) => {
      const counts = order.map((column) =>
        order.map((_, c) => (c === column ? 40 : (c * 7 + column * 13) % 30)),
      );
      expect(assignment(counts)).toEqual(order);
    }),
    { numRuns: 5 },
  );
});

test("assignment(counts) of no images leaves every class where it is", () => {
  expect(
    assignment([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]),
  ).toEqual([0, 1, 2]);
});

test("assignment(counts) of its example", () => {
  expect(
    assignment([
      [1, 9],
      [8, 0],
    ]),
  ).toEqual([1, 0]);
});
