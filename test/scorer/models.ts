/** ONNX models made for the tests: every one of `MODELS` can be scored right, none of `WRONG` can be scored at all. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { BATCHES } from "./models/batches.ts";
import { FLAWED } from "./models/flawed.ts";
import { INPUTS } from "./models/inputs.ts";
import { OUTPUTS } from "./models/outputs.ts";
import type { TestModel } from "./models/test-model.ts";
import { WRONG_MODELS, type WrongModel } from "./models/wrong.ts";

export { PERMUTATION } from "./models/flawed.ts";
export type { TestModel } from "./models/test-model.ts";

export const MODELS = {
  ...INPUTS,
  ...OUTPUTS,
  ...BATCHES,
  ...FLAWED,
} satisfies Record<string, TestModel>;

export type ModelName = keyof typeof MODELS;

/** Writes `NAME.onnx`, and what belongs beside it, into a folder. @returns the model's path */
export function writeModel(folder: string, name: ModelName): string {
  const { bytes, files = {} } = MODELS[name].build();
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, bytes);
  return path;
}

export const WRONG = WRONG_MODELS satisfies Record<string, WrongModel>;

export type WrongName = keyof typeof WRONG;

/** Puts one of `WRONG` into a folder, under its own `file` name. @returns its path */
export function writeWrong(folder: string, name: WrongName): string {
  const { file, content }: WrongModel = WRONG[name];
  const path = join(folder, file);
  if (content === "folder") mkdirSync(path, { recursive: true });
  else if (content !== "absent") writeFileSync(path, content());
  return path;
}
