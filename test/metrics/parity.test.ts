import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FirstFew } from "../../src/metrics/first-few.ts";
import { wilson } from "../../src/statistics/wilson.ts";
import { createParityTally, type ParityTally } from "../../src/metrics/parity.ts";
import { judge, type Differences } from "../../src/metrics/parity-judgement.ts";
import { figure, parityStatement } from "../../src/metrics/parity-wording.ts";
import type { Parity, ScorerDescription } from "../../src/types.ts";
import { batchOf, names, simulated, type Table } from "./builders.ts";

const model: ScorerDescription = {
  kind: "onnx",
  name: "m.onnx",
  preprocessing: { scale: "unit", layout: "flat", invert: false, transpose: false },
};

/** Images whose pixels are one byte: their row. */
function added(tally: ParityTally, endpoint: Table, local: Table, rows?: number[]): void {
  tally.add(withPixels(endpoint, rows), withPixels(local, rows));
}

function withPixels(table: Table, rows?: number[]) {
  const batch = batchOf(table, rows);
  return { ...batch, pixels: Uint8Array.from(batch.indices, (index) => index % 256) };
}

function parityOf(endpoint: Table, local: Table): Parity {
  const tally = createParityTally(local.classes, [1, 1]);
  added(tally, endpoint, local);
  return tally.parity(model, null);
}

function table(rows: readonly (readonly number[])[], truth: readonly number[]): Table {
  const predicted = rows.map((row) => row.indexOf(Math.max(...row)));
  return { classes: names(3), truth, predicted, probabilities: rows };
}

const labelsOnly = (given: Table): Table => ({ ...given, probabilities: null });

const local = table(
  [
    [0.75, 0.25, 0],
    [0.25, 0.5, 0.25],
    [0, 0.25, 0.75],
    [0.5, 0.25, 0.25],
  ],
  [0, 1, 2, 1],
);
const service = table(
  [
    [0.75, 0.25, 0],
    [0.5, 0.25, 0.25],
    [0.75, 0.25, 0],
    [0.5, 0.375, 0.125],
  ],
  [0, 1, 2, 1],
);

describe("parity(model, likeness)", () => {
  test("has agreement, differences and the model's own accuracy", () => {
    expect(parityOf(service, local)).toMatchObject({
      model,
      images: 4,
      agreement: { value: 0.5, interval: wilson(2, 4) },
      maxDifference: 0.75,
      meanDifference: (0.25 + 0.25 + 0.75 + 0.75 + 0.125 + 0.125) / 12,
      modelAccuracy: { value: 0.75, interval: wilson(3, 4) },
      verdict: "skew",
    });
  });

  test("lists what differs in file order, and shows what both are most sure of first", () => {
    const [one, two] = [
      { index: 1, truth: "c1", endpoint: "c0", model: "c1", endpointConfidence: 0.5, modelConfidence: 0.5 },
      { index: 2, truth: "c2", endpoint: "c0", model: "c2", endpointConfidence: 0.75, modelConfidence: 0.75 },
    ];
    const { differing, examples } = parityOf(service, local);
    expect(differing).toEqual({ count: 2, images: [one, two] });
    expect(examples).toEqual([
      { ...two, pixels: Buffer.from([2]).toString("base64") },
      { ...one, pixels: Buffer.from([1]).toString("base64") },
    ]);
  });

  test("has no difference of probabilities where either gives labels only, and the other's confidence", () => {
    const { maxDifference, meanDifference, differing } = parityOf(labelsOnly(service), local);
    expect([maxDifference, meanDifference]).toEqual([null, null]);
    expect(differing.images[1]).toMatchObject({ endpointConfidence: null, modelConfidence: 0.75 });
    const [example] = parityOf(labelsOnly(service), local).examples;
    expect(example?.index).toBe(2);
  });

  test("is undefined without images", () => {
    const none = table([], []);
    expect(parityOf(none, none)).toEqual({
      model,
      images: 0,
      agreement: { value: null, interval: null },
      maxDifference: null,
      meanDifference: null,
      modelAccuracy: { value: null, interval: null },
      verdict: "skew",
      statement: "No image was answered by both the service and m.onnx, so that nothing can be compared",
      differing: { count: 0, images: [] },
      examples: [],
    });
  });

  test("is bounded: 1,000 images and 30 pictures, and evidence of 200 of each kind", () => {
    const images = 3_000;
    const truth = Array.from({ length: images }, () => 0);
    const predicted = truth.map((_, row) => (row % 3 === 0 ? 0 : 1));
    const tally = createParityTally(names(2), [1, 1]);
    const same: Table = { classes: names(2), truth, predicted: truth, probabilities: null };
    added(tally, { ...same, predicted }, same);
    const { differing, examples } = tally.parity(model, null);
    expect([differing.count, differing.images.length, examples.length]).toEqual([2_000, 1_000, 30]);
    expect(differing.images.slice(0, 3).map(({ index }) => index)).toEqual([1, 2, 4]);
    const evidence = tally.evidence();
    expect(evidence.indices.length).toBe(400);
    expect([evidence.indices[0], evidence.indices[200]]).toEqual([1, 0]);
    expect([...evidence.pixels.subarray(0, 3)]).toEqual([1, 2, 4]);
    expect(evidence.probabilities).toBeNull();
  });

  test("is the same whatever the batches, but for the images' order", () => {
    const [first, second] = [simulated(200, 4, 1), simulated(200, 4, 2)];
    const endpoint = { ...second, truth: first.truth };
    const whole = parityOf(endpoint, first);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 199 }), { maxLength: 6 }), (cuts) => {
        const ends = [...new Set(cuts)].sort((a, b) => a - b).concat(200);
        const tally = createParityTally(first.classes, [1, 1]);
        let start = 0;
        for (const end of ends) {
          added(
            tally,
            endpoint,
            first,
            Array.from({ length: end - start }, (_, i) => start + i),
          );
          start = end;
        }
        expect(tally.parity(model, null)).toEqual(whole);
      }),
    );
    const shuffled = createParityTally(first.classes, [1, 1]);
    const backwards = first.truth.map((_, row) => 199 - row);
    for (const row of backwards) added(shuffled, endpoint, first, [row]);
    const { meanDifference } = whole;
    // Terms in another order round otherwise.
    expect(shuffled.parity(model, null)).toEqual({
      ...whole,
      meanDifference: expect.closeTo(meanDifference!, 12) as number,
    });
  });
});

