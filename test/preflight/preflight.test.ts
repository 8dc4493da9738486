import { beforeAll, describe, expect, test } from "vitest";
import { rowsOf } from "../../src/dataset/batch.ts";
import { inTurn, mnistSample } from "../../src/dataset/trial-images.ts";
import { preflight, type PreflightOptions, type TrialImages } from "../../src/preflight.ts";
import { seededRandom } from "../../src/random.ts";
import type { Batch, NamedScale, PixelChoice, Preflight, Scale } from "../../src/types.ts";
import { mnist } from "../train/mnist.ts";
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

const SCALES = ["unit", "raw", "mnist", "signed", "centered"] as const;
const FORMULAS = {
  unit: "x/255",
  raw: "x",
  mnist: "(x/255 − 0.1307)/0.3081",
  signed: "x/127.5 − 1",
  centered: "x/255 − 0.5",
} as const;
const NOTHING_ASKED = { scale: null, invert: null };

let sample: Batch;
/** MNIST's first test images, as if they were scored. */
let scored: Batch;
beforeAll(async () => {
  sample = await mnistSample(new AbortController().signal);
  const { pixels, labels } = mnist("test", 3_000);
  scored = inTurn({ pixels, labels, indices: Uint32Array.from(labels, (_, i) => i) }, 10);
});

const TRAINING = "of MNIST's training images";

function trialImages(images: Batch | null, name = "of the scored images", foreign = false): TrialImages {
  return { name, foreign, load: async () => await Promise.resolve(images) };
}

type Changes = Partial<PreflightOptions> & { readonly labelsOnly?: boolean };

async function tried(model: Model, changes: Changes = {}) {
  const score = scorerOf(model, changes);
  const outcome = await preflight({
    classes: 10,
    choices: CHOICES,
    asked: NOTHING_ASKED,
    stated: null,
    independent: [trialImages(sample, TRAINING)],
    scored: trialImages(scored),
    firstScored: trialImages(scored),
    own: false,
    limit: { images: 5_000, answers: 12_000 },
    service: false,
    score,
    ...changes,
  });
  const { chosen, source, statement, candidates } = outcome.preflight;
  return { ...outcome, chosen, source, statement, candidates, scored: score.images() };
}

const upright = (scale: Scale): PixelChoice => ({ scale, invert: false, transpose: false });

const rate = ({ candidates }: { readonly candidates: Preflight["candidates"] }, way: PixelChoice) =>
  candidates.find(
    ({ scale, invert, transpose }) =>
      scale === way.scale && invert === way.invert && transpose === way.transpose,
  );

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

/** Halves the images by their ink, whatever their orientation. */
const isEven = (pixels: Float64Array): boolean => Math.round(pixels.reduce((sum, x) => sum + x, 0)) % 2 === 0;

/** As if trained on both 0–1 and ±1: on either it is a little worse on half of the images. */
const both: Model = (pixels) => {
  if (Math.max(...pixels) > 1.5) return constant(pixels);
  const signed = Math.min(...pixels) < 0;
  const unit = signed ? pixels.map((x) => (x + 1) / 2) : pixels;
  return isEven(unit) === signed ? probabilities(unit) : softmax(unbiased(unit));
};

const ofUpsideDown: Model = (pixels) => probabilities(pixels.toReversed());
/** Trained on (x/255 − 0.2)/0.5. */
const ofOwnScale: Model = (pixels) => probabilities(pixels.map((x) => x * 0.5 + 0.2));

/** Sees an image and its transposed one nearly alike: one half of the images is better upright, the other transposed. */
const symmetric: Model = (pixels) => {
  const [own, other] = [logits(pixels), logits(turned(pixels))];
  const weight = isEven(pixels) ? 0.26 : 0.24;
  return softmax(own.map((score, c) => weight * score + (0.5 - weight) * other[c]!));
};

const overflowing: Model = (pixels) => (Math.max(...pixels) > 2 ? noNumber(pixels) : probabilities(pixels));

