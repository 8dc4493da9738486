/** What is said of the class and the confusion that were picked after looking, over many runs of models that are known. */
import { describe, expect, test } from "vitest";
import { confusionMatrix, topConfusions, weakestClass } from "../../src/metrics/confusion.ts";
import { seededRandom, type Random } from "../../src/random.ts";
import { wilson } from "../../src/statistics/wilson.ts";
import type { Interval } from "../../src/types.ts";
import { names } from "./builders.ts";

const CLASSES = 10;
const RUNS = 1_000;
const RECALL = 0.9;
const CONFUSED = (1 - RECALL) / (CLASSES - 1);

/** A run on so many images, as many of each class: nine tenths are right, the others are any other class. */
function run(images: number, random: Random) {
  const counts = new Float64Array(CLASSES ** 2);
  for (let image = 0; image < images; image++) {
    const truth = image % CLASSES;
    const right = random.below(1_000) < 1_000 * RECALL;
    const predicted = right ? truth : (truth + 1 + random.below(CLASSES - 1)) % CLASSES;
    counts[truth * CLASSES + predicted]! += 1;
  }
  return confusionMatrix(counts, CLASSES);
}

const covers = ({ low, high }: Interval, share: number) => low <= share && share <= high;

/** Shares of the runs in which the interval of what was picked holds its true share: ours, and one of it alone. */
function coverage(images: number, seed: number) {
  const random = seededRandom(seed);
  const covered = { recall: 0, recallAlone: 0, confusion: 0, confusionAlone: 0 };
  for (let at = 0; at < RUNS; at++) {
    const matrix = run(images, random);
    const weakest = weakestClass(matrix, names(CLASSES));
    const confusion = topConfusions(matrix, names(CLASSES))[0]!;
    const support = images / CLASSES;
    // Without a weakest class nothing is said of it, and so nothing false.
    if (weakest === null || covers(weakest.recall.interval!, RECALL)) covered.recall += 1;
    const alone = weakest === null ? null : wilson(Math.round(weakest.recall.value! * support), support)!;
    if (alone === null || covers(alone, RECALL)) covered.recallAlone += 1;
    if (covers(confusion.interval!, CONFUSED)) covered.confusion += 1;
    if (covers(wilson(confusion.count, support)!, CONFUSED)) covered.confusionAlone += 1;
  }
  return Object.fromEntries(Object.entries(covered).map(([what, runs]) => [what, runs / RUNS]));
}

describe("the interval of what was picked covers its true share in at least 95 % of runs", () => {
  test.each([200, 1_000, 10_000])("of %i images", (images) => {
    const { recall, confusion } = coverage(images, images);
    expect(recall).toBeGreaterThanOrEqual(0.95);
    expect(confusion).toBeGreaterThanOrEqual(0.95);
  });

  test("where the interval of a class or a confusion by itself does not", () => {
    const { recallAlone, confusionAlone } = coverage(200, 200);
    expect(recallAlone).toBeLessThan(0.85);
    expect(confusionAlone).toBeLessThan(0.4);
  });
});
