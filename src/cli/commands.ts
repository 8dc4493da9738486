import type { Argv } from "yargs";

import type { Context } from "./context.ts";
import { datasetOptions, evaluateOptions, trainOptions, type Arguments } from "./options.ts";
import { serveOptions } from "./serve-options.ts";

interface Command<Options extends (args: Argv) => Argv> {
  /** What it does; the first line stands in the overview. */
  readonly usage: string;
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  readonly options: Options;
  /** Loads the command's code only when it is the one that runs. @returns the exit code */
  readonly run: (options: Arguments<Options>, context: Context) => Promise<number>;
}

function command<Options extends (args: Argv) => Argv>(
  definition: Command<Options>,
): Command<(args: Argv) => Argv> {
  return definition;
}

export const COMMANDS = {
  evaluate: command({
    usage: "Score a data set with a model, and write metrics, charts and a report",
    examples: [
      ["evaluate", "The bundled model on MNIST's 10,000 test images"],
      ["evaluate --model mine.onnx --gate 'accuracy >= 0.98'", "Exit with 1 where the model is worse"],
      ["evaluate --images i.idx.gz --labels l.idx.gz --classes cat,dog", "Your own images"],
    ],
    options: evaluateOptions,
    run: async (options, context) => (await import("./evaluate.ts")).evaluateCommand(options, context),
  }),
  download: command({
    usage: "Fetch a data set into the cache, for later runs without network",
    examples: [["download --dataset fashion-mnist", "Its 10,000 test images and their labels"]],
    options: datasetOptions,
    run: async (options, context) => (await import("./download.ts")).downloadCommand(options, context),
  }),
  serve: command({
    usage: "Put a model behind HTTP, as the tutorial's scoring service",
    examples: [
      ["serve", "The bundled model at http://127.0.0.1:5001/score"],
      ["serve --model mine.onnx --host 0.0.0.0 --api-key-env KEYS", "To the network, for who has a key"],
    ],
    options: serveOptions,
    run: async (options, context) => (await import("./serve.ts")).serveCommand(options, context),
  }),
  train: command({
    usage: "Rebuild the bundled model from MNIST's 60,000 training images",
    examples: [["train --model mine.onnx", "Write it elsewhere"]],
    options: trainOptions,
    run: async (options, context) => (await import("./train.ts")).trainCommand(options, context),
  }),
};

export type CommandName = keyof typeof COMMANDS;
