import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createGuards } from "../../src/metrics/guards.ts";
import { seededRandom } from "../../src/random.ts";
import { anyTable, batchOf, labels, measure, names, normalised, simulated, type Table } from "./builders.ts";

interface Circumstances {
  readonly rowSumsOff?: number;
  /** Images without a prediction, of which so many have scores of 0 alone. */
  readonly failures?: number;
  readonly zero?: number;
}

function warnings(table: Table, { rowSumsOff = 0, failures = 0, zero = 0 }: Circumstances = {}): string[] {
  const guards = createGuards(table.classes.length);
  guards.add(batchOf(table), rowSumsOff);
  return guards
    .findings(measure(table), table.classes, { unpredicted: failures, zero })
    .map(({ text }) => text);
}

/** Truth and predictions, a row `[true, predicted, images]` a kind. */
function counted(rows: readonly (readonly [number, number, number])[], classes: number): Table {
  const each = (at: 0 | 1) => rows.flatMap((row) => Array.from({ length: row[2] }, () => row[at]));
  return labels(each(0), each(1), classes);
}

/** Every image with this confidence in its prediction, the rest shared by the other classes. */
function withConfidence(table: Table, confidence: (row: number) => number): Table {
  const k = table.classes.length;
  const probabilities = table.predicted.map((predicted, row) =>
    Array.from({ length: k }, (_, c) =>
      c === predicted ? confidence(row) : (1 - confidence(row)) / (k - 1),
    ),
  );
  return { ...table, probabilities };
}

/** Ten classes of `images` each, of which `right` are predicted right and the others as the next class. */
const fair = (images: number, right: number): Table =>
  counted(
    Array.from({ length: 10 }, (_, c) => [
      [c, c, right] as const,
      [c, (c + 1) % 10, images - right] as const,
    ]).flat(),
    10,
  );

const renamed = (table: Table, column: (c: number) => number): Table => ({
  ...table,
  predicted: table.predicted.map(column),
  probabilities:
    table.probabilities &&
    table.probabilities.map((row) =>
      row.map((_, c) => row[[...row.keys()].findIndex((d) => column(d) === c)]!),
    ),
});

describe("warnings() is silent", () => {
  test.each([
    ["for a fair classifier", simulated(5_000)],
    ["for a fair one of 62 classes", simulated(3_000, 62)],
    ["for its labels alone", { ...simulated(2_000), probabilities: null }],
    ["for a handful of images", simulated(5)],
    ["for one image", simulated(1)],
    ["for a weak one", simulated(1_000, 200)],
    ["for a perfect one that is always sure", withConfidence(fair(100, 100), () => 1)],
    [
      "for a good one that is sure where it is right",
      withConfidence(fair(1_000, 990), (row) => (row % 1_000 < 990 ? 1 : 0.6)),
    ],
    [
      "for a sure one that trips over two wrong labels",
      withConfidence(
        counted(
          [
            [0, 0, 500],
            [1, 1, 498],
            [1, 0, 2],
          ],
          2,
        ),
        () => 1,
      ),
    ],
    ["for images of one class", counted([[3, 3, 190]], 10)],
    [
      "for a perfect model on images of one class, all with the same probabilities",
      withConfidence(counted([[3, 3, 200]], 10), () => 1),
    ],
    [
      "for a perfect model on 198 images of one class and 2 of another",
      withConfidence(
        counted(
          [
            [0, 0, 198],
            [1, 1, 2],
          ],
          10,
        ),
        () => 1,
      ),
    ],
    [
      "for one that misses the only two images of another class",
      counted(
        [
          [0, 0, 198],
          [1, 0, 2],
        ],
        10,
      ),
    ],
    [
      "for one that was hardly trained, and is never sure",
      {
        ...fair(100, 90),
        probabilities: fair(100, 90).predicted.map((predicted, row) =>
          normalised(
            Array.from({ length: 10 }, (_, c) => Math.exp(c === predicted ? 0.7 : -0.08 * ((c + row) % 5))),
          ),
        ),
      },
    ],
    [
      "for uneven classes that it tells apart",
      counted(
        [
          [0, 0, 900],
          [0, 1, 50],
          [1, 1, 48],
          [1, 0, 2],
        ],
        2,
      ),
    ],
    [
      "for two classes that it often takes for each other",
      counted(
        [
          [0, 0, 40],
          [0, 1, 60],
          [1, 0, 55],
          [1, 1, 45],
          [2, 2, 500],
        ],
        3,
      ),
    ],
    [
      "for a rare class that it misses",
      counted(
        [
          [0, 0, 500],
          [1, 1, 500],
          [2, 0, 9],
        ],
        3,
      ),
    ],
    [
      "for two classes and little confidence",
      withConfidence(
        counted(
          [
            [0, 0, 300],
            [0, 1, 200],
            [1, 1, 300],
            [1, 0, 200],
          ],
          2,
        ),
        () => 0.6,
      ),
    ],
    [
      "for the few images of two classes taken for each other",
      counted(
        [
          [0, 0, 500],
          [1, 2, 8],
          [1, 1, 1],
          [2, 1, 8],
          [2, 2, 1],
        ],
        3,
      ),
    ],
    [
      "for a rare class that is seldom found, but more than by chance",
      counted(
        [
          [0, 0, 19_000],
          [1, 0, 910],
          [1, 1, 90],
        ],
        2,
      ),
    ],
    ["for no images", labels([], [], 10)],
  ] satisfies [string, Table][])("%s", (_, table) => {
    expect(warnings(table)).toEqual([]);
  });
});

