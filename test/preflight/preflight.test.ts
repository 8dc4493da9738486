import { beforeAll, describe, expect, test } from "vitest";
import { preflight, takeProbe, type PreflightOptions } from "../../src/preflight.ts";
import { seededRandom } from "../../src/random.ts";
import type { Batch, PixelChoice, Scale } from "../../src/types.ts";
import { dataset } from "../train/mnist.ts";
import {
  CHOICES,
  logits,
  probabilities,
  scorerOf,
  softmax,
  trainedOn,
  turned,
  unbiased,
  type Model,
} from "./models.ts";

const SCALES = ["unit", "raw", "mnist", "signed"] as const;
const FORMULAS = {
  unit: "x/255",
  raw: "x",
  mnist: "(x/255 − 0.1307)/0.3081",
  signed: "x/127.5 − 1",
} as const;
const EVERYTHING_FREE = { scale: null, invert: null };

let probe: Batch;
beforeAll(async () => {
  ({ probe } = await takeProbe(dataset("test", 3_000), 1_000, 42));
});

type Changes = Partial<PreflightOptions> & { readonly labelsOnly?: boolean };

async function tried(model: Model, changes: Changes = {}) {
  const score = scorerOf(model, changes);
  const outcome = await preflight({
    probe,
    classes: 10,
    choices: CHOICES,
    wanted: EVERYTHING_FREE,
    score,
    ...changes,
  });
  const { chosen, verdict, statement, candidates, automatic } = outcome.preflight;
  return { ...outcome, chosen, verdict, statement, candidates, automatic, scored: score.images() };
}

const upright = (scale: Scale): PixelChoice => ({ scale, invert: false, transpose: false });

const permuted: Model = (pixels) => {
  const p = probabilities(pixels);
  return p.map((_, c) => p[(c * 3 + 1) % 10]!);
};

const untrained: Model = (() => {
  const random = seededRandom(1);
  const noise = Array.from({ length: 7840 }, () => random.below(2001) / 100_000 - 0.01);
  return (pixels) =>
    softmax(
      Array.from({ length: 10 }, (_, c) => pixels.reduce((sum, x, i) => sum + x * noise[c * 784 + i]!, 0)),
    );
})();

/** Brings its pixels to a mean of 0 and a deviation of 1 itself, as layer normalisation does. */
const invariant: Model = (pixels) => {
  const mean = pixels.reduce((sum, x) => sum + x, 0) / pixels.length;
  const deviation = Math.sqrt(pixels.reduce((sum, x) => sum + (x - mean) ** 2, 0) / pixels.length);
  return probabilities(pixels.map((x) => ((x - mean) / deviation) * 0.3081 + 0.1307));
};

/** Larger pixels make it surer and change no prediction. */
const homogeneous: Model = (pixels) => softmax(unbiased(pixels));

