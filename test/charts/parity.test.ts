import { describe, expect, it } from "vitest";
import { parity } from "../../src/charts/parity.ts";
import type { Evaluation, Parity } from "../../src/types.ts";
import { evaluation } from "./builders.ts";
import { headingOf, rowsOf } from "./spec-parts.ts";

const base = evaluation({ service: true });
const [first] = base.parity!.examples as [Parity["examples"][number]];
const nine = {
  ...first,
  index: 12,
  truth: "9",
  endpoint: "4",
  model: "9",
  endpointConfidence: 0.99999,
  modelConfidence: 0.512,
};

function compared(overrides: Partial<Parity>): Evaluation {
  return { ...base, parity: { ...base.parity!, images: 10_000, ...overrides } };
}

const one = compared({ differing: { count: 1, images: [] }, examples: [nine] });

function captionsOf(e: Evaluation) {
  return rowsOf(parity, e)
    .slice(1)
    .flat()
    .map(({ text, color }) => [text, color]);
}

describe("parity.title(evaluation)", () => {
  it.each([
    [one, "Service and model differ on 1 of 10,000 images"],
    [
      compared({ differing: { count: 0, images: [] }, examples: [] }),
      "Service and model agree on all 10,000 images",
    ],
    [
      compared({ images: 1, differing: { count: 0, images: [] }, examples: [] }),
      "Service and model agree on the only image",
    ],
    [
      compared({ images: 0, differing: { count: 0, images: [] }, examples: [] }),
      "No image was answered by both the service and the model",
    ],
    [evaluation(), "There is no service to compare with a model"],
  ])("%#", (e, title) => {
    expect(parity.title(e)).toBe(title);
  });
});

describe("parity.spec(evaluation)", () => {
  it("is nothing where none differ, or nothing is compared", () => {
    expect(parity.spec(compared({ differing: { count: 0, images: [] }, examples: [] }))).toBeNull();
    expect(parity.spec(evaluation())).toBeNull();
  });

  it("has truth, and what service and model say, right in blue and wrong in red", () => {
    expect(captionsOf(one)).toEqual([
      ["is 9", "#57606a"],
      ["service 4, > 99.9 %", "#bf3217"],
      ["model 9, 51.2 %", "#0072b2"],
    ]);
    expect(parity.description(one)).toBe(
      "Service and model differ on 1 of 10,000 images: image 12, a 9: service 4, > 99.9 %, model 9, 51.2 %.",
    );
  });

  it("has names on lines of their own where they are long", () => {
    const names = { truth: "Ankle boot", endpoint: "Sneaker, white", model: "Ankle boot" };
    const long = compared({ examples: [{ ...nine, ...names }] });
    expect(captionsOf(long).map(([text]) => text)).toEqual([
      "is Ankle boot",
      "service, > 99.9 %",
      "model, 51.2 %",
      "Sneaker, white",
      "Ankle boot",
    ]);
  });

  it("claims no confidence where there is none, and says which images are left out", () => {
    const labels = { ...nine, endpointConfidence: null, modelConfidence: null };
    const few = compared({ differing: { count: 143, images: [] }, examples: [labels] });
    expect(captionsOf(few).map(([text]) => text)).toEqual(["is 9", "service 4", "model 9"]);
    expect(headingOf(parity, few).subtitle).toBe(
      "The 1 image first. Above each image its truth; below, what the service and the model say. Blue is right, red wrong.",
    );
    expect(headingOf(parity, compared({ differing: { count: 143, images: [] } })).subtitle).toBe(
      "The 30 images of which they are most sure. Above each image its truth; below, what the service and the model " +
        "say, with the confidence. Blue is right, red wrong.",
    );
  });
});
