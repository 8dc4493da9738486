/** The outside world as the commands see it: what a test replaces, and what no other code reads from `process`. */
export interface Context {
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => Date;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  readonly signal: AbortSignal;
}

export interface Terminal {
  write(text: string): void;
  /** Null where it is no terminal but a file or a pipe. */
  readonly columns: number | null;
}

/** The time that SOURCE_DATE_EPOCH fixes, for runs whose files shall be the same bytes each time; null without it. */
export function fixedTime(env: NodeJS.ProcessEnv): Date | null {
  const seconds = env["SOURCE_DATE_EPOCH"];
  return seconds !== undefined && /^\d{1,12}$/.test(seconds) ? new Date(Number(seconds) * 1000) : null;
}