describe("add(endpoint, model)", () => {
  const three = batchOf(simulated(3, 3));
  test.each([
    [
      { ...three, indices: Uint32Array.of(0, 1, 7) },
      "row 2 of the batch is image 7 of the endpoint and image 2 of the model",
    ],
    [batchOf(simulated(2, 3)), "a batch of 2 images of the endpoint cannot be compared with 3 of the model"],
    [{ ...three, predicted: Uint8Array.of(0, 1, 3) }, "a label of the endpoint is none of the 3 classes"],
    [
      { ...three, probabilities: new Float64Array(8) },
      "8 probabilities of the endpoint for 3 images of 3 classes",
    ],
    [
      { ...three, probabilities: new Float64Array(9).fill(-0.5) },
      "probability -0.5 of the endpoint is not in 0 … 1",
    ],
  ])("refuses other images or scores: %#", (endpoint, message) => {
    const tally = createParityTally(names(3), [1, 1]);
    expect(() => tally.add(endpoint, three)).toThrow(new RangeError(message));
    expect(tally.counts().images).toBe(0);
  });

  test("counts who is right, and predictions by the model's", () => {
    const tally = createParityTally(names(3), [1, 1]);
    added(tally, service, local);
    expect(tally.counts()).toEqual({
      images: 4,
      agreeing: 2,
      predictions: [
        [2, 0, 0],
        [1, 0, 0],
        [1, 0, 0],
      ],
      right: { both: 1, endpoint: 0, model: 2 },
    });
  });
});

function differences(given: Partial<Differences>): Differences {
  const largest = given.largest === undefined ? 0.001 : given.largest;
  return { images: 10_000, differing: 0, sum: (largest ?? 0) * 1_000, gap: 0.001, ...given, largest };
}

describe("judge(differences)", () => {
  test.each<[string, Partial<Differences>, string]>([
    ["nothing differs", { largest: 0, sum: 0 }, "identical"],
    ["float32's rounding", { largest: 3e-7 }, "identical float32"],
    ["a tie that float32's rounding decides", { largest: 3e-7, differing: 2 }, "rounding float32"],
    ["labels that are not those of the same scores", { largest: 0, sum: 0, differing: 101 }, "skew"],
    ["float16", { largest: 2.9e-3, differing: 1 }, "rounding float16"],
    ["bfloat16", { largest: 1.6e-2, differing: 3 }, "rounding bfloat16"],
    ["8-bit weights", { largest: 0.146, differing: 58, sum: 185 }, "rounding 8-bit"],
    ["too large", { largest: 0.16, differing: 5 }, "skew"],
    ["too many labels", { largest: 0.1, differing: 101 }, "skew"],
    ["too large everywhere", { largest: 0.1, sum: 300 }, "skew"],
    ["a few images alone", { largest: 0.1, sum: 0.2 }, "skew"],
    ["one of few images", { images: 20, differing: 1, largest: 0.001, sum: 0.005 }, "rounding float16"],
    ["labels alone, all alike", { largest: null, gap: 0 }, "identical"],
    ["labels alone, near ties", { largest: null, differing: 100, gap: 0.25 }, "untold"],
    ["labels alone, no ties", { largest: null, differing: 5, gap: 0.26 }, "skew"],
    ["labels alone, too many", { largest: null, differing: 101, gap: 0.01 }, "skew"],
    ["no probabilities, few", { largest: null, differing: 10, gap: null }, "untold"],
    ["no probabilities, too many", { largest: null, differing: 11, gap: null }, "skew"],
    ["no image", { images: 0, sum: 0 }, "skew"],
  ])("%s", (_, given, expected) => {
    const { verdict, precision } = judge(differences(given));
    expect(precision === null ? verdict : `${verdict} ${precision}`).toBe(expected);
  });
});

