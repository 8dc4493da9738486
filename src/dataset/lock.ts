import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import lockfile from "proper-lockfile";

import { interruption } from "./content.ts";

export interface LockSettings {
  /** A lock that was not renewed for so long is a dead process's. At least 2,000. */
  readonly staleMs: number;
  /** How often to look whether another process is done. */
  readonly pollMs: number;
}

/**
 * Does some work as the only process on a folder. While another process holds the lock it waits, and does nothing
 * where `done` says that the other's work has sufficed. The lock is renewed while it is held; if it is lost all the
 * same, as by a process that was stopped for a while, the signal given to the work aborts, and all begins again.
 * @throws InterruptedError
 */
export async function withLock(
  folder: string,
  { staleMs, pollMs }: LockSettings,
  signal: AbortSignal,
  done: () => Promise<boolean>,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  for (;;) {
    const lost = new AbortController();
    const options = {
      lockfilePath: join(folder, ".lock"),
      realpath: false,
      stale: staleMs,
      onCompromised: (error: Error) => lost.abort(error),
    };
    if (signal.aborted) throw interruption(signal);
    if (await done()) return;
    const release = await lockfile.lock(folder, options).catch(notHeld);
    if (release === null) {
      await sleep(pollMs, null, { signal }).catch(() => null);
      continue;
    }
    try {
      // Another process may have finished between the look and the lock.
      if (!(await done())) await work(AbortSignal.any([signal, lost.signal]));
      return;
    } catch (error) {
      if (signal.aborted || !lost.signal.aborted) throw error;
    } finally {
      await release().catch(() => null);
    }
  }
}

function notHeld(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ELOCKED") return null;
  throw error;
}
