import { visibleJson } from "../text/visible.ts";
import type { Evaluation } from "../types.ts";

/** A list of words longer than this stands one a line. */
const LINE = 100;

/**
 * The text of metrics.json: an object or list that holds only plain values is one line, so that a metric, a bin, a
 * matrix row or a curve is, and the large parts come last. Numbers read back as the same double.
 * @throws TypeError where a number is NaN or infinite: an undefined metric is null.
 */
export function metricsJson(evaluation: Evaluation): string {
  const { calibration, confidence, curves, examples, ...rest } = evaluation;
  return visibleJson(`${pretty({ ...rest, calibration, confidence, curves, examples }, "", "")}\n`);
}

function pretty(value: unknown, indent: string, path: string): string {
  if (typeof value !== "object" || value === null) return plain(value, path);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const line = oneLine(items, path);
    if (line !== null && (line.length <= LINE || !items.some((item) => typeof item === "string")))
      return line;
    return `[\n${items.map((item, i) => inner + pretty(item, inner, `${path}[${i}]`)).join(",\n")}\n${indent}]`;
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const line = path === "" ? null : objectLine(entries, path);
  if (line !== null) return line;
  const lines = entries.map(
    ([key, item]) => `${inner}${JSON.stringify(key)}: ${pretty(item, inner, join(path, key))}`,
  );
  return `{\n${lines.join(",\n")}\n${indent}}`;
}

function oneLine(items: readonly unknown[], path: string): string | null {
  if (items.some((item) => typeof item === "object" && item !== null)) return null;
  return `[${items.map((item, i) => plain(item, `${path}[${i}]`)).join(", ")}]`;
}

/** An interval belongs to its number: the two stand on one line. */
function objectLine(entries: readonly [string, unknown][], path: string): string | null {
  const parts: string[] = [];
  for (const [key, item] of entries) {
    const nested = typeof item === "object" && item !== null;
    if (nested && key !== "interval") return null;
    const text = nested ? objectLine(Object.entries(item), join(path, key)) : plain(item, join(path, key));
    if (text === null) return null;
    parts.push(`${JSON.stringify(key)}: ${text}`);
  }
  return parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`;
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function plain(value: unknown, path: string): string {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new TypeError(`${path} is ${value}, which JSON cannot hold: an undefined number must be null`);
  }
  return JSON.stringify(value);
}
