import { ReportError, messageOf } from "../errors.ts";
import type { Evaluation } from "../types.ts";

const SCHEMA_VERSION = 1;
/** A list of words longer than this stands one a line. */
const LINE = 100;

/**
 * The text of metrics.json: an object or list that holds only plain values is one line, so that a metric, a bin, a
 * matrix row or a curve is, and the large parts come last. Numbers read back as the same double.
 * @throws TypeError where a number is NaN or infinite: an undefined metric is null.
 */
export function metricsJson(evaluation: Evaluation): string {
  const { calibration, confidence, curves, examples, ...rest } = evaluation;
  return `${pretty({ ...rest, calibration, confidence, curves, examples }, "", "")}\n`;
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

/**
 * Reads metrics.json back. Checks the version and the parts that charts and reports rely on; the JSON Schema beside
 * this file says all.
 * @param path names the file in messages.
 * @throws ReportError where the file is not JSON, of another version, or incomplete.
 */
export function readEvaluation(text: string, path = "metrics.json"): Evaluation {
  const value = parse(text, path);
  const version = isRecord(value) ? value["schemaVersion"] : undefined;
  if (!isRecord(value) || version === undefined) {
    throw new ReportError(
      `${path} is not the metrics.json of an evaluation: it has no schemaVersion; name the folder or file of a finished run`,
    );
  }
  if (version !== SCHEMA_VERSION) {
    throw new ReportError(
      `${path} has schemaVersion ${JSON.stringify(version)} and this release reads ${SCHEMA_VERSION}: read it with the release that wrote it, or run the evaluation again`,
    );
  }
  const wrong = firstWrong(value);
  if (wrong !== null)
    throw new ReportError(`${path} is damaged: ${wrong}; restore the file or run the evaluation again`);
  return value as unknown as Evaluation;
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new ReportError(
      `${path} is not valid JSON (${messageOf(error)}): it was cut off or edited; run the evaluation again`,
      { cause: error },
    );
  }
}

type Check = readonly [name: string, expected: string, holds: (value: unknown) => boolean];

const CHECKS: readonly Check[] = [
  ["createdAt", "a time", (value) => typeof value === "string"],
  ["dataset", "an object with name, images and a list of classes", isDataset],
  [
    "scorer",
    "an object with name and preprocessing",
    (v) => hasText(v, "name") && hasRecord(v, "preprocessing"),
  ],
  ["preflight", "an object with chosen, statement and a list of candidates, or null", isPreflight],
  ["imagesPerSecond", "a number, or null", (v) => v === null || typeof v === "number"],
  ["confusionMatrix", "a list of rows of counts", isMatrix],
  ["metrics", "an object of {value, interval}", (v) => isRecord(v) && Object.values(v).every(isEstimate)],
  ["perClass", "a list of objects", isRecords],
  ["topConfusions", "a list of objects", isRecords],
  ["gates", "a list of objects", isRecords],
  ["warnings", "a list of texts", isTexts],
  ["failures", "an object with count and images", (v) => hasCount(v, "count") && isRecords(v["images"])],
  ["calibration", "an object with bins, or null", (v) => v === null || (isRecord(v) && isRecords(v["bins"]))],
  ["confidence", "an object with bins, or null", (v) => v === null || (isRecord(v) && isRecords(v["bins"]))],
  [
    "curves",
    "an object with classes, or null",
    (v) => v === null || (isRecord(v) && isRecords(v["classes"])),
  ],
  [
    "examples",
    "an object of lists",
    (v) => isRecord(v) && isRecords(v["sample"]) && isRecords(v["mistakes"]),
  ],
];

function firstWrong(value: Readonly<Record<string, unknown>>): string | null {
  for (const [name, expected, holds] of CHECKS) {
    if (!(name in value)) return `it has no ${name}`;
    if (!holds(value[name])) return `${name} is not ${expected}`;
  }
  const { dataset, confusionMatrix, perClass } = value as unknown as Evaluation;
  const k = dataset.classes.length;
  if (confusionMatrix.length !== k || confusionMatrix.some((row) => row.length !== k)) {
    return `confusionMatrix is not ${k} × ${k}, as the ${k} classes in dataset need`;
  }
  if (perClass.length !== k) return `perClass has ${perClass.length} entries for ${k} classes`;
  const sum = confusionMatrix.flat().reduce((total, cell) => total + cell, 0);
  if (sum === dataset.images) return null;
  return `confusionMatrix holds ${sum} images and dataset.images says ${dataset.images}`;
}

type Fields = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function isRecords(value: unknown): boolean {
  return Array.isArray(value) && value.every(isRecord);
}
function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
function isMatrix(value: unknown): boolean {
  return Array.isArray(value) && value.every((row) => Array.isArray(row) && row.every(isCount));
}
function isEstimate(value: unknown): boolean {
  return (
    isRecord(value) && (value["value"] === null || typeof value["value"] === "number") && "interval" in value
  );
}
function hasText(value: unknown, name: string): value is Fields {
  return isRecord(value) && typeof value[name] === "string";
}
function hasCount(value: unknown, name: string): value is Fields {
  return isRecord(value) && isCount(value[name]);
}
function hasRecord(value: unknown, name: string): value is Fields {
  return isRecord(value) && isRecord(value[name]);
}
function isPreflight(value: unknown): boolean {
  return (
    value === null ||
    (hasRecord(value, "chosen") && hasText(value, "statement") && isRecords(value["candidates"]))
  );
}
function isDataset(value: unknown): boolean {
  return hasText(value, "name") && hasCount(value, "images") && isTexts(value["classes"]);
}
