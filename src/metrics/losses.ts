import type { Estimate } from "../types.ts";
import { pointEstimate } from "./intervals.ts";
import { Sums } from "./sums.ts";

const LOG_LOSS = 0;
const BRIER = 1;

/** What the probabilities cost, summed over images. */
export class Losses {
  readonly #sums = new Sums(2);
  #images = 0;

  /** @param probabilities n×classes */
  add(truth: Uint8Array, probabilities: Float64Array, classes: number): void {
    for (let row = 0; row < truth.length; row++) {
      const start = row * classes;
      const actual = start + truth[row]!;
      let brier = 0;
      let sum = 0;
      for (let at = start; at < start + classes; at++) {
        const p = probabilities[at]!;
        const error = at === actual ? 1 - p : p;
        brier += error * error;
        sum += clip(p);
      }
      this.#sums.add(LOG_LOSS, -Math.log(clip(probabilities[actual]!) / sum));
      this.#sums.add(BRIER, brier);
    }
    this.#images += truth.length;
  }

  merge(other: Losses): void {
    this.#sums.merge(other.#sums);
    this.#images += other.#images;
  }

  /**
   * Mean of −ln p of the true class. As scikit-learn 1.2 does, probabilities are clipped to float64's epsilon and each row
   * is divided by its sum, because a larger sum alone would lower the loss.
   */
  logLoss(): Estimate {
    return pointEstimate(this.#sums.value(LOG_LOSS) / this.#images);
  }

  /** Mean over images of the squared errors of the given probabilities, summed over the classes: 0 … 2 where they sum to one. */
  brierScore(): Estimate {
    return pointEstimate(this.#sums.value(BRIER) / this.#images);
  }
}

/** A probability of exactly 0 would cost an infinite loss: it is taken for epsilon, and 1 for 1 − epsilon. */
function clip(p: number): number {
  return p < Number.EPSILON ? Number.EPSILON : p > 1 - Number.EPSILON ? 1 - Number.EPSILON : p;
}
