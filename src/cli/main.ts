import yargs from "yargs";
import { Parser } from "yargs/helpers";

import { EvaluateError, InterruptedError, messageOf, UsageError } from "../errors.ts";
import { packageVersions } from "../package.ts";
import { readConfig } from "./config.ts";
import type { Context, Terminal } from "./context.ts";
import { datasetOptions, evaluateOptions } from "./options.ts";

const NAME = "mnist-evaluate";
const EXIT_BUG = 70;

/** Runs one command line. @returns the exit code @throws EvaluateError */
async function run(args: string[], context: Context): Promise<number> {
  let exitCode = 0;
  const configFile: unknown = Parser(args, { string: ["config"] })["config"];
  const config = typeof configFile === "string" ? await readConfig(configFile) : {};
  await yargs(args)
    .scriptName(NAME)
    .locale("en")
    .usage("$0 <command> [options]")
    .version(packageVersions().version)
    .parserConfiguration({ "boolean-negation": true, "duplicate-arguments-array": true })
    .option("config", { type: "string", desc: "JSON or YAML file with options, by the same names" })
    .config(config)
    .command(
      "evaluate",
      "Score a data set with a model and write metrics, charts and a report",
      (command) =>
        evaluateOptions(command)
          .usage(
            "$0 evaluate [options]\n\nScores a data set with a model and writes metrics, charts and a report.",
          )
          .example("$0 evaluate", "The bundled model on MNIST's 10,000 test images")
          .example(
            "$0 evaluate --model mine.onnx --gate 'accuracy >= 0.98'",
            "Exit 1 where the model is worse",
          )
          .example("$0 evaluate --images t.idx.gz --labels l.idx.gz --classes cat,dog", "Your own data"),
      async (options) => {
        const { evaluateCommand } = await import("./evaluate.ts");
        exitCode = await evaluateCommand(options, context);
      },
    )
    .command(
      "download",
      "Fetch a data set into the cache, for later runs without network",
      (command) => datasetOptions(command).usage("$0 download [options]"),
      async (options) => {
        const { downloadCommand } = await import("./download.ts");
        exitCode = await downloadCommand(options, context);
      },
    )
    .command(
      "train",
      "Rebuild the bundled model from MNIST's 60,000 training images",
      (command) =>
        datasetOptions(command)
          .option("model", { type: "string", desc: "File to write", defaultDescription: "the bundled model" })
          .usage("$0 train [options]"),
      async (options) => {
        const { trainCommand } = await import("./train.ts");
        exitCode = await trainCommand(options, context);
      },
    )
    .demandCommand(1, "Which command? evaluate, download or train")
    .recommendCommands()
    .strict()
    .wrap(Math.min(110, context.stdout.columns ?? 100))
    .exitProcess(false)
    .fail((message, error) => {
      if (error instanceof Error) throw error;
      throw new UsageError(`${message.replaceAll(/\s*\n\s*/g, " ")}: see ${NAME} --help`);
    })
    .parseAsync();
  return exitCode;
}

/** A stream whose reader may go away (`| head`), which is no reason to stop the run. */
function terminal(stream: NodeJS.WriteStream): Terminal {
  let open = true;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    open = false;
  });
  return {
    write: (text) => void (open && stream.write(text)),
    columns: stream.isTTY ? stream.columns : null,
  };
}

/** The first signal ends the run in order; a second one at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort(
        new InterruptedError("interrupted: nothing was written, and the earlier report stands"),
      );
    });
  }
  return controller.signal;
}

const context: Context = {
  env: process.env,
  now: () => new Date(),
  stdout: terminal(process.stdout),
  stderr: terminal(process.stderr),
  signal: interruption(),
};
try {
  process.exitCode = await run(process.argv.slice(2), context);
} catch (error) {
  const known = error instanceof EvaluateError;
  process.exitCode = known ? error.exitCode : EXIT_BUG;
  context.stderr.write(known ? `${NAME}: ${messageOf(error)}\n` : bugText(error));
}

function bugText(error: unknown): string {
  const stack = error instanceof Error ? error.stack : String(error);
  return `${NAME}: this is a bug, please report it with the lines below\n${stack}\n`;
}
