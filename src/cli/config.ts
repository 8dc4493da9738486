import { readFile } from "node:fs/promises";

import { messageOf, UsageError } from "../errors.ts";
import { nearest } from "../metrics/nearest.ts";

/** The options that a command takes, by their names on the command line. */
export interface KnownOptions {
  readonly names: readonly string[];
  /** Those that are on or off. */
  readonly booleans: readonly string[];
}

export type ConfigValue = boolean | string | string[];

/** What makes no sense in a file. */
const COMMAND_LINE_ONLY = ["help", "h", "version", "config"];

/** @throws UsageError where the file is missing or holds no JSON or YAML object. */
export async function readConfig(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = (await readFile(path, "utf8")).replace(/^\uFEFF/, "");
  } catch (error) {
    throw new UsageError(`${path}: cannot read the config file: ${reasonOf(error)}`, { cause: error });
  }
  const config = await parse(path, text);
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new UsageError(`${path}: the config file must hold one object, such as {"dataset": "mnist"}`);
  }
  return config as Record<string, unknown>;
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "there is no such file: check --config";
  if (code === "EISDIR") return "it is a folder: name the file in --config";
  return messageOf(error);
}

async function parse(path: string, text: string): Promise<unknown> {
  const json = /\.json$/i.test(path);
  try {
    if (json) return JSON.parse(text);
    const yaml = await import("./yaml.ts");
    return yaml.parse(text, { logLevel: "error" });
  } catch (error) {
    const reason = messageOf(error).split("\n")[0]!.replace(/:$/, "");
    throw new UsageError(`${path}: the config file is not valid ${json ? "JSON" : "YAML"}: ${reason}`, {
      cause: error,
    });
  }
}

/**
 * The values of a config file as the command line would give them: numbers as text, and options by their own names. A
 * null is an option that is not given.
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
    else throw new UsageError(`${path}: ${key} must be true or false, not ${JSON.stringify(value)}`);
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
  throw new UsageError(`${path}: ${key} must be text or a number, not ${JSON.stringify(value)}`);
}
