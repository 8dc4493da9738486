// @ts-check
// Plain JavaScript, because build.mjs takes this lock before there is anything built.
import { randomUUID } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { holderOf, stateOf, thisProcess } from "./process.mjs";

/** @typedef {import("./process.mjs").Holder} Holder */

/**
 * @typedef {object} LockOptions
 * @property {AbortSignal} [signal] ends the waiting
 * @property {(message: string) => void} [onWait] called once, where the wait is long enough to be noticed
 * @property {() => Promise<boolean>} [unless] looked at while waiting: whether the lock is needed no longer
 * @property {number} [pollMs] how often to look
 * @property {number} [stillMs] a holder that has given no sign of life for so long is not waited for
 * @property {number} [longestMs] nor is one that does give signs, for longer than this
 * @property {string} [machine] for tests: another machine's name
 */

/**
 * @typedef {object} Lock
 * @property {AbortSignal} lost aborts where another process, which took this one for dead, has the lock
 * @property {() => void} check to be called before each step: throws LockError where the lock is lost
 * @property {() => void} release
 */

/** A lock that cannot be had, or is lost. Its message says why; the caller adds what else could be done. */
export class LockError extends Error {
  /** @override */
  name = "LockError";
}

const POLL_MS = 20;
const NOTICED_MS = 2000;
const BEAT_MS = 2000;
const STILL_MS = 60_000;
const EMPTY_MS = 2000;
const LONGEST_MS = 3_600_000;
const OWNER = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json$/;

/**
 * Takes a lock that processes on one machine, or on several that share the disk, hold one at a time. It is a folder with
 * a file of the holder's: who writes its own file and then finds no other's in the folder holds the lock. The holder
 * touches its file every two seconds. Another takes over only where the holder is gone: on the same machine, where no such
 * process runs; on another, where the file has not been touched for a minute, as seen from here, whatever its date.
 *
 * @param {string} path of the folder; made, and removed again
 * @param {LockOptions} [options]
 * @returns {Promise<Lock | null>} null where `unless` has come true
 * @throws {LockError} where something else has the lock's name, or the holder lives and does not let go; the signal's reason
 */
export async function takeLock(path, options = {}) {
  const { signal, onWait, unless, pollMs = POLL_MS, machine } = options;
  const file = join(path, `${randomUUID()}.json`);
  const holder = JSON.stringify(thisProcess(machine));
  const watch = watchHolder(path, options);
  let told = false;
  for (;;) {
    signal?.throwIfAborted();
    if (await unless?.()) return null;
    if (enter(path, file, holder)) return heldLock(path, file);
    const waited = watch();
    if (!told && waited.ms > NOTICED_MS) onWait?.(`waiting for ${waited.holder}, which holds ${path}`);
    told ||= waited.ms > NOTICED_MS;
    // Uneven, so that two which found each other's files do not do so again.
    await sleep(pollMs * (0.5 + Math.random()), null, { signal }).catch(() => null);
  }
}

/**
 * @param {string} path
 * @param {string} file
 * @param {string} holder
 */
function enter(path, file, holder) {
  try {
    if (ownersIn(path).length > 0) return false;
    mkdirSync(path, { recursive: true });
    writeFileSync(file, holder, { flag: "wx" });
    if (ownersIn(path).length === 1) return true;
  } catch (error) {
    // Another has let go, and removed the folder in between.
    if (codeOf(error) !== "ENOENT") throw error;
  }
  rmSync(file, { force: true });
  return false;
}

/**
 * The files of holders, and of who looks whether it can be one.
 *
 * @param {string} path
 */
function ownersIn(path) {
  /** @type {string[]} */
  let names;
  try {
    names = readdirSync(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    if (codeOf(error) === "ENOTDIR") throw new LockError(`${path} is a file and no lock: delete it`);
    throw error;
  }
  const stray = names.find((name) => !OWNER.test(name));
  if (stray !== undefined) throw new LockError(`${path} is no lock, because it holds ${stray}: delete it`);
  return names;
}

/**
 * @param {string} path
 * @param {string} file
 * @returns {Lock}
 */
function heldLock(path, file) {
  const lost = new AbortController();
  const timer = setInterval(() => {
    try {
      utimesSync(file, new Date(), new Date());
    } catch (error) {
      if (codeOf(error) === "ENOENT") lose();
    }
  }, BEAT_MS).unref();
  function lose() {
    clearInterval(timer);
    lost.abort(new LockError(`${path} was taken over by another process, or deleted`));
  }
  return {
    lost: lost.signal,
    check() {
      if (!existsSync(file)) lose();
      lost.signal.throwIfAborted();
    },
    release() {
      clearInterval(timer);
      removeOwner(path, file);
    },
  };
}

/**
 * Only ever the file of one holder, and the folder only where it is empty: a newer holder loses nothing.
 *
 * @param {string} path
 * @param {string} file
 */
function removeOwner(path, file) {
  try {
    unlinkSync(file);
    rmdirSync(path);
  } catch {
    // Others are in there, or it is gone already.
  }
}

/**
 * Watches the holder, and removes what is left of one that is gone.
 *
 * @param {string} path
 * @param {LockOptions} options
 * @returns {() => {ms: number, holder: string}} how long there has been a holder, and who it is now; throws LockError
 */
function watchHolder(path, { stillMs = STILL_MS, longestMs = LONGEST_MS, machine }) {
  const begun = performance.now();
  let seen = "";
  let seenAt = begun;
  return () => {
    const now = performance.now();
    const name = ownersIn(path)[0];
    const file = name === undefined ? null : join(path, name);
    const stats = file === null ? undefined : statSync(file, { throwIfNoEntry: false });
    if (file === null || stats === undefined) return { ms: 0, holder: "another process" };
    if (seen !== `${name} ${stats.mtimeMs}`) [seen, seenAt] = [`${name} ${stats.mtimeMs}`, now];
    const holder = holderOf(file);
    const state = holder === null ? "unknown" : stateOf(holder, machine);
    // A file is written as soon as it is made: who made an empty one was killed in between.
    const still = now - seenAt > (stats.size === 0 ? Math.min(EMPTY_MS, stillMs) : stillMs);
    if (state === "gone" || (state === "unknown" && still)) removeOwner(path, file);
    else if (still || now - begun > longestMs) {
      const how = still ? `has given no sign of life for ${Math.round(stillMs / 1000)} s` : "does not let go";
      throw new LockError(
        `${path} is held by ${nameOf(holder)}, which ${how}: end that process or, if it is another program, delete ${path}`,
      );
    }
    return { ms: now - begun, holder: nameOf(holder) };
  };
}

/** @param {Holder | null} holder */
function nameOf(holder) {
  if (holder === null) return "an unknown process";
  const where = holder.host === hostname() ? "" : ` on ${holder.host}`;
  return `process ${holder.pid}${where} (since ${holder.since})`;
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
