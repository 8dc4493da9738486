import { visibleJson } from "../text/visible.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LEVELS)[number];
/** From which level on lines are written; `silent`: none. */
export const LOG_CHOICES = ["info", "warn", "error", "silent"] as const;
export type LogChoice = (typeof LOG_CHOICES)[number];

/** Structured lines: one JSON object each. Nothing that a sender calls secret is ever given to it. */
export interface Log {
  write(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Writes what is held back. */
  flush(): void;
}

const HELD_MS = 100;
const MOST_HELD = 16_384;

/** @param write takes whole lines: many requests' at a time, because a write costs more than a request */
export function jsonLog(from: LogChoice, write: (text: string) => void, now: () => Date): Log {
  const lowest = from === "silent" ? Infinity : LEVELS.indexOf(from);
  let held = "";
  let [timeMs, time] = [NaN, ""];
  /** Many lines are of the same millisecond. */
  const timestamp = (): string => {
    const moment = now();
    if (moment.getTime() !== timeMs) [timeMs, time] = [moment.getTime(), moment.toISOString()];
    return time;
  };
  let timer: NodeJS.Timeout | null = null;
  const flush = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (held !== "") write(visibleJson(held));
    held = "";
  };
  return {
    write(level, message, fields) {
      if (LEVELS.indexOf(level) < lowest) return;
      held += `${JSON.stringify({ time: timestamp(), level, message, ...fields })}\n`;
      if (held.length > MOST_HELD || LEVELS.indexOf(level) >= LEVELS.indexOf("warn")) flush();
      else timer ??= setTimeout(flush, HELD_MS).unref();
    },
    flush,
  };
}
