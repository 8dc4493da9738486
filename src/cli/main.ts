import yargs, { type Argv } from "yargs";
import { Parser } from "yargs/helpers";

import { EvaluateError, InterruptedError, messageOf, UsageError } from "../errors.ts";
import { nearest } from "../metrics/nearest.ts";
import { packageVersions } from "../package.ts";
import { COMMANDS, type CommandName } from "./commands.ts";
import { readConfig } from "./config.ts";
import type { Context, Terminal } from "./context.ts";

const NAME = "mnist-evaluate";
const WIDTH = 110;
const EXIT_BUG = 70;

function isCommand(name: string | undefined): name is CommandName {
  return name !== undefined && Object.hasOwn(COMMANDS, name);
}

/** Runs one command line. @returns the exit code @throws EvaluateError */
async function run(args: readonly string[], context: Context): Promise<number> {
  const [name, ...rest] = args;
  if (!isCommand(name)) return overview(args, context);
  const { options, usage, examples, run: runCommand } = COMMANDS[name];
  const file: unknown = Parser(rest, { string: ["config"] })["config"];
  const config = typeof file === "string" ? await readConfig(file) : {};
  let parser = base(rest, context)
    .usage(`${NAME} ${name} [options]\n\n${usage}`)
    .option("config", { type: "string", desc: "JSON or YAML file with options, by the same names" })
    .config(config);
  for (const [line, meaning] of examples) parser = parser.example(`${NAME} ${line}`, meaning);
  const parsed = await (options(parser) as Argv<Record<string, unknown>>).parseAsync();
  // Asking for help or the version is answered by yargs.
  if (parsed["help"] === true || parsed["version"] === true) return 0;
  return await runCommand(parsed, context);
}

/** The command line without a command: help, the version, or a mistake. */
async function overview(args: readonly string[], context: Context): Promise<number> {
  let parser = base(args, context)
    .usage(`${NAME} <command> [options]`)
    .demandCommand(1, "name a command")
    .recommendCommands();
  for (const [name, { usage }] of Object.entries(COMMANDS))
    parser = parser.command(name, usage.split("\n")[0]!);
  await parser.parseAsync();
  return 0;
}

function base(args: readonly string[], { stdout }: Context): Argv {
  const parser: Argv = yargs([...args])
    .scriptName(NAME)
    .locale("en")
    .version(packageVersions().version)
    .strict()
    .wrap(Math.min(WIDTH, stdout.columns ?? WIDTH))
    .exitProcess(false)
    .fail((message, error) => {
      // yargs wraps what an option's own check throws.
      if (error instanceof Error && error.name === "YError") throw new UsageError(error.message);
      if (error instanceof Error) throw error;
      throw new UsageError(`${advised(message, parser)} (see ${NAME} --help)`);
    });
  return parser;
}

/** yargs' own words on one line, with the option that was probably meant. */
function advised(message: string, parser: Argv): string {
  const line = message.trim().replaceAll(/\s*\n\s*/g, " ");
  const unknown = /^Unknown argument: (\S+)$/.exec(line)?.[1];
  if (unknown === undefined) return line;
  const options = Object.keys((parser as unknown as { getOptions(): { key: object } }).getOptions().key);
  const meant = nearest(unknown, options);
  return meant.length === 0 ? line : `${line}, did you mean --${meant.join(" or --")}?`;
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

function bugText(error: unknown): string {
  const stack = error instanceof Error ? error.stack : String(error);
  return `${NAME}: this is a bug, please report it with the lines below\n${stack}\n`;
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
