import * as fc from "fast-check";
import { expect, test } from "vitest";

import { quotas, selection } from "../../src/dataset/sample.ts";
import { seededRandom } from "../../src/random.ts";

const counts = fc
  .array(fc.nat(50), { minLength: 1, maxLength: 8 })
  .filter((counts) => counts.some((n) => n > 0));

test("quotas(counts, size) is the docstring's example", () => {
  expect(quotas([50, 30, 20], 10)).toEqual([5, 3, 2]);
});

test("quotas(counts, size) gives what is left to the largest remainders, of equal ones to the earlier class", () => {
  expect(quotas([1, 1, 1], 2)).toEqual([1, 1, 0]);
  expect(quotas([10, 25, 65], 7)).toEqual([1, 2, 4]);
  expect(quotas([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009], 1000)).toEqual([
    98, 114, 103, 101, 98, 89, 96, 103, 97, 101,
  ]);
});

test("quotas(counts, size) sums to size, and each is within one of its share", () => {
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 500 }), (counts, size) => {
      const total = counts.reduce((sum, n) => sum + n, 0);
      const chosen = quotas(counts, size);
      expect(chosen.reduce((sum, n) => sum + n, 0)).toBe(Math.min(size, total));
      chosen.forEach((quota, i) => {
        expect(quota).toBeLessThanOrEqual(counts[i] ?? 0);
        expect(Math.abs(quota - ((counts[i] ?? 0) * Math.min(size, total)) / total)).toBeLessThan(1);
      });
    }),
  );
});

test("selection(counts, quota, random) takes exactly each class's quota, whatever the order and seed", () => {
  fc.assert(
    fc.property(counts, fc.nat(100), fc.integer(), (counts, size, seed) => {
      const labels = counts.flatMap((n, label) => Array.from({ length: n }, () => label));
      const order = seededRandom(seed ^ 1);
      for (let i = labels.length - 1; i > 0; i--) {
        const j = order.below(i + 1);
        [labels[i], labels[j]] = [labels[j] as number, labels[i] as number];
      }
      const quota = quotas(counts, size);
      const take = selection(counts, quota, seededRandom(seed));
      const taken = counts.map(() => 0);
      for (const label of labels) if (take(label)) taken[label] = (taken[label] ?? 0) + 1;
      expect(taken).toEqual(quota);
    }),
  );
});

test("selection(counts, quota, random) takes every position equally often", () => {
  const hits = [0, 0, 0, 0, 0];
  const random = seededRandom(7);
  for (let run = 0; run < 10_000; run++) {
    const take = selection([5], [2], random);
    for (let i = 0; i < 5; i++) if (take(0)) hits[i] = (hits[i] ?? 0) + 1;
  }
  // Binomial(10,000, 0.4) has a standard deviation of 49.
  for (const count of hits) expect(Math.abs(count - 4000)).toBeLessThan(200);
});
