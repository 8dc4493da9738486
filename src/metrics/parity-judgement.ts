import type { Parity } from "../types.ts";

/** What tells rounding from a real difference. */
export interface Differences {
  readonly images: number;
  /** Images with different predictions. */
  readonly differing: number;
  /** Largest absolute difference of a probability, null where either side gives labels only. */
  readonly largest: number | null;
  /** Sum of all absolute differences. */
  readonly sum: number;
  /**
   * Largest gap, over the images with different predictions, between the probabilities of the two predictions, as the
   * side that has probabilities gives them; null where neither has.
   */
  readonly gap: number | null;
}

/** A precision in which a service may compute, and how far its probabilities are then off. */
export interface Precision {
  readonly name: "float32" | "float16" | "bfloat16" | "8-bit";
  readonly largest: number;
}

export interface Judgement {
  readonly verdict: Parity["verdict"];
  /** The finest precision that explains the differences; null where none is needed, does, or can be told. */
  readonly precision: Precision["name"] | null;
}

/**
 * Largest differences of models whose weights were rounded, over t10k: five networks and regressions gave at most
 * 2.9e-3 in float16, 1.6e-2 in bfloat16, and 0.15 in 8 bits with one scale a tensor. float32 in another order of its
 * sums gives 1e-6; TF32 rounds as float16 does.
 */
const PRECISIONS: readonly Precision[] = [
  { name: "float32", largest: 1e-5 },
  { name: "float16", largest: 5e-3 },
  { name: "bfloat16", largest: 2.5e-2 },
  { name: "8-bit", largest: 0.15 },
];

/** Differences an image, summed over its classes: 8-bit weights gave at most 0.019, another model at least 0.03. */
const MOST_OF_AN_IMAGE = 0.025;
/** Rounding is everywhere: the largest difference was at most 1,250 times the mean over an image's classes. */
const MOST_TIMES_THE_MEAN = 2_000;
/** Share of labels that rounding changes: 8-bit weights changed 0.6 %, a wrong scale 0.3 % to 80 %. */
const MOST_CHANGED = 0.01;
/** The same where neither side has probabilities to tell a near tie by. */
const MOST_CHANGED_UNSEEN = 0.001;
/** A near tie: 8-bit weights changed labels with a gap of 0.21, wrong scales with 0.6 and more. */
const NEAR_TIE = 0.25;

const SKEW: Judgement = { verdict: "skew", precision: null };

/** Whether endpoint and model are the same, the same but for rounding, or really different. */
export function judge(differences: Differences): Judgement {
  const { images, differing, largest, gap } = differences;
  if (images === 0) return SKEW;
  if (largest === null) return { verdict: judgeLabels(images, differing, gap), precision: null };
  const precision = PRECISIONS.find((each) => largest <= each.largest)?.name ?? null;
  if (precision === null || !isFew(differing, images, MOST_CHANGED)) return SKEW;
  if (precision === "float32") {
    const verdict = differing === 0 ? "identical" : "rounding";
    return { verdict, precision: largest === 0 ? null : precision };
  }
  return isEverywhere(differences, largest) ? { verdict: "rounding", precision } : SKEW;
}

function judgeLabels(images: number, differing: number, gap: number | null): Parity["verdict"] {
  if (differing === 0) return "identical";
  // A model that was trained a little further changes as few labels, and near ties, as rounding does.
  if (gap === null) return isFew(differing, images, MOST_CHANGED_UNSEEN) ? "untold" : "skew";
  return gap <= NEAR_TIE && isFew(differing, images, MOST_CHANGED) ? "untold" : "skew";
}

/** Small for every image, and not nothing but for a few. */
function isEverywhere({ images, sum }: Differences, largest: number): boolean {
  const mean = sum / images;
  return mean <= MOST_OF_AN_IMAGE && largest <= MOST_TIMES_THE_MEAN * mean;
}

/** One image is no share of few. */
function isFew(differing: number, images: number, share: number): boolean {
  return differing <= Math.max(1, share * images);
}
