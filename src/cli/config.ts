import { readFile } from "node:fs/promises";

import { messageOf, UsageError } from "../errors.ts";

/** @throws UsageError where the file is missing or holds no JSON or YAML object. */
export async function readConfig(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const reason = missing ? "there is no such file: check --config" : messageOf(error);
    throw new UsageError(`${path}: cannot read the config file: ${reason}`, { cause: error });
  }
  const config = await parse(path, text);
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new UsageError(`${path}: the config file must hold one object, such as {"dataset": "mnist"}`);
  }
  return config as Record<string, unknown>;
}

async function parse(path: string, text: string): Promise<unknown> {
  try {
    if (path.endsWith(".json")) return JSON.parse(text);
    const { parse: parseYaml } = await import("yaml");
    return parseYaml(text);
  } catch (error) {
    const reason = messageOf(error).split("\n")[0];
    throw new UsageError(`${path}: the config file is neither JSON nor YAML: ${reason}`, { cause: error });
  }
}