describe("parityStatement(differences, judgement, model, likeness)", () => {
  test.each<[Partial<Differences>, string]>([
    [{ largest: 0 }, "agree on all 10,000 images, with the same probabilities"],
    [
      { largest: 3e-7 },
      "agree on all 10,000 images; the largest probability difference is 3e-7: identical but for rounding",
    ],
    [
      { largest: 3e-7, differing: 2 },
      "agree on 9,998 of 10,000 images; the largest probability difference is 3e-7: rounding",
    ],
    [
      { largest: 0.00073, differing: 1 },
      "agree on 9,999 of 10,000 images; the largest probability difference is 0.00073: rounding, as float16 or TF32 arithmetic gives",
    ],
    [
      { largest: 0.0071 },
      "agree on all 10,000 images; the largest probability difference is 0.0071: rounding, as bfloat16 arithmetic gives",
    ],
    [
      { largest: 0.076 },
      "agree on all 10,000 images; the largest probability difference is 0.076: rounding, as weights quantised to 8 bits give",
    ],
    [
      { largest: 0.98, differing: 9_000 },
      "agree on 1,000 of 10,000 images; the largest probability difference is 0.98: more than rounding",
    ],
    [{ largest: null }, "agree on all 10,000 images; labels alone can be compared"],
    [
      { largest: null, differing: 3, gap: 0.0062 },
      "agree on 9,997 of 10,000 images; labels alone can be compared, and those that differ are near ties, " +
        "their two classes within 0.0062: rounding or slightly different weights, which so few labels do not tell apart",
    ],
    [
      { largest: null, differing: 3, gap: null },
      "agree on 9,997 of 10,000 images; labels alone can be compared: " +
        "rounding or slightly different weights, which so few labels do not tell apart",
    ],
    [
      { largest: null, differing: 300 },
      "agree on 9,700 of 10,000 images; labels alone can be compared: more than rounding",
    ],
    [{ images: 1, largest: 0 }, "agree on the only image, with the same probabilities"],
    [
      { images: 1, differing: 1, largest: 0.9 },
      "agree on 0 of 1 image; the largest probability difference is 0.9: more than rounding",
    ],
  ])("%j", (given, rest) => {
    const all = differences(given);
    expect(parityStatement(all, judge(all), "m.onnx", null)).toBe(`The service and m.onnx ${rest}`);
  });

  test("ends with what is behind a skew, and never in place of a rounding", () => {
    const likeness = { kind: "another model", reason: "another model" } as const;
    const skew = differences({ largest: 1, differing: 9_000 });
    expect(parityStatement(skew, judge(skew), "m.onnx", likeness)).toMatch(/ is 1: another model$/);
    const labels = differences({ largest: null, differing: 9_000 });
    expect(parityStatement(labels, judge(labels), "m.onnx", likeness)).toMatch(/ compared: another model$/);
    const rounding = differences({ largest: 1e-7, differing: 1 });
    expect(parityStatement(rounding, judge(rounding), "m.onnx", likeness)).toMatch(/: rounding$/);
  });

  test.each([
    [3.04e-7, "3e-7"],
    [0.007_38, "0.0074"],
    [1, "1"],
  ])("figure(%d) is %s", (value, text) => {
    expect(figure(value)).toBe(text);
  });
});

describe("FirstFew", () => {
  test("keeps the first few in their order, of equals those that came first", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20 })),
        fc.integer({ min: 1, max: 9 }),
        (values, most) => {
          const items = values.map((value, at) => ({ value, at }));
          const few = new FirstFew<{ value: number; at: number }>(most, (a, b) => a.value - b.value);
          for (const item of items) few.offer(item);
          expect(few.items()).toEqual(items.toSorted((a, b) => a.value - b.value).slice(0, most));
        },
      ),
    );
  });
});
