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

/** The steps of scores in ascending order. */
export function stepsOfScores(positives: Float64Array, negatives: Float64Array): Steps {
  const steps = new StepList(2 * positives.length + 1, false);
  let p = positives.length - 1;
  let n = negatives.length - 1;
  while (p >= 0) {
    const threshold = positives[p]!;
    const above = n;
    while (n >= 0 && negatives[n]! > threshold) n--;
    steps.push(0, above - n, 0);
    const tiedPositives = p;
    while (p >= 0 && positives[p] === threshold) p--;
    const tiedNegatives = n;
    while (n >= 0 && negatives[n] === threshold) n--;
    steps.push(tiedPositives - p, tiedNegatives - n, 0);
  }
  steps.push(0, n + 1, 0);
  return steps;
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
