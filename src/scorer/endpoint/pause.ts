import { setTimeout as sleep } from "node:timers/promises";

/** Waits. Node's own sleep rejects with an error of its own, which would pass for a bug. @throws the signal's reason */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
