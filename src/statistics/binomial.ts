import type { Interval } from "../types.ts";
import { wilson } from "./wilson.ts";

/**
 * The probability of k successes in n trials of probability p, to about 1e-15 relative for any n: logarithms of factorials
 * alone would lose a digit for each digit of n.
 *
 * Source: C. Loader, Fast and accurate computation of binomial probabilities (2000).
 */
export function binomialPmf(k: number, n: number, p: number): number {
  if (p <= 0) return k === 0 ? 1 : 0;
  if (p >= 1) return k === n ? 1 : 0;
  if (k === 0) return Math.exp(n * Math.log1p(-p));
  if (k === n) return Math.exp(n * Math.log(p));
  const exponent =
    stirlingError(n) -
    stirlingError(k) -
    stirlingError(n - k) -
    deviance(k, n * p) -
    deviance(n - k, n * (1 - p));
  return Math.exp(exponent) * Math.sqrt(n / (2 * Math.PI * k * (n - k)));
}

/** ln n! less Stirling's approximation of it. */
function stirlingError(n: number): number {
  if (n < 16) {
    let factorial = 1;
    for (let i = 2; i <= n; i++) factorial *= i;
    return Math.log(factorial) - (n + 0.5) * Math.log(n) + n - 0.5 * Math.log(2 * Math.PI);
  }
  const square = n * n;
  return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / n;
}

/** x ln(x / mean) + mean − x, which cancels where the two are close: by its series there. */
function deviance(x: number, mean: number): number {
  const difference = x - mean;
  if (Math.abs(difference) >= 0.1 * (x + mean)) return x * Math.log(x / mean) - difference;
  const v = difference / (x + mean);
  let sum = difference * v;
  let term = 2 * x * v;
  for (let j = 1; ; j++) {
    term *= v * v;
    const next = sum + term / (2 * j + 1);
    if (next === sum) return sum;
    sum = next;
  }
}

/** The probability of k or more successes in n trials of probability p: the regularised incomplete beta function I_p(k, n − k + 1). */
export function binomialAtLeast(k: number, n: number, p: number): number {
  if (k <= 0) return 1;
  if (k > n || p <= 0) return 0;
  if (p >= 1) return 1;
  // Each side of the mean by its own tail, which the continued fraction then gives without cancellation.
  if (p < (k + 1) / (n + 3)) return Math.min(1, binomialPmf(k, n, p) * (1 - p) * fraction(k, n - k + 1, p));
  return Math.max(0, 1 - binomialPmf(k - 1, n, p) * p * fraction(n - k + 1, k, 1 - p));
}

/** The probability of k or fewer successes. */
export function binomialAtMost(k: number, n: number, p: number): number {
  return binomialAtLeast(n - k, n, 1 - p);
}

/** Least size of a denominator, so that none is 0. */
const TINY = 1e-300;

function nonzero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}

/**
 * The continued fraction of the incomplete beta function of a and b at x, by Lentz's method.
 *
 * Source: W. Press et al., Numerical Recipes, 3rd edition (2007), 6.4.
 */
function fraction(a: number, b: number, x: number): number {
  let c = 1;
  let d = 1 / nonzero(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; ; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonzero(1 + even * d);
    c = nonzero(1 + even / c);
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonzero(1 + odd * d);
    c = nonzero(1 + odd / c);
    value *= d * c;
    // The number of steps grows with the root of a + b.
    if (Math.abs(d * c - 1) < 1e-16 || m > 1_000_000) return value;
  }
}

/**
 * How probable it is that k is at least so far out, on either side, if each of n trials succeeds with probability p: twice
 * the smaller tail, exactly. Trials of different probabilities with the mean p spread less, so that for them it holds too.
 *
 * Source: W. Hoeffding, On the distribution of the number of successes in independent trials (1956).
 */
export function binomialTest(k: number, n: number, p: number): number {
  return Math.min(1, 2 * Math.min(binomialAtLeast(k, n, p), binomialAtMost(k, n, p)));
}

/**
 * Clopper and Pearson's exact interval of a proportion: it covers with at least its level at every n and p, at levels near
 * 1 too, where Wilson's does not. Null for n = 0.
 *
 * @param simultaneous how many intervals hold together at `level` (Bonferroni): what is picked among so many is allowed for
 * @example clopperPearson(41, 892, { simultaneous: 90 }) // { low: 0.0240…, high: 0.0788…, level: 0.95, … }
 */
export function clopperPearson(
  successes: number,
  n: number,
  { level = 0.95, simultaneous = 1 }: { readonly level?: number; readonly simultaneous?: number } = {},
): Interval | null {
  if (n === 0) return null;
  const tail = (1 - level) / simultaneous / 2;
  return {
    low: lowerBound(successes, n, tail),
    high: 1 - lowerBound(n - successes, n, tail),
    level,
    method: "clopper-pearson",
    ...(simultaneous === 1 ? {} : { simultaneous }),
  };
}

/** The p at which `successes` or more have the probability `tail`: by Newton's steps, halved where one leaves what is known. */
function lowerBound(successes: number, n: number, tail: number): number {
  if (successes === 0) return 0;
  let [low, high] = [0, successes / n];
  let p = Math.min(high, wilson(successes, n, 1 - 2 * tail)!.low);
  for (let round = 0; round < 200; round++) {
    const excess = binomialAtLeast(successes, n, p) - tail;
    if (excess > 0) high = p;
    else low = p;
    const slope = (successes / p) * binomialPmf(successes, n, p);
    const step = p - excess / slope;
    const next = step > low && step < high ? step : (low + high) / 2;
    if (Math.abs(next - p) <= 1e-15 * p) return next;
    p = next;
  }
  return p;
}

/**
 * How probable it is that independent tests, all of whose hypotheses are true, give p-values at least so small together.
 * For p-values of counts, which are larger than uniform ones, it is an upper bound. 1 for none.
 *
 * Source: R. A. Fisher, Statistical Methods for Research Workers, 4th edition (1932), §21.1.
 */
export function fisherCombined(pValues: readonly number[]): number {
  const x = -pValues.reduce((sum, p) => sum + Math.log(p), 0);
  if (x === Infinity) return 0;
  // The upper tail of χ² with 2n degrees of freedom at 2x is that of a Poisson count.
  let term = Math.exp(-x);
  let tail = 0;
  for (let i = 0; i < pValues.length; i++) {
    tail += term;
    term *= x / (i + 1);
  }
  return pValues.length === 0 ? 1 : Math.min(1, tail);
}
