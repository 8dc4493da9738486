import { EvaluateError, messageOf } from "../errors.ts";
import { visible } from "../text/visible.ts";
import { NAME, runCommandLine } from "./command-line.ts";
import type { Context } from "./context.ts";
import { graceOf, interruptedText, interruption } from "./interruption.ts";
import { terminal } from "./terminal.ts";

const EXIT_REPORT = 5;
const EXIT_BUG = 70;
const EXIT_INTERRUPTED = 130;

function bugText(error: unknown): string {
  const stack = error instanceof Error ? error.stack : String(error);
  return `${NAME}: this is a bug, please report it with the lines below\n${stack}\n`;
}

const interrupted = interruptedText(process.argv[2]);
const atHardExit = new Set<() => void>();

function clearUp(): void {
  for (const action of atHardExit) action();
  atHardExit.clear();
}

/**
 * Ends by SIGINT's default action rather than by `process.exit`, which waits for file operations that hang; a shell
 * reports it as 130 too.
 */
function end(): void {
  clearUp();
  // The command may have ended in order, and left something behind that keeps the process alive.
  if (process.exitCode === undefined) stderr.write(`${NAME}: ${interrupted}\n`);
  process.exitCode = EXIT_INTERRUPTED;
  process.removeAllListeners("SIGINT");
  process.kill(process.pid, "SIGINT");
}

// Without a listener, Node would exit with 1, which means that a gate failed.
process.on("uncaughtException", (error) => {
  clearUp();
  stderr.write(bugText(error));
  process.exit(EXIT_BUG);
});

const stderr = terminal(process.stderr, () => {});
const stdout = terminal(process.stdout, (error) => {
  stderr.write(`${NAME}: cannot write to standard output: ${messageOf(error)}\n`);
  // The failure may come before or after the command has answered.
  process.once("exit", () => (process.exitCode = EXIT_REPORT));
});
const context: Context = {
  env: process.env,
  now: () => new Date(),
  stdout,
  stderr,
  signal: interruption(
    { on: (name, listener) => process.on(name, listener), end },
    interrupted,
    () => performance.now(),
    graceOf(process.argv[2]),
  ),
  atHardExit,
};

async function main(): Promise<void> {
  try {
    process.exitCode = await runCommandLine(process.argv.slice(2), context);
  } catch (error) {
    const known = error instanceof EvaluateError;
    process.exitCode = known ? error.exitCode : EXIT_BUG;
    stderr.write(known ? `${NAME}: ${visible(messageOf(error))}\n` : bugText(error));
  }
}

// Without this, Node would end with 0 a process that waits for something that never comes.
process.once("beforeExit", () => {
  if (process.exitCode !== undefined) return;
  process.exitCode = EXIT_BUG;
  stderr.write(bugText(new Error("there was nothing left to wait for before the command was done")));
});

void main();
