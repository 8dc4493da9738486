/** Counts stay whole below 2^53: limbs of 2^24 leave room for 2^29 terms. */
const LIMB = 2 ** 24;
const LIMBS = 4;

/**
 * Several running sums of numbers in 0 … 2^24 that do not depend on the order of their terms: shards merged in any
 * order, and batches of any size, give the same bytes. Each term is cut off at a multiple of 2^-72 and kept as whole
 * numbers, whose additions are exact for up to 2^29 terms; the error is below 2^-72 a term.
 */
export class Sums {
  /** count×4: of each sum the whole part and three digits in base 2^24. */
  readonly #limbs: Float64Array;

  constructor(count: number) {
    this.#limbs = new Float64Array(count * LIMBS);
  }

  add(index: number, term: number): void {
    const limbs = this.#limbs;
    const end = (index + 1) * LIMBS;
    let rest = term;
    for (let limb = index * LIMBS; limb < end; limb++) {
      const whole = Math.floor(rest);
      limbs[limb]! += whole;
      rest = (rest - whole) * LIMB;
    }
  }

  merge(other: Sums): void {
    addInto(this.#limbs, other.#limbs);
  }

  value(index: number): number {
    let sum = 0;
    for (let limb = LIMBS - 1; limb >= 0; limb--) sum = sum / LIMB + this.#limbs[index * LIMBS + limb]!;
    return sum;
  }
}

/** Adds `from` to `into`, element by element. */
export function addInto<T extends Float64Array | Uint32Array>(into: T, from: T): void {
  for (let i = 0; i < into.length; i++) into[i]! += from[i]!;
}
