/**
 * How a class's images come in when the threshold on its score falls from above the highest score to the lowest: the
 * positives (images of the class) and negatives that share each threshold, which is all that curves and areas need.
 * Negatives between two thresholds of positives are one step, because nothing but their number matters.
 */
export interface Steps {
  readonly length: number;
  /** length: positives of each step, highest score first. */
  readonly positives: Uint32Array;
  /** length: negatives of each step. */
  readonly negatives: Uint32Array;
  /** length: 1 where the order of the step's images is not known; null where no step is so. */
  readonly blurred: Uint8Array | null;
}

/**
 * The steps of every score kept.
 *
 * @param positives sorted, lowest first
 * @param negatives in any order: how many lie between two positives is all that matters, and searching costs less than
 * sorting them
 */
export function stepsOfScores(positives: Float64Array, negatives: Float64Array): Steps {
  /** At i, negatives between positives i − 1 and i. */
  const between = new Uint32Array(positives.length + 1);
  /** At i, negatives equal to positive i, the last of its equals. */
  const tied = new Uint32Array(positives.length);
  for (let n = 0; n < negatives.length; n++) {
    const score = negatives[n]!;
    const i = countUpTo(positives, score);
    if (i > 0 && positives[i - 1] === score) tied[i - 1]! += 1;
    else between[i]! += 1;
  }
  const steps = new StepList(2 * positives.length + 1, false);
  for (let p = positives.length; p > 0;) {
    steps.push(0, between[p]!, 0);
    const last = p - 1;
    while (p > 0 && positives[p - 1] === positives[last]) p--;
    steps.push(last + 1 - p, tied[last]!, 0);
  }
  steps.push(0, between[0]!, 0);
  return steps;
}

/** How many of the sorted numbers are not above the limit. */
function countUpTo(sorted: Float64Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The steps of images counted into bins of ascending score.
 *
 * @param counts bins×2: negatives and positives; the first and the last bin hold one score each
 */
export function stepsOfBins(counts: Uint32Array): Steps {
  const bins = counts.length / 2;
  const steps = new StepList(bins, true);
  let waiting = 0;
  for (let bin = bins - 1; bin >= 0; bin--) {
    const negatives = counts[2 * bin]!;
    const positives = counts[2 * bin + 1]!;
    if (positives === 0) {
      waiting += negatives;
      continue;
    }
    steps.push(0, waiting, 0);
    waiting = 0;
    steps.push(positives, negatives, bin === 0 || bin === bins - 1 ? 0 : 1);
  }
  steps.push(0, waiting, 0);
  return steps;
}

class StepList implements Steps {
  length = 0;
  readonly positives: Uint32Array;
  readonly negatives: Uint32Array;
  readonly blurred: Uint8Array | null;

  constructor(capacity: number, blurs: boolean) {
    this.positives = new Uint32Array(capacity);
    this.negatives = new Uint32Array(capacity);
    this.blurred = blurs ? new Uint8Array(capacity) : null;
  }

  /** Leaves out a step without images. */
  push(positives: number, negatives: number, blurred: 0 | 1): void {
    if (positives + negatives === 0) return;
    this.positives[this.length] = positives;
    this.negatives[this.length] = negatives;
    if (this.blurred) this.blurred[this.length] = blurred;
    this.length += 1;
  }
}
