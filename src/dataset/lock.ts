import { join } from "node:path";

import { LockError, takeLock } from "../files/lock.mjs";
import { DatasetError } from "../errors.ts";
import { interruption } from "./content.ts";

export interface LockSettings {
  /** How often to look whether another process is done. */
  readonly pollMs: number;
  /** For tests: see `takeLock`. */
  readonly stillMs?: number;
  readonly machine?: string;
}

/**
 * Does some work as the only process on a folder. While another process holds the lock it waits, and does nothing
 * where `done` says that the other's work has sufficed. If the lock is lost all the same, as by a process that was
 * stopped for long while another machine waited, the signal given to the work aborts, and all begins again.
 * @throws InterruptedError, DatasetError where the lock cannot be had
 */
export async function withLock(
  folder: string,
  settings: LockSettings,
  { signal, warn }: { readonly signal: AbortSignal; readonly warn: (message: string) => void },
  done: () => Promise<boolean>,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  for (;;) {
    const options = { ...settings, signal, onWait: warn, unless: done };
    const lock = await takeLock(join(folder, ".lock"), options).catch((error: unknown) => {
      if (signal.aborted) throw interruption(signal);
      if (!(error instanceof LockError)) throw error;
      throw new DatasetError(`${error.message}; or choose another folder with --data-dir`, { cause: error });
    });
    if (lock === null) return;
    try {
      // Another process may have finished between the look and the lock.
      if (!(await done())) await work(AbortSignal.any([signal, lock.lost]));
      return;
    } catch (error) {
      if (signal.aborted || !lock.lost.aborted) throw error;
    } finally {
      lock.release();
    }
  }
}
