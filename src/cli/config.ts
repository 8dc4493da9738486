import { createReadStream } from "node:fs";

import { messageOf, UsageError } from "../errors.ts";
import { nearest } from "../metrics/nearest.ts";

/** The options that a command takes, by their names on the command line. */
export interface KnownOptions {
  readonly names: readonly string[];
  /** Those that are on or off. */
  readonly booleans: readonly string[];
}

export type ConfigValue = boolean | string | string[];

/** A gate for each metric of 256 classes is less. */
const MOST_BYTES = 100_000;
/** What makes no sense in a file. */
const COMMAND_LINE_ONLY = ["help", "h", "version", "config"];

/** @throws UsageError where the file is missing or holds no JSON or YAML object. */
export async function readConfig(path: string): Promise<Record<string, unknown>> {
  const text = (await readText(path)).replace(/^\uFEFF/, "");
  const { parseConfig } = await import("./yaml.ts");
  const config = parseConfig(`${path}: the config file`, text, /\.json$/i.test(path) ? "JSON" : "YAML");
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new UsageError(`${path}: the config file must hold one object, such as {"dataset": "mnist"}`);
  }
  return config as Record<string, unknown>;
}

/** The file's text; of a pipe, too. @throws UsageError */
async function readText(path: string): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes > MOST_BYTES) break;
    }
  } catch (error) {
    throw new UsageError(`${path}: cannot read the config file: ${reasonOf(error)}`, { cause: error });
  }
  if (bytes <= MOST_BYTES) return Buffer.concat(pieces).toString("utf8");
  throw new UsageError(
    `${path}: the config file is larger than ${MOST_BYTES / 1000} kB, far more than options need: check --config`,
  );
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "there is no such file: check --config";
  if (code === "EISDIR") return "it is a folder: name the file in --config";
  return messageOf(error);
}

/**
 * The values of a config file as the command line would give them: numbers as text, and options by their own names. A
 * null is an option that is not given. Messages repeat no text or list, which may be a secret.
 *
 * @throws UsageError for a key that is no option, and a value that its option could not have on the command line.
 */
export function checkConfig(
  path: string,
  config: Readonly<Record<string, unknown>>,
  known: KnownOptions,
): Record<string, ConfigValue> {
  const checked = new Map<string, ConfigValue>();
  for (const [key, value] of Object.entries(config)) {
    const { name, negated } = optionOf(path, key, known);
    if (checked.has(name)) throw new UsageError(`${path}: ${name} is given twice: keep one of the two`);
    if (value === null) continue;
    if (!known.booleans.includes(name)) checked.set(name, textOf(path, key, value));
    else if (typeof value === "boolean") checked.set(name, value !== negated);
    else throw new UsageError(`${path}: ${key} must be true or false, not ${kindOf(value)}`);
  }
  return Object.fromEntries(checked);
}

/** The option that a key means: by its own name, in camel case, or negated as in `no-color`. */
function optionOf(path: string, key: string, known: KnownOptions): { name: string; negated: boolean } {
  const name = key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const names = known.names.filter((option) => !COMMAND_LINE_ONLY.includes(option));
  if (names.includes(name)) return { name, negated: false };
  const positive = name.replace(/^no-/, "");
  if (positive !== name && known.booleans.includes(positive)) return { name: positive, negated: true };
  const meant = nearest(name, names);
  const advice = meant.length === 0 ? "see --help" : `did you mean ${meant.join(" or ")}?`;
  throw new UsageError(`${path}: there is no option ${key}: ${advice}`);
}

function textOf(path: string, key: string, value: unknown): string | string[] {
  if (Array.isArray(value)) return value.map((item: unknown) => scalar(path, key, item));
  return scalar(path, key, value);
}

function scalar(path: string, key: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw new UsageError(`${path}: ${key} must be text or a number, not ${kindOf(value)}`);
}

function kindOf(value: unknown): string {
  if (typeof value === "string") return "text";
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "a list" : "an object";
}
