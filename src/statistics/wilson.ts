import type { Interval } from "../types.ts";

/**
 * Wilson's score interval of a proportion, without continuity correction: it stays within 0 … 1 and is no point at 0
 * or n successes. Images are taken as independent; null for n = 0.
 *
 * Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference (1927).
 *
 * @example wilson(9204, 10_000) // { low: 0.9149…, high: 0.9255…, level: 0.95, method: "wilson" }
 */
export function wilson(successes: number, n: number, level = 0.95): Interval | null {
  if (n === 0) return null;
  const z = normalQuantile((1 + level) / 2);
  const failures = n - successes;
  const half = z * Math.sqrt((successes * failures) / n + (z * z) / 4);
  return {
    // At the ends the formula gives 0 and 1 up to rounding: they are exact.
    low: successes === 0 ? 0 : (successes + (z * z) / 2 - half) / (n + z * z),
    high: failures === 0 ? 1 : (successes + (z * z) / 2 + half) / (n + z * z),
    level,
    method: "wilson",
  };
}

/** Coefficients from the highest power to the constant, rounded to doubles. */
type Polynomial = readonly number[];

const CENTRAL: readonly [Polynomial, Polynomial] = [
  [
    2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946,
    1971.5909503065513, 133.14166789178438, 3.3871328727963665,
  ],
  [
    5226.495278852546, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751,
    687.1870074920579, 42.31333070160091, 1,
  ],
];
const TAIL: readonly [Polynomial, Polynomial] = [
  [
    0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
    5.769497221460691, 4.630337846156546, 1.4234371107496835,
  ],
  [
    1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
    1.6763848301838038, 2.053191626637759, 1,
  ],
];
const FAR_TAIL: readonly [Polynomial, Polynomial] = [
  [
    2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124,
    0.29656057182850487, 1.7848265399172913, 5.463784911164114, 6.657904643501103,
  ],
  [
    2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133,
    0.014875361290850615, 0.1369298809227358, 0.599832206555888, 1,
  ],
];

/**
 * The standard normal quantile, to about 1e-16 relative.
 *
 * Source: M. J. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988).
 *
 * @param probability between 0 and 1, both excluded
 */
export function normalQuantile(probability: number): number {
  const q = probability - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(CENTRAL, 0.180625 - q * q);
  const r = Math.sqrt(-Math.log(q < 0 ? probability : 1 - probability));
  return Math.sign(q) * (r <= 5 ? ratio(TAIL, r - 1.6) : ratio(FAR_TAIL, r - 5));
}

function ratio([numerator, denominator]: readonly [Polynomial, Polynomial], x: number): number {
  return evaluate(numerator, x) / evaluate(denominator, x);
}

function evaluate(polynomial: Polynomial, x: number): number {
  return polynomial.reduce((sum, coefficient) => sum * x + coefficient, 0);
}