const constant: Model = () => [1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const noNumber: Model = () => Array.from({ length: 10 }, () => NaN);

const nextBest = {
  unit: ["6.32", "raw"],
  raw: ["3.73", "mnist"],
  mnist: ["6.10", "raw"],
  signed: ["6.28", "raw"],
} as const;

/** Halves the images by their ink, whatever their orientation. */
const isEven = (pixels: Float64Array): boolean => Math.round(pixels.reduce((sum, x) => sum + x, 0)) % 2 === 0;

/** As if trained on both 0–1 and ±1: on either it is a little worse on half of the images. */
const both: Model = (pixels) => {
  if (Math.max(...pixels) > 1.5) return constant(pixels);
  const signed = Math.min(...pixels) < 0;
  const unit = signed ? pixels.map((x) => (x + 1) / 2) : pixels;
  return isEven(unit) === signed ? probabilities(unit) : softmax(unbiased(unit));
};

/** Sees an image and its transposed one nearly alike: one half of the images is better upright, the other transposed. */
const symmetric: Model = (pixels) => {
  const [own, other] = [logits(pixels), logits(turned(pixels))];
  const weight = isEven(pixels) ? 0.26 : 0.24;
  return softmax(own.map((score, c) => weight * score + (0.5 - weight) * other[c]!));
};

const overflowing: Model = (pixels) => (Math.max(...pixels) > 2 ? noNumber(pixels) : probabilities(pixels));

describe("preflight() finds how a model was trained", () => {
  test.each(SCALES)("on %s pixels", async (scale) => {
    const { chosen, verdict, automatic, warnings, statement } = await tried(trainedOn(scale));
    const [logLoss, name] = nextBest[scale];
    expect({ chosen, verdict, automatic, warnings }).toEqual({
      chosen: upright(scale),
      verdict: "clear",
      automatic: true,
      warnings: [],
    });
    expect(statement).toBe(
      `Pixels as ${FORMULAS[scale]} (${scale}): log loss 0.42 on 300 labelled images, against ${logLoss} for the next best (${name})`,
    );
  });

  test.each(SCALES)("on %s pixels, from labels alone", async (scale) => {
    const { chosen, verdict, warnings, statement, candidates } = await tried(trainedOn(scale), {
      labelsOnly: true,
    });
    const next = scale === "raw" ? "10.0 % for the next best (unit)" : "% for the next best (raw)";
    expect({ chosen, verdict, warnings }).toEqual({ chosen: upright(scale), verdict: "clear", warnings: [] });
    expect(statement).toContain(
      `Pixels as ${FORMULAS[scale]} (${scale}): accuracy 90.3 % on 300 labelled images, against `,
    );
    expect(statement.endsWith(next)).toBe(true);
    expect(candidates[0]).toEqual({
      ...upright(scale),
      accuracy: 271 / 300,
      log_loss: null,
      saturated: null,
      images: 300,
    });
  });

  test.each(SCALES)("on inverted %s pixels", async (scale) => {
    const { chosen, verdict, warnings, statement } = await tried(trainedOn(scale, { invert: true }));
    expect({ chosen, verdict, warnings }).toEqual({
      chosen: { scale, invert: true, transpose: false },
      verdict: "clear",
      warnings: [],
    });
    expect(statement).toContain(
      `Pixels as ${FORMULAS[scale]} (inverted ${scale}): log loss 0.42 on 300 labelled images, against `,
    );
  });

  test.each(SCALES)("on transposed %s pixels", async (scale) => {
    const { chosen, verdict, warnings, statement } = await tried(trainedOn(scale, { transpose: true }));
    const [logLoss, name] = nextBest[scale];
    expect({ chosen, verdict, warnings }).toEqual({
      chosen: { scale, invert: false, transpose: true },
      verdict: "clear",
      warnings: [],
    });
    expect(statement).toBe(
      `Pixels as ${FORMULAS[scale]} (transposed ${scale}): log loss 0.42 on 300 labelled images, against ${logLoss} for ` +
        `the next best (transposed ${name}); rows and columns stand exchanged between these images and those that it was trained on (EMNIST's files hold them so)`,
    );
  });

  test.each(SCALES)("on %s pixels, with its classes in another order", async (scale) => {
    const { chosen, verdict, warnings, statement, candidates } = await tried(
      trainedOn(scale, { model: permuted }),
    );
    const [logLoss, name] = nextBest[scale];
    expect({ chosen, verdict, warnings }).toEqual({ chosen: upright(scale), verdict: "clear", warnings: [] });
    expect(statement).toBe(
      `Pixels as ${FORMULAS[scale]} (${scale}): with its classes matched one to one, log loss 0.42 on 300 labelled ` +
        `images, against ${logLoss} for the next best (${name})`,
    );
    expect(candidates[0]!.accuracy, "as the classes stand").toBeLessThan(0.2);
  });
});

describe("preflight() where ways are alike", () => {
  test("takes x/255 and warns of nothing where the scale makes no difference", async () => {
    const { chosen, verdict, warnings, statement } = await tried(invariant);
    expect({ chosen, verdict, warnings }).toEqual({ chosen: upright("unit"), verdict: "same", warnings: [] });
    expect(statement).toBe(
      "Pixels as x/255 (unit): their scale makes no difference to this model, log loss 0.45 on 300 labelled images",
    );
  });

  test("takes x/255 and warns where two ways are too close to tell apart", async () => {
    const { chosen, verdict, warnings, statement } = await tried(both);
    expect({ chosen, verdict }).toEqual({ chosen: upright("unit"), verdict: "close" });
    expect(statement).toBe(
      "Pixels as x/255 (unit): log loss 0.72 on 300 labelled images, against 0.51 with signed",
    );
    expect(warnings).toEqual([
      "These ways to feed the pixels are too close to tell apart on 300 labelled images: signed (accuracy 86.3 %, log " +
        "loss 0.51) and unit (accuracy 81.0 %, log loss 0.72). They are fed as x/255 (unit): if the model was trained " +
        "otherwise, name its way with --scale or --invert.",
    ]);
  });

  test.each([
    { scale: "unit", verdict: "clear", warned: 0 },
    { scale: "signed", verdict: "close", warned: 1 },
  ])("stays with x/255 on less evidence than it leaves it for another: $scale", async (better) => {
    // Six of six are one in 32 by chance: below the one in 22 that lets stay, above the one in 370 that lets leave.
    const score: PreflightOptions["score"] = async ({ scale, invert, transpose }, { labels, indices }) => {
      const candidate = (scale === "unit" || scale === "signed") && !invert && !transpose;
      const missed = new Set(
        candidate ? (scale === better.scale ? [] : probe.indices.subarray(0, 6)) : probe.indices,
      );
      const predicted = labels.map((label, i) =>
        missed.has(indices[i]!) ? (label + 1 + (i % 9)) % 10 : label,
      );
      return await Promise.resolve({ labels: predicted, probabilities: null });
    };
    const { chosen, verdict, warnings } = await tried(constant, { score });
    expect({ chosen, verdict, warned: warnings.length }).toEqual({
      chosen: upright("unit"),
      verdict: better.verdict,
      warned: better.warned,
    });
  });

  test("gives the accuracy for its reason where that decided against a lower log loss", async () => {
    const doubtful = new Set(probe.indices.subarray(0, 7));
    const score: PreflightOptions["score"] = async ({ scale, invert, transpose }, { labels, indices }) => {
      const candidate = (scale === "unit" || scale === "signed") && !invert && !transpose;
      const rows = Array.from(labels, (label, i) => {
        const p = !candidate ? 0 : scale === "unit" ? 0.6 : doubtful.has(indices[i]!) ? 0.45 : 0.62;
        const other = (label + 1 + (i % 9)) % 10;
        return Array.from({ length: 10 }, (_, c) => (c === label ? p : c === other ? 1 - p : 0));
      });
      return await Promise.resolve({
        labels: Uint8Array.from(rows, (row) => row.indexOf(Math.max(...row))),
        probabilities: Float32Array.from(rows.flat()),
      });
    };
    const { chosen, verdict, statement, candidates } = await tried(constant, { score });
    expect({ chosen, verdict }).toEqual({ chosen: upright("unit"), verdict: "clear" });
    const logLossOf = (name: Scale) =>
      candidates.find(({ scale, invert, transpose }) => scale === name && !invert && !transpose)?.log_loss;
    expect(logLossOf("signed")).toBeLessThan(logLossOf("unit")!);
    expect(statement).toBe(
      "Pixels as x/255 (unit): accuracy 100.0 % on 300 labelled images, against 97.7 % for the next best (signed)",
    );
  });

  test("does not ask which orientation it is where both are nearly as good", async () => {
    const { chosen, verdict, warnings, candidates } = await tried(symmetric);
    const turned = candidates.find(({ transpose, scale }) => transpose && scale === "unit");
    expect(Math.abs(turned!.accuracy - candidates[0]!.accuracy)).toBeLessThan(0.05);
    expect({ chosen, verdict, warnings }).toEqual({
      chosen: upright("unit"),
      verdict: "clear",
      warnings: [],
    });
  });

  test("does not take a way for better in which all confidences are 1", async () => {
    const rows = [...probe.labels.keys()].filter((row) => {
      const pixels = Float64Array.from(probe.pixels.subarray(row * 784, (row + 1) * 784), (x) => x / 255);
      const scores = homogeneous(pixels);
      return scores.indexOf(Math.max(...scores)) === probe.labels[row];
    });
    const right: Batch = {
      indices: Uint32Array.from(rows, (row) => probe.indices[row]!),
      labels: Uint8Array.from(rows, (row) => probe.labels[row]!),
      pixels: Uint8Array.from(rows.flatMap((row) => [...probe.pixels.subarray(row * 784, (row + 1) * 784)])),
    };
    const { chosen, verdict, warnings, statement, candidates } = await tried(homogeneous, { probe: right });
    const raw = candidates.find(({ scale, invert, transpose }) => scale === "raw" && !invert && !transpose);
    expect(raw!.log_loss).toBeLessThan(candidates[0]!.log_loss!);
    expect({ chosen, verdict, warnings }).toEqual({
      chosen: upright("unit"),
      verdict: "clear",
      warnings: [],
    });
    expect(statement).toBe(
      "Pixels as x/255 (unit): log loss 0.081 on 231 labelled images, while raw makes 99.6 % of the confidences 1 to seven digits",
    );
    const asked = await tried(homogeneous, { probe: right, wanted: { scale: "raw", invert: null } });
    expect(asked.chosen).toEqual(upright("raw"));
    expect(asked.statement).toBe(
      "Pixels as x (raw), as asked: log loss below 0.0001 on 231 labelled images, with 99.6 % of the confidences 1 to " +
        "seven digits, against 0.9 % with unit",
    );
    expect(asked.warnings).toEqual([
      "--scale raw was asked for, but on 231 labelled images it makes 99.6 % of the confidences 1 to seven digits, and unit " +
        "0.9 % at about the same accuracy: leave --scale raw out, unless the model was trained so.",
    ]);
  });
});

const first = (count: number): Batch => ({
  indices: probe.indices.subarray(0, count),
  labels: probe.labels.subarray(0, count),
  pixels: probe.pixels.subarray(0, count * 784),
});

const onlyMnistRight: PreflightOptions["score"] = async (choice, { labels }) =>
  await Promise.resolve({
    labels: labels.map((label) =>
      choice.scale === "mnist" && !choice.invert && !choice.transpose ? label : (label + 1) % 10,
    ),
    probabilities: null,
  });

describe("preflight() of a few labelled images", () => {
  test.each([
    [1, "1 labelled image is too few"],
    [8, "8 labelled images are too few"],
  ])("takes x/255 and says that %d cannot tell", async (count, doubt) => {
    const { chosen, verdict, warnings } = await tried(trainedOn("mnist"), {
      probe: first(count),
      labelsOnly: true,
    });
    expect({ chosen, verdict }).toEqual({ chosen: upright("unit"), verdict: "close" });
    expect(warnings).toEqual([
      expect.stringMatching(
        new RegExp(
          `^${doubt} to tell these ways to feed the pixels apart: .* They are fed as x/255 \\(unit\\): if the ` +
            "model was trained otherwise, name its way with --scale or --invert\\.$",
        ),
      ),
    ]);
  });

  test.each([
    [9, "close"],
    [10, "clear"],
  ])("is sure where one way alone is right on %d: %s", async (count, verdict) => {
    const right = upright("mnist");
    const outcome = await tried(constant, { score: onlyMnistRight, probe: first(count) });
    expect(outcome).toMatchObject({ chosen: verdict === "clear" ? right : upright("unit"), verdict });
  });
});

describe("preflight() where no way is right", () => {
  test.each([
    ["untrained", untrained, "15.0 % of them (inverted signed)"],
    ["of one answer", constant, "10.0 % of them (unit)"],
    ["without a single number", noNumber, "0.0 % of them (unit)"],
  ])("takes x/255 and says so for a model %s", async (_, model, best) => {
    const { chosen, verdict, warnings, statement, scored } = await tried(model);
    expect({ chosen, verdict }).toEqual({ chosen: upright("unit"), verdict: "close" });
    expect(statement).toBe(
      "Pixels as x/255 (unit): no way to feed them is better than chance on 300 labelled images",
    );
    expect(warnings).toEqual([
      `No way to feed the pixels is better than chance on 300 labelled images: the best is right on ${best}. The ` +
        "model looks untrained, or made for other data; its pixels are fed as x/255 (unit).",
    ]);
    expect(scored).toBeLessThanOrEqual(2_200);
  });

  test("takes a way whose scores are numbers over those that give none", async () => {
    const { chosen, verdict, candidates } = await tried(overflowing);
    expect({ chosen, verdict }).toEqual({ chosen: upright("unit"), verdict: "clear" });
    expect(candidates.find(({ scale }) => scale === "raw")).toEqual({
      ...upright("raw"),
      accuracy: 0,
      log_loss: expect.closeTo(-Math.log(1e-12), 9) as number,
      saturated: 0,
      images: 60,
    });
  });

  test("says so where there are no images", async () => {
    const empty = { indices: new Uint32Array(), labels: new Uint8Array(), pixels: new Uint8Array() };
    expect(
      await preflight({
        probe: empty,
        classes: 10,
        choices: CHOICES,
        wanted: EVERYTHING_FREE,
        score: scorerOf(constant),
      }),
    ).toEqual({
      preflight: {
        chosen: upright("unit"),
        automatic: true,
        verdict: "close",
        statement: "Pixels as x/255 (unit): there are no labelled images to try other ways on",
        candidates: [],
      },
      warnings: [],
    });
  });
});

describe("preflight() with a way that was asked for", () => {
  test("keeps to it and says how much better another is", async () => {
    const { chosen, automatic, verdict, warnings, statement } = await tried(trainedOn("unit"), {
      wanted: { scale: "raw", invert: null },
    });
    expect({ chosen, automatic, verdict }).toEqual({
      chosen: upright("raw"),
      automatic: false,
      verdict: "close",
    });
    expect(statement).toBe(
      "Pixels as x (raw), as asked: log loss 6.32 on 300 labelled images, against 0.42 with unit",
    );
    expect(warnings).toEqual([
      "--scale raw was asked for, but on 300 labelled images unit is right on 90.3 % against 77.0 %: leave --scale raw " +
        "out, unless the model was trained so.",
    ]);
  });

  test("warns of nothing where it is the right one", async () => {
    const { chosen, verdict, warnings, statement } = await tried(trainedOn("raw"), {
      wanted: { scale: "raw", invert: false },
    });
    expect({ chosen, verdict, warnings }).toEqual({ chosen: upright("raw"), verdict: "clear", warnings: [] });
    expect(statement).toBe(
      "Pixels as x (raw), as asked: log loss 0.42 on 300 labelled images, against 3.73 for the next best (mnist)",
    );
  });

  test("does not transpose to make up for it by chance", async () => {
    const { chosen, warnings } = await tried(trainedOn("unit", { invert: true }), {
      wanted: { scale: null, invert: false },
    });
    expect(chosen).toEqual(upright("unit"));
    expect(warnings).toEqual([
      "--no-invert was asked for, but on 300 labelled images inverted unit is right on 90.3 % against 0.0 %: leave " +
        "--no-invert out, unless the model was trained so.",
    ]);
  });

  test("names all that was asked for and is not so", async () => {
    const { chosen, warnings } = await tried(trainedOn("mnist", { invert: true }), {
      wanted: { scale: "signed", invert: false },
      labelsOnly: true,
    });
    expect(chosen).toEqual(upright("signed"));
    expect(warnings).toEqual([
      "--scale signed and --no-invert were asked for, but on 300 labelled images inverted mnist is right on 90.3 % " +
        "against 0.3 %: leave --scale signed and --no-invert out, unless the model was trained so.",
    ]);
  });

  test("refuses one that the choices do not hold", async () => {
    const choices = CHOICES.filter(({ scale }) => scale === "raw");
    await expect(tried(constant, { choices, wanted: { scale: "unit", invert: null } })).rejects.toThrow(
      new RangeError("none of the choices is as the command line wants it"),
    );
  });
});

test("preflight() tries few ways on all images where one is clear, and none twice", async () => {
  const { scored, candidates } = await tried(trainedOn("unit"));
  expect(scored).toBe(1_080);
  expect(candidates.map(({ images }) => images).toSorted((a, b) => b - a)).toEqual([
    300, 300, 60, 60, 60, 60, 60, 60, 60, 60,
  ]);
});

test("preflight() gives the same twice", async () => {
  const [first, second] = [await tried(trainedOn("mnist")), await tried(trainedOn("mnist"))];
  expect(JSON.stringify(second)).toBe(JSON.stringify(first));
});

test("preflight() of a model that takes bytes tries their polarity alone", async () => {
  const choices = CHOICES.filter(({ scale }) => scale === "raw");
  const { chosen, verdict, warnings, statement, scored } = await tried(trainedOn("raw", { invert: true }), {
    choices,
  });
  expect({ chosen, verdict, warnings }).toEqual({
    chosen: { scale: "raw", invert: true, transpose: false },
    verdict: "clear",
    warnings: [],
  });
  expect(statement).toBe(
    "Pixels as x (inverted raw): log loss 0.42 on 300 labelled images, against 23.87 for the next best (raw)",
  );
  expect(scored).toBe(720);
});