/** The figures of the way that came nearest, for a model trained on pixels of each scale. */
const NEXT: Readonly<Record<NamedScale, string>> = {
  unit: "95.3 % of 300 of MNIST's training images, against 84.7 % as raw",
  raw: "93.3 % of 60 of MNIST's training images, against 10.0 % as unit",
  mnist: "95.3 % of 300 of MNIST's training images, against 84.3 % as raw",
  signed: "95.3 % of 300 of MNIST's training images, against 83.3 % as raw",
  centered: "95.3 % of 300 of MNIST's training images, against 84.7 % as mnist",
};

const onSide = (figures: string): string => figures.replace(/as (\w+)$/, "as transposed $1");

describe("preflight() finds how a model was trained", () => {
  test.each(SCALES)("on %s pixels", async (scale) => {
    const { chosen, source, warnings, statement } = await tried(trainedOn(scale));
    const expected = { chosen: upright(scale), source: "training images", warnings: [] };
    expect({ chosen, source, warnings }).toEqual(expected);
    expect(statement).toBe(`Pixels as ${FORMULAS[scale]} (${scale}): right on ${NEXT[scale]}`);
  });

  test.each(SCALES)("on %s pixels, from labels alone", async (scale) => {
    const { chosen, warnings, statement, candidates } = await tried(trainedOn(scale), { labelsOnly: true });
    expect({ chosen, warnings }).toEqual({ chosen: upright(scale), warnings: [] });
    expect(statement).toBe(`Pixels as ${FORMULAS[scale]} (${scale}): right on ${NEXT[scale]}`);
    expect(candidates[0]).toMatchObject({ ...upright(scale), log_loss: null, saturated: null });
  });

  test.each(SCALES)("on inverted %s pixels", async (scale) => {
    const { chosen, warnings, statement } = await tried(trainedOn(scale, { invert: true }));
    expect({ chosen, warnings }).toEqual({
      chosen: { scale, invert: true, transpose: false },
      warnings: [],
    });
    expect(statement).toContain(`Pixels as ${FORMULAS[scale]} (inverted ${scale}): right on 9`);
  });

  test.each(SCALES)("on transposed %s pixels", async (scale) => {
    const { chosen, warnings, statement } = await tried(trainedOn(scale, { transpose: true }));
    expect({ chosen, warnings }).toEqual({
      chosen: { scale, invert: false, transpose: true },
      warnings: [],
    });
    // Of pixels as they are, no other scale is nearer than the inverted one.
    const next =
      scale === "raw" ? NEXT.raw.replace("10.0 % as unit", "15.0 % as inverted raw") : onSide(NEXT[scale]);
    expect(statement).toBe(
      `Pixels as ${FORMULAS[scale]} (transposed ${scale}): right on ${next}; ` +
        "rows and columns stand exchanged between these images and those that it was trained on (EMNIST's files hold them so)",
    );
  });

  test.each(SCALES)("on %s pixels, with its classes in another order", async (scale) => {
    const { chosen, warnings, statement, candidates } = await tried(trainedOn(scale, { model: permuted }));
    expect({ chosen, warnings }).toEqual({ chosen: upright(scale), warnings: [] });
    expect(statement).toContain(
      `Pixels as ${FORMULAS[scale]} (${scale}): with its classes matched one to one, right on 9`,
    );
    expect(rate({ candidates }, upright(scale))!.accuracy, "as the classes stand").toBeLessThan(0.2);
  });
});

/** Right on all but the given share of the images, each way on others, and as sure as `p` says. */
function scripted(
  wrong: Partial<Record<NamedScale, number>>,
  p: (scale: Scale, row: number) => number = () => 0.9,
  labelsOnly = false,
): PreflightOptions["score"] {
  return async ({ scale, invert, transpose }, { labels, indices }) => {
    const share = invert || transpose ? 1 : (wrong[scale as NamedScale] ?? 1);
    const rows = Array.from(labels, (label, i) => {
      // Spread evenly, by a step without a common divisor.
      const missed = ((indices[i]! * 617) % 1_000) / 1_000 < share;
      const named = missed ? (label + 1 + (i % 9)) % 10 : label;
      const sure = p(scale, indices[i]!);
      return Array.from({ length: 10 }, (_, c) => (c === named ? sure : (1 - sure) / 9));
    });
    return await Promise.resolve({
      labels: Uint8Array.from(rows, (row) => row.indexOf(Math.max(...row))),
      probabilities: labelsOnly ? null : Float32Array.from(rows.flat()),
    });
  };
}

