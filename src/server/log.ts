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

/**
 * Characters that a terminal would act on instead of showing them and that JSON leaves as they are: C1, marks and overrides of
 * the direction of text, line separators.
 */
const UNSEEN = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const visible = (line: string): string =>
  line.replaceAll(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

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
      held += `${visible(JSON.stringify({ time: timestamp(), level, message, ...fields }))}\n`;
      if (held.length > MOST_HELD || LEVELS.indexOf(level) >= LEVELS.indexOf("warn")) flush();
      else timer ??= setTimeout(flush, HELD_MS).unref();
    },
    flush,
  };
}
