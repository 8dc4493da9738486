import { ReplyError, type Answer, type Values } from "./protocol.ts";
import { quoted } from "./text.ts";

const MOST_DIMENSIONS = 8;

export type Fields = Readonly<Record<string, unknown>>;

export function isObject(json: unknown): json is Fields {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Numbers that JSON has no token for, as some services write them. */
const NUMBER_WORDS: Readonly<Record<string, number>> = { NaN, Infinity, "-Infinity": -Infinity };

/**
 * Nested lists as one table.
 *
 * @throws ReplyError where they are no table of numbers or of texts
 */
export function valuesOf(json: unknown): Values {
  const list = Array.isArray(json) ? json : [json];
  const dims: number[] = [];
  for (let node: unknown = list; Array.isArray(node); node = node[0]) {
    dims.push(node.length);
    if (dims.length > MOST_DIMENSIONS) {
      throw new ReplyError(`the reply's lists are nested more than ${MOST_DIMENSIONS} deep`);
    }
  }
  checkShape(list, dims, 0);
  const numbers = new Float64Array(dims.reduce((size, n) => size * n, 1));
  if (fillNumbers(list, numbers, dims.length, 0) >= 0) return numeric(dims, numbers);
  return { type: "string", dims, data: (list.flat(dims.length - 1) as unknown[]).map(textValue) };
}

/** Before memory is set aside: one long row among short ones would ask for more than there is. */
function checkShape(list: readonly unknown[], dims: readonly number[], level: number): void {
  if (list.length !== dims[level]) throw ragged();
  for (const node of list) {
    if (Array.isArray(node) !== level < dims.length - 1) throw ragged();
    if (Array.isArray(node)) checkShape(node, dims, level + 1);
  }
}

const ragged = (): ReplyError => new ReplyError("the reply's lists are of different lengths");

/** How far `data` is filled now; -1 where texts are among the numbers. */
function fillNumbers(list: readonly unknown[], data: Float64Array, levels: number, from: number): number {
  let at = from;
  for (const node of list) {
    if (levels > 1) {
      at = fillNumbers(node as readonly unknown[], data, levels - 1, at);
      if (at < 0) return -1;
    } else {
      const number = typeof node === "number" ? node : numberValue(node);
      if (number === null) return -1;
      data[at++] = number;
    }
  }
  return at;
}

/** What stands for a number; null for a text. */
function numberValue(node: unknown): number | null {
  if (node === null) return NaN;
  if (typeof node === "string") return Object.hasOwn(NUMBER_WORDS, node) ? NUMBER_WORDS[node]! : null;
  throw unfit(node);
}

function textValue(node: unknown): string {
  if (typeof node === "string") return node;
  if (node === null) return "";
  throw typeof node === "number" ? new ReplyError("the reply mixes numbers and texts") : unfit(node);
}

function unfit(node: unknown): ReplyError {
  const what = typeof node === "boolean" ? String(node) : "an object";
  return new ReplyError(`the reply holds ${what} where a number was expected`);
}

/** Numbers with their type: labels are whole, and one an image. */
export function numeric(dims: readonly number[], data: Float64Array): Values {
  const list = dims.length === 1 || (dims.length === 2 && dims[1] === 1);
  const type = list && data.length > 0 && data.every(Number.isInteger) ? "int64" : "float64";
  return { type, dims, data };
}

/**
 * The outputs of lists, of objects with one field an output and image, or of an object with one list an output.
 *
 * @throws ReplyError
 */
export function answerOf(json: unknown): Answer {
  if (typeof json === "string") throw new ReplyError(`the service answered with a text: ${quoted(json)}`);
  if (typeof json === "boolean") throw unfit(json);
  if (json === null) throw new ReplyError("the service answered with nothing (null)");
  if (Array.isArray(json) && isObject(json[0])) return tableOf(columnsOf(json));
  if (!isObject(json)) return { "": valuesOf(json) };
  const names = Object.keys(json);
  if (names.length === 0) throw new ReplyError("the service answered with nothing ({})");
  return tableOf(json);
}

/** One list a field, from one object an image. */
function columnsOf(rows: readonly unknown[]): Fields {
  const names = Object.keys(rows[0] as Fields);
  const columns = names.map((): unknown[] => []);
  if (names.length === 0) throw new ReplyError("the service answered with nothing ({}) for an image");
  rows.forEach((row, i) => {
    if (!isObject(row) || Object.keys(row).length !== names.length) throw otherFields(i);
    names.forEach((name, column) => {
      if (!Object.hasOwn(row, name)) throw otherFields(i);
      columns[column]!.push(row[name]);
    });
  });
  return Object.fromEntries(names.map((name, column) => [name, columns[column]]));
}

const otherFields = (i: number): ReplyError =>
  new ReplyError(`the reply's item ${i + 1} has other fields than its first`);

/** Columns called 0, 1, 2, … are those of one table without names, as pandas writes it. */
function tableOf(columns: Fields): Answer {
  const names = Object.keys(columns);
  const answer = Object.fromEntries(names.map((name) => [name, valuesOf(columns[name])]));
  if (names.length < 2 || !names.every((name, i) => name === String(i))) return answer;
  const parts = names.map((name) => answer[name]!);
  const n = parts[0]!.data.length;
  if (!parts.every(({ type, dims }) => type !== "string" && dims.length === 1 && dims[0] === n))
    return answer;
  const data = new Float64Array(n * parts.length);
  parts.forEach((part, column) => {
    for (let row = 0; row < n; row++) data[row * parts.length + column] = part.data[row] as number;
  });
  return { "": numeric([n, parts.length], data) };
}
