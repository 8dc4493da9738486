interface Comparison {
  holds(actual: number, expected: number): boolean;
  /** What a reason says of the value, before the number it was compared with. */
  readonly passed: string;
  readonly failed: string;
}

/** Values that differ by no more than this, in units of the larger of 1 and the expected number, count as equal. */
const TOLERANCE = 1e-12;

/**
 * Whether a value counts as the expected number: the mean of ten recalls of 0.8 is 0.7999999999999999 in floating point,
 * and a gate must not fail for the order in which numbers were added.
 */
export function isEqual(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) <= TOLERANCE * Math.max(1, Math.abs(expected));
}

/** How a gate compares a value with the number it asks for. */
export const OPERATORS = {
  ">=": { holds: (a, b) => a >= b || isEqual(a, b), passed: "at least", failed: "below" },
  ">": { holds: (a, b) => a > b && !isEqual(a, b), passed: "above", failed: "not above" },
  "<=": { holds: (a, b) => a <= b || isEqual(a, b), passed: "at most", failed: "above" },
  "<": { holds: (a, b) => a < b && !isEqual(a, b), passed: "below", failed: "not below" },
  "==": { holds: isEqual, passed: "exactly", failed: "not" },
  "!=": { holds: (a, b) => !isEqual(a, b), passed: "not", failed: "exactly" },
} satisfies Record<string, Comparison>;

export type Operator = keyof typeof OPERATORS;
export const OPERATOR_NAMES = Object.keys(OPERATORS) as Operator[];

/** A value beside the number it was compared with, as `0.9204, at least 0.92 as asked`. */
export function comparisonText(actual: number, operator: Operator, expected: number): string {
  const passed = OPERATORS[operator].holds(actual, expected);
  const comparison = `${OPERATORS[operator][passed ? "passed" : "failed"]} ${expected}${passed ? " as asked" : ""}`;
  return isEqual(actual, expected) && actual !== expected
    ? `${actual}, which counts as ${expected} (to 1e-12), ${comparison}`
    : `${digitsApart(actual, expected)}, ${comparison}`;
}

/** The value to six digits, or in full where it would read as the number it was compared with and is not. */
export function digitsApart(actual: number, expected: number): string {
  if (Number.isInteger(actual)) return String(actual);
  const short = Number(actual.toPrecision(6));
  return String(short === expected && !isEqual(actual, expected) ? actual : short);
}