/** Less sure of the images that `scripted` gets wrong. */
const telling = (row: number): number => (((row * 617) % 1_000) / 1_000 < 0.05 ? 0.3 : 0.9);

describe("preflight() where ways are alike", () => {
  test("takes x/255 and warns of nothing where the scale makes no difference", async () => {
    const { chosen, warnings, statement } = await tried(invariant);
    expect({ chosen, warnings }).toEqual({ chosen: upright("unit"), warnings: [] });
    expect(statement).toBe(
      "Pixels as x/255 (unit): their scale makes no difference to this model, right on 95.0 % of 60 of MNIST's training images",
    );
  });

  test("takes x/255 where another is neither as often right nor of less loss on some hundred images", async () => {
    const { chosen, warnings, statement, candidates } = await tried(both);
    expect({ chosen, warnings }).toEqual({ chosen: upright("unit"), warnings: [] });
    expect(statement).toBe(
      "Pixels as x/255 (unit): right on 90.3 % of 300 of MNIST's training images, against 89.7 % as signed, with a log loss of 0.39 against 0.42 at the best temperature of each",
    );
    expect(rate({ candidates }, upright("signed"))!.images).toBe(300);
  });

  test("leaves x/255 for a way that is right more often, however little, once the images tell it", async () => {
    const { chosen, statement } = await tried(constant, { score: scripted({ unit: 0.03, mnist: 0.01 }) });
    expect(chosen).toEqual(upright("mnist"));
    expect(statement).toBe(
      "Pixels as (x/255 − 0.1307)/0.3081 (mnist): right on 99.0 % of 1,000 of MNIST's training images, against 97.0 % as unit",
    );
    // Not quite as sure, so that the two are not taken for alike where the first images do not tell them apart.
    const kept = await tried(constant, {
      score: scripted({ unit: 0.012, mnist: 0.01 }, (scale) => (scale === "mnist" ? 0.91 : 0.9)),
    });
    expect(kept.chosen).toEqual(upright("unit"));
    expect(kept.statement).toBe(
      "Pixels as x/255 (unit): right on 98.8 % of 5,000 of MNIST's training images, from which mnist (99.0 %) cannot be told",
    );
  });

  test("does not take a way for better that is surer, or less sure, and less often right", async () => {
    // As under-confident models are: fed a larger scale, they lose less and are wrong more often.
    const score = scripted({ unit: 0.02, mnist: 0.05 }, (scale) => (scale === "unit" ? 0.5 : 0.9));
    const { chosen, statement, candidates, warnings } = await tried(constant, { score });
    expect({ chosen, warnings }).toEqual({ chosen: upright("unit"), warnings: [] });
    expect(rate({ candidates }, upright("mnist"))!.log_loss).toBeLessThan(
      rate({ candidates }, upright("unit"))!.log_loss!,
    );
    expect(statement).toBe(
      "Pixels as x/255 (unit): right on 98.0 % of 300 of MNIST's training images, against 95.3 % as mnist, with a log loss of 0.14 against 0.29 at the best temperature of each; mnist has the lower log loss (0.31 against 0.74), but is right no more often",
    );
  });

  test("takes the way of the lower log loss at its own temperature where both are as often right", async () => {
    // The one is sure where it is right and unsure where it is wrong; the other is equally sure of all.
    const score = scripted({ unit: 0.05, mnist: 0.05 }, (scale, row) =>
      scale === "mnist" ? telling(row) : 0.99,
    );
    const { chosen, statement } = await tried(constant, { score });
    expect(chosen).toEqual(upright("mnist"));
    expect(statement).toBe(
      "Pixels as (x/255 − 0.1307)/0.3081 (mnist): right on 95.0 % of 1,000 of MNIST's training images, against 95.0 % as unit, with a log loss of 0.15 against 0.31 at the best temperature of each",
    );
    const { chosen: unsure } = await tried(constant, { score, limit: { images: 300, answers: 12_000 } });
    expect(unsure, "on a few hundred images").toEqual(upright("unit"));
  });

  test("does not ask which orientation it is where both are nearly as good", async () => {
    const { chosen, warnings, candidates } = await tried(symmetric);
    expect({ chosen, warnings }).toEqual({ chosen: upright("unit"), warnings: [] });
    const turned = rate({ candidates }, { ...upright("unit"), transpose: true })!;
    expect(Math.abs(turned.accuracy - candidates[0]!.accuracy)).toBeLessThan(0.05);
  });

  test("keeps x/255 and says so where all confidences are 1 another way", async () => {
    const { chosen, statement, warnings } = await tried(homogeneous);
    expect({ chosen, warnings }).toEqual({ chosen: upright("unit"), warnings: [] });
    expect(statement).toBe(
      "Pixels as x/255 (unit): right on 84.7 % of 300 of MNIST's training images, against 84.7 % as raw, with a log loss of 0.55 against 0.77 at the best temperature of each",
    );
  });
});

