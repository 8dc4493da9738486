import { describe, expect, test } from "vitest";

import { answersIn, concatenated, tensorsOf } from "../../../src/scorer/endpoint/interpret.ts";
import type { OutputPlan } from "../../../src/scorer/outputs.ts";
import { ReplyError, type Answer, type Values } from "../../../src/scorer/protocols/protocol.ts";

const CLASSES = ["cat", "dog", "owl"];

function numbers(type: "int64" | "float64", dims: number[], data: readonly number[]): Values {
  return { type, dims, data: Float64Array.from(data) };
}
const labels = (...data: number[]): Answer => ({ "": numbers("int64", [data.length], data) });
const words = (...data: string[]): Answer => ({ "": { type: "string", dims: [data.length], data } });
const scores = (...rows: number[][]): Answer => ({
  "": numbers("float64", [rows.length, rows[0]!.length], rows.flat()),
});

const LABELS: OutputPlan = { scores: null, label: "predictions", meaning: "labels", description: "" };
const SCORES: OutputPlan = { scores: "predictions", label: null, meaning: "probabilities", description: "" };

const float64 = (...values: number[]) => Float64Array.from(values);

describe("answersIn() of labels", () => {
  test("takes positions and names of classes", () => {
    const expected = [
      { label: 2, scores: null },
      { label: 0, scores: null },
    ];
    expect(answersIn(labels(2, 0), LABELS, 2, CLASSES)).toEqual(expected);
    expect(answersIn(words("owl", " cat "), LABELS, 2, CLASSES)).toEqual(expected);
  });

  test.each([
    ["out of range", labels(0, 3), "the service's label 3 is none of the 3 classes"],
    ["below 0", labels(0, -1), "the service's label -1 is none of the 3 classes"],
    [
      "between two",
      { "": numbers("float64", [2], [0, 0.5]) },
      "the service's label 0.5 is none of the 3 classes",
    ],
    ["NaN", { "": numbers("float64", [2], [0, NaN]) }, "the service's label is not a number"],
    ["unknown", words("cat", "cow"), "the service's label “cow” is none of the classes"],
  ])("refuses one that is %s, and keeps the others", (_, answer, bad) => {
    expect(answersIn(answer, LABELS, 2, CLASSES)).toEqual([{ label: 0, scores: null }, { bad }]);
  });
});

describe("answersIn() of scores", () => {
  test("takes probabilities as they are", () => {
    expect(answersIn(scores([0.5, 0.25, 0.25], [0, 0, 1]), SCORES, 2, CLASSES)).toEqual([
      { label: 0, scores: float64(0.5, 0.25, 0.25) },
      { label: 2, scores: float64(0, 0, 1) },
    ]);
  });

  test("takes logits as they are, to the last digit", () => {
    const logits = [0, Math.log(2), -1000.0000000000001];
    expect(answersIn(scores(logits), { ...SCORES, meaning: "logits" }, 1, CLASSES)).toEqual([
      { label: 1, scores: float64(...logits) },
    ]);
  });

  test("takes the row of one image that a service has flattened", () => {
    const flat: Answer = { "": numbers("float64", [3], [0.5, 0.25, 0.25]) };
    expect(answersIn(flat, SCORES, 1, CLASSES)).toEqual([{ label: 0, scores: float64(0.5, 0.25, 0.25) }]);
  });

  test("refuses rows with NaN or Infinity alone", () => {
    expect(answersIn(scores([NaN, 0, 1], [1, 0, 0], [0, Infinity, 0]), SCORES, 3, CLASSES)).toEqual([
      { bad: "the service's scores are not all numbers" },
      { label: 0, scores: float64(1, 0, 0) },
      { bad: "the service's scores are not all finite" },
    ]);
  });

  test("takes the service's own label where it gives both", () => {
    const both: Answer = {
      label: numbers("int64", [1], [1]),
      p: numbers("float64", [1, 3], [0.4, 0.4, 0.2]),
    };
    const plan: OutputPlan = { ...SCORES, scores: "p", label: "label" };
    expect(answersIn(both, plan, 1, CLASSES)).toEqual([{ label: 1, scores: float64(0.4, 0.4, 0.2) }]);
  });
});

test("answersIn() takes the service's own label where its scores are no numbers", () => {
  const both: Answer = {
    label: numbers("int64", [1], [1]),
    p: numbers("float64", [1, 3], [NaN, NaN, NaN]),
  };
  const plan: OutputPlan = { ...SCORES, scores: "p", label: "label" };
  expect(answersIn(both, plan, 1, CLASSES)).toEqual([{ label: 1, scores: float64(NaN, NaN, NaN) }]);
});

describe("answersIn() refuses a reply", () => {
  test.each([
    ["for one image fewer", labels(1), LABELS, "the reply answers for 1 image instead of 2"],
    ["for one image more", labels(1, 2, 0), LABELS, "the reply answers for 3 images instead of 2"],
    [
      "of too many rows",
      scores([1, 0, 0], [1, 0, 0], [1, 0, 0]),
      SCORES,
      "the reply answers for 3 images instead of 2",
    ],
    [
      "of too few scores",
      scores([1, 0], [1, 0]),
      SCORES,
      "the reply has 2 scores an image, but there are 3 classes",
    ],
    [
      "of words for scores",
      words("cat", "dog"),
      SCORES,
      "the reply has words where earlier replies had scores",
    ],
    [
      "without its output",
      { other: numbers("int64", [2], [0, 1]) },
      LABELS,
      "the reply lacks the output predictions that earlier replies had (it has other)",
    ],
  ] as const)("%s", (_, answer, plan, message) => {
    expect(() => answersIn(answer, plan, 2, CLASSES)).toThrow(new ReplyError(message));
  });
});

describe("tensorsOf()", () => {
  test("makes one table of outputs that bear the classes' names", () => {
    const answer: Answer = {
      owl: numbers("float64", [2], [0.1, 0.2]),
      cat: numbers("float64", [2], [0.6, 0.3]),
      dog: numbers("float64", [2], [0.3, 0.5]),
    };
    const { tensors, outputs } = tensorsOf(answer, CLASSES);
    expect(tensors).toEqual([{ name: "predictions", isTensor: true, type: "float64", shape: ["n", 3] }]);
    expect([...(outputs["predictions"]!.data as Float64Array)]).toEqual([0.6, 0.3, 0.1, 0.3, 0.5, 0.2]);
  });
});

describe("concatenated()", () => {
  test("joins replies to parts of the images", () => {
    expect(concatenated([labels(1, 2), labels(0)])).toEqual(labels(1, 2, 0));
    expect(concatenated([words("cat"), words("dog")])).toEqual(words("cat", "dog"));
    expect(concatenated([scores([1, 0, 0]), scores([0, 1, 0])])).toEqual(scores([1, 0, 0], [0, 1, 0]));
  });

  test("refuses replies that differ in form", () => {
    expect(() => concatenated([labels(1), words("cat")])).toThrow(
      new ReplyError("the service's replies differ in form"),
    );
    expect(() => concatenated([{ p: labels(1)[""]! }, {}])).toThrow(
      new ReplyError("the service's replies differ in the output p"),
    );
  });
});
