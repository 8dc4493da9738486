import yargs, { type Argv } from "yargs";
import { Parser } from "yargs/helpers";

import { UsageError } from "../errors.ts";
import { nearest } from "../metrics/nearest.ts";
import { packageVersions } from "../package.ts";
import { COMMANDS, type CommandName } from "./commands.ts";
import { checkConfig, readConfig, type KnownOptions } from "./config.ts";
import type { Context } from "./context.ts";

export const NAME = "mnist-evaluate";
const WIDTH = 110;

/** What yargs knows of the options, which its types leave out. */
interface Declared {
  readonly key: Readonly<Record<string, unknown>>;
  readonly boolean: readonly string[];
}

function isCommand(name: string | undefined): name is CommandName {
  return name !== undefined && Object.hasOwn(COMMANDS, name);
}

/** Runs one command line. @returns the exit code @throws EvaluateError */
export async function runCommandLine(args: readonly string[], context: Context): Promise<number> {
  const [name, ...rest] = args;
  if (!isCommand(name)) return overview(args, context);
  const { options, usage, examples, run } = COMMANDS[name];
  const path = configPath(rest);
  let parser: Argv = base(rest, context).usage(`${NAME} ${name} [options]\n\n${usage}`).option("config", {
    type: "string",
    requiresArg: true,
    desc: "JSON or YAML file with options, by the same names; the command line goes first",
  });
  for (const [line, meaning] of examples) parser = parser.example(`${NAME} ${line}`, meaning);
  parser = options(parser);
  checkSwitches(rest, known(parser));
  if (path !== null) parser = parser.config(checkConfig(path, await readConfig(path), known(parser)));
  const parsed = await (parser as Argv<Record<string, unknown>>).parseAsync();
  // Asking for help or the version is answered by yargs.
  if (parsed["help"] === true || parsed["version"] === true) return 0;
  return await run(parsed, context);
}

/** The file that `--config` names, which must be read before the options are known as a whole. */
function configPath(args: readonly string[]): string | null {
  const path: unknown = Parser([...args], { string: ["config"] })["config"];
  if (Array.isArray(path)) {
    throw new UsageError(`--config is given ${path.length} times, but takes one value`);
  }
  if (path === "") throw new UsageError("--config is empty: give it a value or leave it out");
  return typeof path === "string" ? path : null;
}

/** yargs reads `--offline=yes` as false. @throws UsageError */
function checkSwitches(args: readonly string[], { booleans }: KnownOptions): void {
  for (const arg of args) {
    const [, name = "", value = ""] = /^--([^=]+)=(.*)$/s.exec(arg) ?? [];
    if (booleans.includes(name) && value !== "true" && value !== "false") {
      throw new UsageError(`--${name} is on or off: write --${name} or --no-${name}, not ${arg}`);
    }
  }
}

/** The command line without a command: help, the version, or a mistake. */
async function overview(args: readonly string[], context: Context): Promise<number> {
  const names = Object.keys(COMMANDS);
  const word = args.find((arg) => !arg.startsWith("-"));
  const all = `the commands are ${names.join(", ")}`;
  if (isCommand(word)) throw new UsageError(`the command comes first: ${NAME} ${word} [options]`);
  if (word !== undefined && word !== "help") {
    const meant = nearest(word, names);
    const advice = meant.length === 0 ? all : `did you mean ${meant.join(" or ")}?`;
    throw new UsageError(`there is no command ${word}: ${advice} (see ${NAME} --help)`);
  }
  let parser = base(args, context)
    .usage(`${NAME} <command> [options]`)
    .demandCommand(1, `name a command: ${all}`);
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
    .alias("h", "help")
    .strict()
    .wrap(Math.min(WIDTH, stdout.columns ?? WIDTH))
    .exitProcess(false)
    .fail((message, error) => {
      // yargs wraps what an option's own check throws.
      if (error instanceof Error && error.name === "YError")
        throw new UsageError(advised(error.message, known(parser)));
      if (error instanceof Error) throw error;
      throw new UsageError(`${advised(message, known(parser))} (see ${NAME} --help)`);
    });
  return parser;
}

function known(parser: Argv): KnownOptions {
  const { key, boolean } = (parser as unknown as { getOptions(): Declared }).getOptions();
  return { names: Object.keys(key).filter((name) => !/[A-Z]/.test(name)), booleans: boolean };
}

/** yargs' own words on one line, with the option that was probably meant. */
function advised(message: string, { names }: KnownOptions): string {
  const line = message.trim().replaceAll(/\s*\n\s*/g, " ");
  const missing = /^Not enough arguments following: (\S+)$/.exec(line)?.[1];
  if (missing !== undefined) return `--${missing} needs a value`;
  const unknown = /^Unknown arguments?: (.+)$/.exec(line)?.[1]?.split(", ");
  if (unknown === undefined) return line;
  // yargs lists `--a-b` as `aB` too.
  const given = unknown.filter(
    (name) => !unknown.some((other) => other !== name && camelCase(other) === name),
  );
  const meant = given.map((name) => nearest(name, names).join(" or --"));
  const text = `Unknown argument${given.length === 1 ? "" : "s"}: ${given.join(", ")}`;
  const known = meant.filter((each) => each !== "");
  return known.length === 0 ? text : `${text}, did you mean --${known.join(" and --")}?`;
}

function camelCase(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