const first = (count: number): Batch => rowsOf(scored, [...Array(count).keys()]);

describe("preflight() of a few labelled images", () => {
  test.each([
    [1, "1 of the scored images is too few"],
    [8, "8 of the scored images are too few"],
  ])("takes x/255 and says that %d cannot tell", async (count, doubt) => {
    const { chosen, source, warnings } = await tried(trainedOn("mnist"), {
      independent: [],
      scored: trialImages(first(count)),
      labelsOnly: true,
    });
    expect({ chosen, source }).toEqual({ chosen: upright("unit"), source: "scored images" });
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
    [14, "unit"],
    [15, "mnist"],
  ] as const)("is sure where one way alone is right on %d: %s", async (count, scale) => {
    // 2⁻¹⁴ is the first power of 2 below a thousandth over the 9 other ways, and the test has two sides.
    const { chosen } = await tried(constant, {
      score: scripted({ mnist: 0 }, undefined, true),
      independent: [],
      scored: trialImages(first(count)),
    });
    expect(chosen).toEqual(upright(scale));
  });
});

describe("preflight() where no way is right", () => {
  test.each([
    ["untrained", untrained, "15.3 % of them (inverted signed)"],
    ["of one answer", constant, "10.0 % of them (unit)"],
    ["without a single number", noNumber, "0.0 % of them (unit)"],
  ])("takes x/255 and says so for a model %s", async (_, model, best) => {
    const { chosen, warnings, statement, scored: images } = await tried(model);
    expect(chosen).toEqual(upright("unit"));
    expect(statement).toBe(
      "Pixels as x/255 (unit): no way to feed them is better than chance on 300 of MNIST's training images",
    );
    expect(warnings).toEqual([
      `No way to feed the pixels is better than chance on 300 of MNIST's training images: the best is right on ${best}. The ` +
        "model looks untrained, or made for other data; its pixels are fed as x/255 (unit).",
    ]);
    expect(images).toBeLessThanOrEqual(6_000);
  });

  test("takes a way whose scores are numbers over those that give none", async () => {
    const { chosen, candidates } = await tried(overflowing);
    expect(chosen).toEqual(upright("unit"));
    expect(rate({ candidates }, upright("raw"))).toEqual({
      ...upright("raw"),
      accuracy: 0,
      log_loss: expect.closeTo(-Math.log(1e-12), 9) as number,
      saturated: 0,
      images: 60,
      on: "training images",
    });
  });
});