describe("warnings() says what it most likely means", () => {
  test("that confidences are exactly 1", () => {
    const table = withConfidence(fair(1_000, 989), (row) => (row % 2_000 === 0 ? 0.9 : 1));
    expect(warnings(table)).toEqual([
      "9,995 of 10,000 confidences are 1 to seven digits, and 110 of those predictions are wrong: the pixels may be scaled " +
        "wrongly for this model (see --scale), or many labels may be wrong. The accuracy may be right all the same, but " +
        "log loss, calibration and curves are not.",
    ]);
  });

  test("that many confidences are exactly 1 in wrong predictions", () => {
    const table = withConfidence(fair(100, 70), (row) => (row % 4 === 0 ? 1 : 0.7));
    expect(warnings(table)).toEqual([
      "250 of 1,000 confidences are 1 to seven digits, and 70 of those predictions are wrong: the pixels may be scaled " +
        "wrongly for this model (see --scale), or many labels may be wrong. The accuracy may be right all the same, but " +
        "log loss, calibration and curves are not.",
    ]);
  });

  test("that images have no scores", () => {
    expect(warnings(fair(100, 90), { failures: 1_234 })).toEqual([
      "1,234 of 2,234 images have scores that are not finite, not in 0 to 1, or all 0: they have no prediction and are in " +
        "no number of this report but the range of the accuracy. The model's arithmetic probably overflows on pixels of " +
        "this size (see --scale), or its weights are damaged.",
    ]);
  });

  test("that scores are all 0", () => {
    expect(warnings(fair(100, 90), { failures: 7, zero: 7 })).toEqual([
      "7 of 1,007 images have scores that are not finite, not in 0 to 1, or all 0: they have no prediction and are in no " +
        "number of this report but the range of the accuracy. All of their scores are 0: they are probably too small for " +
        "float32. Export the model with its logits, or their log-softmax, as its output.",
    ]);
  });

  test("that images have a label and no probabilities", () => {
    const table = simulated(2_000);
    const probabilities = table.probabilities!.map((row, i) => (i < 30 ? row.map(() => NaN) : row));
    expect(warnings({ ...table, probabilities })).toEqual([
      "30 of 2,000 images have a label and no probabilities, as they have scores that are not finite, not in 0 to 1, or " +
        "all 0: they count in the accuracy, and are left out of all that needs probabilities. The model's arithmetic " +
        "probably overflows on pixels of this size (see --scale), or its weights are damaged.",
    ]);
  });

  test("that rows of scores do not sum to one", () => {
    expect(warnings(simulated(2_000), { rowSumsOff: 1_999 })).toEqual([
      "1,999 of 2,000 rows of scores do not sum to one: each was divided by its sum for the log loss. The scores are " +
        "probably not the model's probabilities: log loss, calibration and curves mean little, the predicted classes are " +
        "not affected. Export the model with softmax as its last step, or name the right --output.",
    ]);
  });

  test("that the scores are no probabilities of the predicted classes", () => {
    const table = withConfidence(fair(100, 90), () => 0.01);
    expect(warnings(table)).toEqual([
      "The log loss is 4.37, above the 2.30 of the same probability for every class, though 90.0 % of the predictions " +
        "are right: the scores are no probabilities of these labels. Another output may be the one to read (see --output), " +
        "or many labels may be wrong: do not trust log loss, calibration and confidences.",
    ]);
  });

  test("that softmax was applied twice", () => {
    const table = withConfidence(fair(100, 90), () => 0.2319);
    expect(warnings(table)).toEqual([
      "No confidence is above 23.2 %, though 90.0 % of the predictions are right, and every row is softmax of what is " +
        "itself a distribution: softmax was probably applied twice. Log loss and calibration are not the model's own.",
    ]);
  });

  test("that all images have the same probabilities", () => {
    const table = withConfidence(
      counted(
        [
          [0, 2, 40],
          [1, 2, 60],
          [2, 2, 50],
        ],
        3,
      ),
      () => 0.6,
    );
    expect(warnings(table)).toEqual([
      "All 150 images have the same probabilities: the model does not see the pixels. It is probably untrained, or its " +
        "pixels are scaled so that nothing is left of them (see --scale).",
    ]);
  });

  test("that all images are predicted to be one class", () => {
    expect(
      warnings(
        counted(
          [
            [0, 2, 400],
            [1, 2, 600],
            [2, 2, 500],
          ],
          3,
        ),
      ),
    ).toEqual([
      "All 1,500 images are predicted to be c2: the model is probably untrained, or its pixels are scaled or inverted " +
        "wrongly (see --scale and --invert).",
    ]);
  });

  test.each([
    [
      "a class is",
      [3],
      "c3 (100 images) is never predicted: the model was trained without that class, has hardly learned it, or knows it under another name.",
    ],
    [
      "classes are",
      [3, 7, 8],
      "c3 (100 images), c7 (100 images) and c8 (100 images) are never predicted: the model was trained without those classes, has hardly learned them, or knows them under other names.",
    ],
  ])("that %s never predicted", (_, missing, expected) => {
    const table = fair(100, 90);
    const others = table.predicted.map((c) => (missing.includes(c) ? 0 : c));
    expect(warnings({ ...table, predicted: others })).toEqual([expected]);
  });

  test("that a class without images lowers the averages over the classes", () => {
    const table = counted(
      [
        [0, 0, 90],
        [0, 2, 10],
        [1, 1, 100],
      ],
      4,
    );
    expect(warnings(table)).toEqual([
      "There are no images of c2 (10 predicted): with precision, recall and F1 of 0 it lowers their averages over the " +
        "classes. F1, macro, is 64.91 %, and 97.37 % without.",
    ]);
    expect(measure(table).metrics["f1_macro"]!.value).toBeCloseTo(0.6491, 4);
  });

  test("that the accuracy is at chance", () => {
    const random = seededRandom(3);
    const truth = Array.from({ length: 3_000 }, () => random.below(10));
    const predicted = truth.map(() => random.below(10));
    expect(warnings(labels(truth, predicted, 10))).toEqual([
      "The accuracy of 10.20 % is no better than chance: always answering the commonest class gives 11.17 %. The model is " +
        "untrained or made for other data, its pixels are fed in a way that it was not trained with (see --scale, --invert and " +
        "--layout), or the labels are not those of these images.",
    ]);
  });
});

