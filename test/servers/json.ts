/** How a server writes numbers. */
export interface Writing {
  /** Between elements. */
  readonly separator: string;
  readonly float: (value: number) => string;
}

/** Python's json.dumps: `[0.1, 1e-05, NaN]`. */
export const PYTHON: Writing = { separator: ", ", float: pythonFloat };
/** orjson, as FastAPI servers use it: no space, null for what JSON has no word for. */
export const ORJSON: Writing = {
  separator: ",",
  float: (value) => (Number.isFinite(value) ? withPoint(String(value)) : "null"),
};

function withPoint(text: string): string {
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-4) {
    return value.toExponential().replace(/e-(\d)$/, "e-0$1");
  }
  return withPoint(String(value));
}

/** An int as it is; NaN as the server writes floats, because a list with a NaN in it holds floats. */
export function writeInts(values: Float64Array, { separator, float }: Writing): string {
  const parts: string[] = [];
  const floats = values.some(Number.isNaN);
  for (const value of values) parts.push(floats ? float(value) : String(value));
  return parts.join(separator);
}

export function writeFloats(values: Float64Array, { separator, float }: Writing): string {
  const parts: string[] = [];
  for (const value of values) parts.push(float(value));
  return parts.join(separator);
}

/** Rows of k as `[…], […]`. */
export function writeRows(values: Float64Array, k: number, writing: Writing): string {
  const rows: string[] = [];
  for (let start = 0; start < values.length; start += k) {
    rows.push(`[${writeFloats(values.subarray(start, start + k), writing)}]`);
  }
  return rows.join(writing.separator);
}

/** Where and why a text is no JSON. */
export class JsonError extends Error {
  override readonly name = "JsonError";
  /** Characters before it. */
  readonly position: number;

  constructor(position: number) {
    super(`not JSON at ${position}`);
    this.position = position;
  }

  /** As Python's json module says it. */
  python(): string {
    return `Expecting value: line 1 column ${this.position + 1} (char ${this.position})`;
  }
}

const NAN_TOKEN = /(?<=[[,:\s])(?:NaN|-?Infinity)(?=[\],}\s])/;
const NAN_TOKENS = new RegExp(NAN_TOKEN, "g");

/** JSON, and where `tokens` NaN and Infinity, too, which come as null. @throws JsonError */
export function parseJson(text: string, tokens: boolean): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const replaced = tokens ? text.replace(NAN_TOKENS, "null") : text;
    if (replaced !== text) return parseJson(replaced, false);
    throw new JsonError(positionIn(text, String(error)));
  }
}

/** Where it goes wrong: V8 does not always say. */
function positionIn(text: string, message: string): number {
  const said = /position (\d+)/.exec(message)?.[1];
  if (said !== undefined) return Number(said);
  const token = text.search(NAN_TOKEN);
  if (token >= 0) return token;
  return /^\s*[{["\d-]/.test(text) ? text.length : 0;
}

/** An object, null where the value is something else. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}