describe("preflight() takes its word from", () => {
  const stated = { ...upright("raw"), how: "as the model's metadata says" };

  test("the command line before the model's file", async () => {
    const { source, chosen, statement, warnings } = await tried(trainedOn("signed"), {
      asked: { scale: "signed", invert: null },
      stated,
    });
    expect({ source, chosen, warnings }).toEqual({
      source: "option",
      chosen: upright("signed"),
      warnings: [],
    });
    expect(statement).toBe(
      "Pixels as x/127.5 − 1 (signed), as asked: right on 95.3 % of 300 of MNIST's training images, against 83.3 % as raw",
    );
  });

  test("the model's file, without a single trial where that says all", async () => {
    const {
      source,
      chosen,
      statement,
      warnings,
      scored: images,
    } = await tried(trainedOn("unit"), { stated });
    expect({ source, chosen, warnings }).toEqual({ source: "model", chosen: upright("raw"), warnings: [] });
    expect(statement).toBe("Pixels as x (raw), as the model's metadata says");
    expect(images).toBe(0);
  });

  test("the model's file, checked where it says the scale alone", async () => {
    const open = { ...stated, invert: null, transpose: null, how: "as its graph says" };
    const { source, chosen, statement, warnings } = await tried(trainedOn("unit"), { stated: open });
    expect({ source, chosen }).toEqual({ source: "model", chosen: upright("raw") });
    expect(statement).toBe(
      "Pixels as x (raw), as its graph says: right on 84.7 % of 300 of MNIST's training images, against 95.3 % as unit",
    );
    expect(warnings).toEqual([
      "Pixels are fed as x (raw), as its graph says, but on 300 of MNIST's training images unit is right on 95.3 % against 84.7 %: name the right way with --scale or --invert.",
    ]);
    const inverted = await tried(trainedOn("raw", { invert: true }), { stated: open });
    expect(inverted).toMatchObject({ source: "training images", chosen: { scale: "raw", invert: true } });
    expect(inverted.statement).toBe(
      "Pixels as x (inverted raw), as its graph says: right on 93.3 % of 60 of MNIST's training images, against 10.0 % as unit",
    );
  });

  test("images of another data set where the model reads them well", async () => {
    const foreign = [trialImages(sample, TRAINING, true)];
    const own = {
      own: true,
      independent: foreign,
      scored: trialImages(null),
      firstScored: trialImages(null),
    };
    const { source, chosen } = await tried(trainedOn("mnist"), own);
    expect({ source, chosen }).toEqual({ source: "training images", chosen: upright("mnist") });
  });

  test("the scored images where it does not, and says so", async () => {
    const upsideDown = {
      ...scored,
      pixels: scored.pixels.map((_, i) => scored.pixels[i - (i % 784) + 783 - (i % 784)]!),
    };
    const { source, chosen, warnings, statement } = await tried(trainedOn("mnist", { model: ofUpsideDown }), {
      own: true,
      independent: [trialImages(sample, TRAINING, true), trialImages(null)],
      scored: trialImages(upsideDown),
    });
    expect({ source, chosen }).toEqual({ source: "scored images", chosen: upright("mnist") });
    expect(statement).toBe(
      "Pixels as (x/255 − 0.1307)/0.3081 (mnist): right on 86.7 % of 300 of the scored images, against 77.7 % as raw",
    );
    expect(warnings).toEqual([
      "Pixels are fed as (x/255 − 0.1307)/0.3081 (mnist) because that suits the scored images themselves best, so that the numbers flatter the model. Name how it was trained, as with --scale mnist: without that, no gate can be told.",
    ]);
  });

  test("nothing where there are no images", async () => {
    const { preflight, warnings } = await tried(constant, { independent: [], scored: trialImages(first(0)) });
    expect({ preflight, warnings }).toEqual({
      preflight: {
        source: "default",
        chosen: upright("unit"),
        statement: "Pixels as x/255 (unit): there are no labelled images to try other ways on",
        candidates: [],
      },
      warnings: [],
    });
  });
});

/** MNIST at a contrast of 0.3x + 40. */
const shifted = (): Batch => ({ ...scored, pixels: scored.pixels.map((x) => Math.round(0.3 * x + 40)) });