describe("warnings() finds classes in another order", () => {
  test("of all of them, whatever the confidences", () => {
    const table = renamed(
      withConfidence(fair(1_000, 995), (row) => (row % 1_000 < 995 ? 1 : 0.6)),
      (c) => (c * 3 + 1) % 10,
    );
    expect(warnings(table)).toEqual([
      "The accuracy would be 99.50 % instead of 0.10 % if the model's classes stood in another order: its outputs seem to " +
        "stand in the order c3,c0,c7,c4,c1,c8,c5,c2,c9,c6. Export the model with the classes in the data set's order.",
    ]);
  });

  test("of two of them", () => {
    const table = renamed(fair(100, 92), (c) => (c === 4 ? 9 : c === 9 ? 4 : c));
    expect(warnings(table)).toEqual([
      "The accuracy would be 92.00 % instead of 73.60 % if the model's classes stood in another order: its outputs seem to " +
        "stand in the order c0,c1,c2,c3,c9,c5,c6,c7,c8,c4. Export the model with the classes in the data set's order.",
    ]);
  });

  test("of many, by the moved ones", () => {
    const table = renamed(simulated(6_000, 47), (c) => (c < 3 ? (c + 1) % 3 : c));
    expect(warnings({ ...table, probabilities: null })).toEqual([
      "The accuracy would be 56.32 % instead of 52.70 % if the model's classes stood in another order: of its outputs, c1 " +
        "means c0, c2 means c1 and c0 means c2. Export the model with the classes in the data set's order.",
    ]);
  });

  test("in any order", () => {
    const moving = fc
      .shuffledSubarray([...names(10).keys()], { minLength: 10 })
      .filter((columns) => columns.some((column, c) => column !== c));
    const table = fair(30, 24);
    fc.assert(
      fc.property(moving, (columns) => {
        const meaning = columns.map((_, column) => `c${columns.indexOf(column)}`).join(",");
        expect(warnings(renamed(table, (c) => columns[c]!))).toEqual([
          expect.stringContaining(`seem to stand in the order ${meaning}. Export`),
        ]);
      }),
    );
  });
});

test("warnings() are the same for any batches in any order", () => {
  const tableAndOrder = anyTable.chain((table) => {
    const rows = [...table.truth.keys()];
    return fc.tuple(
      fc.constant(table),
      fc.shuffledSubarray(rows, { minLength: rows.length }),
      fc.nat(rows.length),
    );
  });
  fc.assert(
    fc.property(tableAndOrder, ([table, rows, cut]) => {
      const guards = createGuards(table.classes.length);
      guards.add(batchOf(table, rows.slice(0, cut)), 2);
      guards.add(batchOf(table, rows.slice(cut)), 1);
      expect(
        guards.findings(measure(table), table.classes, { unpredicted: 3, zero: 0 }).map(({ text }) => text),
      ).toEqual(warnings(table, { rowSumsOff: 3, failures: 3 }));
    }),
  );
});
