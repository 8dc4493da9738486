import { grouped } from "../grouped.ts";
import type { Repeatability, ScoredBatch } from "../types.ts";
import { createParityTally } from "./parity.ts";
import { figure } from "./parity-wording.ts";

/**
 * Compares what a service answered with what it answers to the same images later. Rounding is told from real differences
 * as between a service and a model: the images stand in requests with others, and numbers may differ a little for it.
 *
 * @param classes k class names @param shape [height, width] of the images
 * @throws RangeError where the two do not hold the same images in the same order
 */
export function repeatability(
  first: ScoredBatch,
  again: ScoredBatch,
  classes: readonly string[],
  shape: readonly [number, number],
): Repeatability {
  const tally = createParityTally(classes, shape);
  tally.add(first, again);
  const { images, agreeing } = tally.counts();
  const differing = images - agreeing;
  const maxDifference = tally.largestDifference();
  const repeatable = tally.judgement().verdict !== "skew";
  return {
    images,
    differing,
    maxDifference,
    repeatable,
    statement: statementOf(images, differing, maxDifference),
  };
}

function statementOf(images: number, differing: number, maxDifference: number | null): string {
  const asked = images === 1 ? "the only image" : `${grouped(images)} images`;
  const apart = maxDifference === null ? "" : `; a probability differed by up to ${figure(maxDifference)}`;
  if (differing > 0) {
    const some = images === 1 ? asked : `${grouped(differing)} of ${asked}`;
    return `The service answered ${some} differently when it was asked again${apart}`;
  }
  const same = `The service gave ${asked} the same classes when it was asked again`;
  return maxDifference === 0 ? `${same}, with the same probabilities` : `${same}${apart}`;
}

/** What a reader must know before believing the numbers; null where the answers repeat. */
export function repeatabilityWarning({ repeatable, statement }: Repeatability): string | null {
  if (repeatable) return null;
  return `${statement}: its answers do not repeat, so that another run would give other numbers. Is part of it random, or are there several models behind the URL?`;
}