describe("preflight() of images that differ from those that the model was trained on", () => {
  test("chooses nothing on them, and says what another way would make of them", async () => {
    const { source, chosen, statement, warnings, candidates } = await tried(trainedOn("unit"), {
      own: true,
      independent: [trialImages(sample, TRAINING, true)],
      firstScored: trialImages(shifted()),
    });
    expect({ source, chosen }).toEqual({ source: "training images", chosen: upright("unit") });
    expect(statement).toBe(`Pixels as x/255 (unit): right on ${NEXT.unit}`);
    expect(warnings).toEqual([
      "On 300 of the scored images mnist is right on 68.0 % against 31.0 % as unit, which is right on 95.3 % of 300 of MNIST's training images: these images differ from those that the model was trained on. Nothing is chosen on the images that are scored: name it with --scale mnist, if the model was trained so or the images are stored so.",
    ]);
    const looked = candidates.filter(({ on }) => on === "scored images");
    expect(looked[0]).toMatchObject({ ...upright("mnist"), images: 300 });
    expect(looked[0]!.accuracy).toBeGreaterThan(0.6);
  });

  test("does not speak against what was asked for, where the images alone do", async () => {
    const { source, chosen, warnings } = await tried(trainedOn("unit"), {
      own: true,
      asked: { scale: "unit", invert: false },
      independent: [],
      firstScored: trialImages(shifted()),
    });
    expect({ source, chosen }).toEqual({ source: "option", chosen: upright("unit") });
    expect(warnings).toEqual([
      "On 300 of the scored images mnist is right on 68.0 % against 31.0 % as unit, as asked: these images differ from those that the model was trained on, or it is fed wrongly. Nothing is chosen on the images that are scored: name it with --scale mnist, if the model was trained so or the images are stored so.",
    ]);
  });

  test("names --invert where they are inverted, and has them turned where they lie on their side", async () => {
    const inverted = { ...scored, pixels: scored.pixels.map((x) => 255 - x) };
    const onSide = {
      ...scored,
      pixels: scored.pixels.map(
        (_, i) => scored.pixels[i - (i % 784) + ((i % 28) * 28 + Math.floor((i % 784) / 28))]!,
      ),
    };
    const warned = await Promise.all(
      [inverted, onSide].map(async (images) => {
        const { warnings, chosen } = await tried(trainedOn("unit"), {
          own: true,
          stated: { ...upright("unit"), how: "as the model's metadata says" },
          independent: [],
          firstScored: trialImages(images),
        });
        expect(chosen).toEqual(upright("unit"));
        return warnings;
      }),
    );
    expect(warned).toEqual([
      [
        "On 300 of the scored images inverted unit is right on 86.7 % against 1.0 % as unit: these images differ from those that the model was trained on, or it is fed wrongly. Nothing is chosen on the images that are scored: name it with --scale unit --invert, if the model was trained so or the images are stored so.",
      ],
      [
        "On 300 of the scored images transposed unit is right on 86.7 % against 15.0 % as unit: these images differ from those that the model was trained on, or it is fed wrongly. Nothing is chosen on the images that are scored: turn these images, if they are stored on their side.",
      ],
    ]);
  });
});

describe("preflight() with a way that was asked for", () => {
  test("keeps to it and says how much better another is", async () => {
    const { chosen, source, warnings, statement } = await tried(trainedOn("unit"), {
      asked: { scale: "raw", invert: null },
    });
    expect({ chosen, source }).toEqual({ chosen: upright("raw"), source: "option" });
    expect(statement).toBe(
      "Pixels as x (raw), as asked: right on 84.7 % of 300 of MNIST's training images, against 95.3 % as unit",
    );
    expect(warnings).toEqual([
      "--scale raw was asked for, but on 300 of MNIST's training images unit is right on 95.3 % against 84.7 %: leave --scale raw out, unless the model was trained so.",
    ]);
  });

  test("warns of nothing where it is the right one", async () => {
    const { chosen, warnings, statement } = await tried(trainedOn("raw"), {
      asked: { scale: "raw", invert: false },
    });
    expect({ chosen, warnings }).toEqual({ chosen: upright("raw"), warnings: [] });
    expect(statement).toBe(
      "Pixels as x (raw), as asked: right on 93.3 % of 60 of MNIST's training images, against 10.0 % as unit",
    );
  });

  test("knows a scale by its mean and deviation", async () => {
    const { chosen, source, warnings, statement } = await tried(ofOwnScale, {
      asked: { scale: "0.2,0.5", invert: null },
    });
    expect({ chosen, source, warnings }).toEqual({
      chosen: upright("0.2,0.5"),
      source: "option",
      warnings: [],
    });
    expect(statement).toBe(
      "Pixels as (x/255 − 0.2)/0.5 (0.2,0.5), as asked: right on 95.3 % of 300 of MNIST's training images, against 92.7 % as mnist, with a log loss of 0.24 against 0.30 at the best temperature of each",
    );
  });

  test("does not transpose to make up for it by chance", async () => {
    const { chosen, warnings } = await tried(trainedOn("unit", { invert: true }), {
      asked: { scale: null, invert: false },
    });
    expect(chosen).toMatchObject({ invert: false, transpose: false });
    expect(warnings).toEqual([
      "--no-invert was asked for, but on 1,000 of MNIST's training images inverted unit is right on 93.0 % against 0.4 %: leave --no-invert out, unless the model was trained so.",
    ]);
  });

  test("names all that was asked for and is not so", async () => {
    const { chosen, warnings } = await tried(trainedOn("mnist", { invert: true }), {
      asked: { scale: "signed", invert: false },
      labelsOnly: true,
    });
    expect(chosen).toEqual(upright("signed"));
    expect(warnings).toEqual([
      "--scale signed and --no-invert were asked for, but on 300 of MNIST's training images inverted mnist is right on 95.3 % against 0.3 %: leave --scale signed and --no-invert out, unless the model was trained so.",
    ]);
  });

  test("refuses one that the choices do not hold", async () => {
    const choices = CHOICES.filter(({ scale }) => scale === "raw");
    await expect(tried(constant, { choices, asked: { scale: "unit", invert: null } })).rejects.toThrow(
      new RangeError("none of the choices is as the command line wants it"),
    );
  });
});

