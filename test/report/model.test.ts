import { describe, expect, it } from "vitest";
import { modelFacts } from "../../src/report/model.ts";
import type { ModelFacts, ScoreMeaning } from "../../src/types.ts";
import { evaluation, modelFacts as facts } from "./builders.ts";

function of(model: Partial<ModelFacts>, imagesPerSecond: number | null = null): Record<string, string> {
  const scorer = { ...evaluation().scorer, model: facts(model) };
  return Object.fromEntries(modelFacts(evaluation({ scorer, imagesPerSecond })));
}

describe("modelFacts(evaluation)", () => {
  it("has parameters, size, format, input, output and speed", () => {
    expect(modelFacts(evaluation())).toEqual([
      ["Parameters", "7,850"],
      ["File size", "32.6 kB"],
      ["Format", "ONNX opset 13, IR 8, written by pets-trainer 1.2"],
      ["Input", "pixels float32 [n, 4]"],
      ["Output", "scores float32 [n, 3]: logits, turned into probabilities by softmax"],
      ["Speed", "412,000 images/s, scoring alone"],
    ]);
  });

  it("leaves out what is not known", () => {
    expect(Object.keys(of({ opset: null, irVersion: null, producer: null }))).toEqual([
      "Parameters",
      "File size",
      "Input",
      "Output",
    ]);
    expect(of({ opset: null, irVersion: null })["Format"]).toBe("written by pets-trainer 1.2");
  });

  it("says how many images a model of a fixed batch takes", () => {
    expect(of({ fixedBatch: 10 })["Input"]).toBe("pixels float32 [n, 4], always 10 at a time");
  });

  it.each<[ScoreMeaning, string]>([
    ["probabilities", "probabilities that sum to 1"],
    ["log-probabilities", "logarithms of probabilities"],
    ["one-vs-rest", "one score in 0–1 a class, not summing to 1: divided by their sum for the log loss"],
    ["logits", "logits, turned into probabilities by softmax"],
    ["labels", "the predicted class alone, without scores"],
  ])("says what numbers of %s are", (meaning, text) => {
    expect(of({ meaning })["Output"]).toBe(`scores float32 [n, 3]: ${text}`);
  });

  it("has the speed alone of an endpoint, if it is known", () => {
    const { model: _, ...scorer } = evaluation().scorer;
    expect(modelFacts({ scorer, imagesPerSecond: 71.2 })).toEqual([["Speed", "71 images/s, scoring alone"]]);
    expect(modelFacts({ scorer, imagesPerSecond: null })).toEqual([]);
  });
});
