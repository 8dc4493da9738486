/** Images as numbers, of any scale. */
export interface Images {
  readonly n: number;
  /** n × the product of the row's shape. */
  readonly values: Float64Array;
}

/** Numbers of an array in an array, as numpy would see them. */
export interface Nested {
  readonly shape: readonly number[];
  readonly values: Float64Array;
  /** True where one of them is null or NaN. */
  readonly missing: boolean;
}

/** What is wrong with a request's numbers; how it is said differs by server. */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly kind: "not-list" | "ragged" | "strings" | "shape" | "missing" | "empty";
  /** As far as it was read. */
  readonly shape: readonly number[];

  constructor(kind: InputError["kind"], shape: readonly number[] = [], message: string = kind) {
    super(message);
    this.kind = kind;
    this.shape = shape;
  }
}

/** @throws InputError where the arrays are of different lengths or hold something else than numbers */
export function readNested(nested: unknown): Nested {
  const shape = shapeOf(nested);
  if (shape.length === 0 && typeof nested !== "number") throw new InputError("not-list");
  const values = new Float64Array(shape.reduce((size, length) => size * length, 1));
  const filled = fill(nested, shape, 0, values, 0);
  return { shape, values, missing: filled.missing };
}

function shapeOf(nested: unknown): number[] {
  const shape: number[] = [];
  for (let level = nested; Array.isArray(level); level = level[0]) shape.push(level.length);
  return shape;
}

function fill(
  nested: unknown,
  shape: readonly number[],
  level: number,
  values: Float64Array,
  start: number,
): { end: number; missing: boolean } {
  if (!Array.isArray(nested) || nested.length !== shape[level]) {
    throw new InputError("ragged", shape.slice(0, Math.max(level, 1)));
  }
  let missing = false;
  let end = start;
  if (level < shape.length - 1) {
    for (const inner of nested as unknown[]) {
      const filled = fill(inner, shape, level + 1, values, end);
      end = filled.end;
      missing ||= filled.missing;
    }
    return { end, missing };
  }
  for (let i = 0; i < nested.length; i++) {
    const value: unknown = nested[i];
    if (typeof value === "number") values[end++] = value;
    else {
      values[end++] = readOther(value, shape);
      missing ||= value === null;
    }
  }
  return { end, missing };
}

/** What numpy makes of an element that is no number when it is asked for floats. */
function readOther(value: unknown, shape: readonly number[]): number {
  if (value === null) return NaN;
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "string") {
    const number = Number(value);
    if (value.trim() === "" || Number.isNaN(number)) {
      throw new InputError("strings", shape, `could not convert string to float: '${value}'`);
    }
    return number;
  }
  throw new InputError("ragged", shape);
}

/**
 * The images of a nested array of n rows.
 *
 * @throws InputError
 */
export function imagesOf(nested: Nested, rowShape: readonly number[]): Images {
  const [n = 0, ...row] = nested.shape;
  if (nested.shape.length === 1 && n === 0) throw new InputError("empty", nested.shape);
  if (row.length !== rowShape.length || row.some((length, i) => length !== rowShape[i])) {
    throw new InputError("shape", nested.shape);
  }
  if (n === 0) throw new InputError("empty", nested.shape);
  if (nested.missing) throw new InputError("missing", nested.shape);
  return { n, values: nested.values };
}