test("preflight() compares ways on the same images, tries few of them on many, and none twice", async () => {
  const { scored: images, candidates } = await tried(trainedOn("unit"));
  expect(candidates.map((candidate) => candidate.images).toSorted((a, b) => b - a)).toEqual([
    300, 300, 60, 60, 60, 60, 60, 60, 60, 60,
  ]);
  expect(images).toBe(candidates.reduce((sum, candidate) => sum + candidate.images, 0));
});

test("preflight() gives the same twice", async () => {
  const [one, two] = [await tried(trainedOn("mnist")), await tried(trainedOn("mnist"))];
  expect(JSON.stringify(two)).toBe(JSON.stringify(one));
});

test("preflight() asks no more than it may", async () => {
  const limit = { images: 1_000, answers: 2_000 };
  const { chosen, warnings, statement, candidates } = await tried(constant, {
    limit,
    service: true,
    score: scripted({ unit: 0.03, mnist: 0.02 }),
  });
  expect(chosen).toEqual(upright("unit"));
  // 60 of each of ten ways, and up to 1,000 of two that cannot be told apart.
  expect(candidates.map((candidate) => candidate.images).slice(0, 2)).toEqual([1_000, 1_000]);
  expect(statement).toMatch(/; it took 2,480 answers of the service to find out$/);
  expect(warnings).toEqual([]);
});

const leavingOut: PreflightOptions["score"] = async (choice, batch) => {
  const scores = await scorerOf(trainedOn("unit"))(choice, batch);
  const failed = new Map(
    [...batch.indices].flatMap((index, row) => (index % 7 === 0 ? [[row, { reason: "503" }]] : [])),
  );
  return { ...scores, failed };
};

test("preflight() compares ways on images that a service answered for each of them", async () => {
  const independent = [trialImages(rowsOf(sample, [...Array(300).keys()]), TRAINING)];
  const answered = sample.indices.subarray(0, 300).filter((index) => index % 7 !== 0).length;
  const { chosen, candidates } = await tried(constant, { score: leavingOut, independent });
  expect(chosen).toEqual(upright("unit"));
  expect(candidates[0]!.images).toBe(answered);
});

test("preflight() of a model that takes bytes tries their polarity alone", async () => {
  const choices = CHOICES.filter(({ scale }) => scale === "raw");
  const stated = {
    scale: "raw",
    invert: null,
    transpose: null,
    how: "as the model takes whole numbers",
  } as const;
  const {
    chosen,
    warnings,
    statement,
    scored: images,
  } = await tried(trainedOn("raw", { invert: true }), { choices, stated });
  expect({ chosen, warnings }).toEqual({
    chosen: { scale: "raw", invert: true, transpose: false },
    warnings: [],
  });
  expect(statement).toBe(
    "Pixels as x (inverted raw), as the model takes whole numbers: right on 93.3 % of 60 of MNIST's training images, " +
      "against 0.0 % as raw",
  );
  expect(images).toBe(120);
});
