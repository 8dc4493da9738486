import { InterruptedError } from "../errors.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** npm passes Ctrl-C on to a process that has already got it from the terminal: that is one keypress, not two. */
const SAME_KEYPRESS_MS = 250;
/** What does not answer for so long, such as a read from a dead network drive, is not waited for. */
const GRACE_MS = 3000;

/** What is left of the command's work. */
const LEFT: Readonly<Record<string, string>> = {
  evaluate: "no result was written, and an earlier report stands as it was",
  download: "what was received is kept, and the next download goes on from there",
  train: "no model was written",
};

/** What ends by itself however long it takes: a service finishes the requests that it has taken, each within its time-out. */
const ENDS_BY_ITSELF: readonly string[] = ["serve"];

/** How long a command is waited for, in milliseconds; null: as long as it takes. */
export function graceOf(command: string | undefined): number | null {
  return command !== undefined && ENDS_BY_ITSELF.includes(command) ? null : GRACE_MS;
}

/** What is said of an interrupted command. */
export function interruptedText(command: string | undefined): string {
  const left = command === undefined ? undefined : LEFT[command];
  return left === undefined ? "interrupted" : `interrupted: ${left}`;
}

/** What ends the process, as an argument for tests. */
export interface Interruptible {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  /** Ends the process without waiting for anything. */
  end(): void;
}

/** The first signal aborts, so that the run ends in order; a second one, or a run that does not end, ends it at once. */
export function interruption(
  process: Interruptible,
  message: string,
  now: () => number = () => performance.now(),
  graceMs: number | null = GRACE_MS,
): AbortSignal {
  const controller = new AbortController();
  let firstAt = Infinity;
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (controller.signal.aborted) {
        if (now() - firstAt > SAME_KEYPRESS_MS) process.end();
        return;
      }
      firstAt = now();
      // It must not keep a run alive that has ended in order.
      if (graceMs !== null) setTimeout(() => process.end(), graceMs).unref();
      controller.abort(new InterruptedError(message));
    });
  }
  return controller.signal;
}
