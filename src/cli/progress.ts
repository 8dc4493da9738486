import { visible } from "../text/visible.ts";
import type { Terminal } from "./context.ts";

/** At most this often, so that drawing costs nothing. */
const INTERVAL_MS = 80;
const BAR = 24;

/** One line on stderr that is drawn over again, or nothing where stderr is no terminal. */
export interface Progress {
  /** `total` is null where it is not known; with 0 done, the label stands alone. */
  update(label: string, done: number, total: number | null): void;
  /** Takes the line away, so that what is printed next starts on a clean one. */
  clear(): void;
}

export function progressLine(terminal: Terminal, enabled: boolean, now: () => number): Progress {
  if (!enabled || terminal.columns === null) return { update: () => {}, clear: () => {} };
  let drawnAt = -Infinity;
  let drawn = false;
  return {
    update(label, done, total) {
      if (now() - drawnAt < INTERVAL_MS) return;
      drawnAt = now();
      drawn = true;
      terminal.draw(
        `\r\u001B[K${progressText(visible(label), done, total).slice(0, (terminal.columns ?? 1) - 1)}`,
      );
    },
    clear() {
      if (drawn) terminal.draw("\r\u001B[K");
      drawn = false;
      drawnAt = -Infinity;
    },
  };
}

/** Says something on stderr, on a line of its own. */
export function warning({ stderr }: { readonly stderr: Terminal }, progress: Progress) {
  return (message: string): void => {
    progress.clear();
    stderr.write(`warning: ${visible(message)}\n`);
  };
}

function progressText(label: string, done: number, total: number | null): string {
  if (total === null || total === 0) return done === 0 ? label : `${label} ${done}`;
  const share = Math.min(1, done / total);
  const filled = Math.round(share * BAR);
  return `${label} ${"█".repeat(filled)}${"░".repeat(BAR - filled)} ${Math.floor(share * 100)} %`;
}
