/** The outside world as the commands see it: what a test replaces, and what no other code reads from `process`. */
export interface Context {
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => Date;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  readonly signal: AbortSignal;
  /** Called, once each, where the process must end without the commands' own clearing up. They must be synchronous. */
  readonly atHardExit: Set<() => void>;
}

export interface Terminal {
  /** Writes lines, which may hold texts from outside: what would steer the terminal or a CI job is shown instead. */
  write(text: string): void;
  /** Writes what is safe already, with control sequences of our own. */
  draw(text: string): void;
  /** Characters a line, now: a window can be resized. Null where it is no terminal but a file or a pipe. */
  readonly columns: number | null;
}

/** The time that SOURCE_DATE_EPOCH fixes, for runs whose files shall be the same bytes each time; null without it. */
export function fixedTime(env: NodeJS.ProcessEnv): Date | null {
  const seconds = env["SOURCE_DATE_EPOCH"];
  return seconds !== undefined && /^\d{1,12}$/.test(seconds) ? new Date(Number(seconds) * 1000) : null;
}

/** Whether to colour stdout: what the user asked for, else https://no-color.org, FORCE_COLOR, and the terminal itself. */
export function wantsColor(
  asked: boolean | undefined,
  { env, stdout }: Pick<Context, "env" | "stdout">,
): boolean {
  if (asked !== undefined) return asked;
  const { NO_COLOR: none = "", FORCE_COLOR: force } = env;
  if (none !== "") return false;
  if (force !== undefined) return force !== "0" && force !== "false";
  return stdout.columns !== null && env["TERM"] !== "dumb";
}
