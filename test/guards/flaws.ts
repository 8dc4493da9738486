/** What goes wrong in how a model is used, made on purpose, and which guard is to say so. */
import type { GuardName } from "../../src/metrics/guards.ts";
import { seededRandom } from "../../src/random.ts";
import { CLASSES, type Feed, logitsOf, type Inked, type Model, softmax, UNIT } from "./models.ts";

/** Scores beside the truth: all that a guard sees. */
export interface Answers {
  readonly truth: Uint8Array;
  /** n×10 */
  readonly probabilities: Float64Array;
  /** Where the model says its labels itself; absent: the class of the largest score. */
  readonly predicted?: Uint8Array;
}

/** The classes of the largest scores. */
export function predictedBy(probabilities: Float64Array): Uint8Array {
  return Uint8Array.from({ length: probabilities.length / CLASSES }, (_, row) => {
    const scores = probabilities.subarray(row * CLASSES, (row + 1) * CLASSES);
    return scores.indexOf(Math.max(...scores));
  });
}

export function answers(images: Inked, logits: Float64Array, power = 1): Answers {
  const probabilities = new Float64Array(logits.length);
  for (let at = 0; at < logits.length; at += CLASSES) {
    const row = softmax(logits.slice(at, at + CLASSES).map((logit) => Math.fround(power * logit)));
    probabilities.set(row.map(Math.fround), at);
  }
  return { truth: images.labels, probabilities };
}

/** Some of the images. */
export function some(
  { truth, probabilities }: Answers,
  chosen: (label: number, row: number) => boolean,
): Answers {
  const rows = [...truth.keys()].filter((row) => chosen(truth[row]!, row));
  return {
    truth: Uint8Array.from(rows, (row) => truth[row]!),
    probabilities: Float64Array.from(
      rows.flatMap((row) => [...probabilities.subarray(row * CLASSES, (row + 1) * CLASSES)]),
    ),
  };
}

/** A share of the labels is any class. */
export function noisy({ truth, probabilities }: Answers, share: number): Answers {
  const random = seededRandom(11);
  return {
    probabilities,
    truth: truth.map((label) => (random.below(1_000) < 1_000 * share ? random.below(CLASSES) : label)),
  };
}

/** Column c of the model's answers stands in column `order[c]`. */
function reordered({ truth, probabilities }: Answers, order: readonly number[]): Answers {
  return {
    truth,
    probabilities: probabilities.map((_, at) => probabilities[at - (at % CLASSES) + order[at % CLASSES]!]!),
  };
}

/** What is given to a flaw: a sound model's answers, and the means to ask it again. */
export interface Given {
  readonly model: Model;
  readonly images: Inked;
  readonly sound: Answers;
  /** A model of the same kind that has not seen an 8, and one that was not trained. */
  readonly withoutEight: Model;
  readonly untrained: Model;
}

interface Flaw {
  readonly guard: GuardName;
  readonly make: (given: Given) => Answers;
}

const fed =
  (feed: Feed) =>
  ({ model, images }: Given) =>
    answers(images, logitsOf(model, images, feed));
const SWAPPED = [0, 1, 2, 3, 9, 5, 6, 7, 8, 4];
const SHUFFLED = [3, 0, 8, 1, 9, 2, 4, 7, 5, 6];

export const FLAWS: Readonly<Record<string, Flaw>> = {
  "pixels fed as 0–255 to a model of 0–1": { guard: "saturated", make: fed({ slope: 255, offset: 0 }) },
  "logits 400 times too large": {
    guard: "saturated",
    make: ({ images, model }) => answers(images, logitsOf(model, images), 400),
  },
  "its own labels beside scores of another order": {
    guard: "no probabilities",
    make: ({ sound }) => ({ ...reordered(sound, SHUFFLED), predicted: predictedBy(sound.probabilities) }),
  },
  "softmax applied twice": {
    guard: "softmax twice",
    make: ({ images, sound }) => answers(images, sound.probabilities),
  },
  "pixels multiplied by 0": { guard: "all alike", make: fed({ slope: 0, offset: 0 }) },
  "a bias that drowns the pixels": {
    guard: "one class",
    make: ({ images, model }) => {
      const logits = logitsOf(model, images);
      return answers(
        images,
        logits.map((logit, at) => (at % CLASSES === 3 ? logit + 12 : logit)),
      );
    },
  },
  "two classes in each other's place": {
    guard: "other order",
    make: ({ sound }) => reordered(sound, SWAPPED),
  },
  "all classes in another order": { guard: "other order", make: ({ sound }) => reordered(sound, SHUFFLED) },
  "random weights": {
    guard: "at chance",
    make: ({ images, untrained }) => answers(images, logitsOf(untrained, images)),
  },
  "labels of other images": { guard: "at chance", make: ({ sound }) => noisy(sound, 1) },
  "trained without the 8": {
    guard: "never predicted",
    make: ({ images, withoutEight }) => answers(images, logitsOf(withoutEight, images)),
  },
  "data without the 8": {
    guard: "class without images",
    make: ({ sound }) => some(sound, (label) => label !== 8),
  },
};

/** What no guard is there for: how pixels are fed is tried before scoring. */
export const UNGUARDED: Readonly<Record<string, (given: Given) => Answers>> = {
  "pixels by MNIST's mean and deviation": fed({ slope: 1 / 0.3081, offset: -0.1307 / 0.3081 }),
  "pixels in −1 … 1": fed({ slope: 2, offset: -1 }),
  "pixels 255 times too small": fed({ slope: 1 / 255, offset: 0 }),
  "inverted pixels": fed({ slope: -1, offset: 1 }),
  "rows and columns exchanged": fed({ ...UNIT, transpose: true }),
};

/** Sound models on data that is odd. */
export const ODD_DATA: Readonly<Record<string, (sound: Answers) => Answers>> = {
  "200 images": (sound) => some(sound, (_, row) => row < 200),
  "20 images": (sound) => some(sound, (_, row) => row < 20),
  "images of one class": (sound) => some(sound, (label) => label === 1),
  "198 images of one class, 2 of another": (sound) => {
    const left = [0, 198, 0, 0, 0, 0, 0, 2, 0, 0];
    return some(sound, (label) => left[label]!-- > 0);
  },
  "one class in ten as frequent": (sound) => some(sound, (label, row) => label !== 5 || row % 10 === 0),
  "20 % of the labels random": (sound) => noisy(sound, 0.2),
  "40 % of the labels random": (sound) => noisy(sound, 0.4),
  "60 % of the labels random": (sound) => noisy(sound, 0.6),
};
