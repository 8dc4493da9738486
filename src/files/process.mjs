// @ts-check
// Plain JavaScript, as the lock that needs it.
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/**
 * A process, as others can tell whether it still runs.
 *
 * @typedef {object} Holder
 * @property {string} machine within which process numbers mean the same: host, boot and process namespace
 * @property {string} host
 * @property {number} pid
 * @property {string | null} started its start time, which tells it from a later process of the same number
 * @property {string} since
 */

/**
 * Null where it cannot be told, as of a file that is just being written.
 *
 * @param {string} file
 * @returns {Holder | null}
 */
export function holderOf(file) {
  try {
    const holder = JSON.parse(readFileSync(file, "utf8"));
    return Number.isSafeInteger(holder?.pid) && typeof holder.machine === "string" ? holder : null;
  } catch {
    return null;
  }
}

/** @returns {Holder} */
export function thisProcess(machine = thisMachine()) {
  const since = new Date().toISOString();
  return { machine, host: hostname(), pid: process.pid, started: processState(process.pid).started, since };
}

/**
 * Whether a process still runs. `unknown`: it is on another machine, or in another container.
 *
 * @param {Holder} holder
 * @returns {"alive" | "gone" | "unknown"}
 */
export function stateOf({ machine, pid, started }, here = thisMachine()) {
  if (machine !== here) return "unknown";
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return "gone";
  }
  const found = processState(pid);
  // One that has ended and that its parent has not asked after keeps its number.
  if (found.ended) return "gone";
  return started !== null && found.started !== null && found.started !== started ? "gone" : "alive";
}

/** Where process numbers mean the same. Without /proc the host's name must do. */
function thisMachine() {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${hostname()} ${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

/**
 * From /proc, where there is one and it shows that process.
 *
 * @param {number} pid
 */
function processState(pid) {
  try {
    // The name, in brackets, may hold spaces and brackets.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop()?.split(" ") ?? [];
    return { started: fields[19] ?? null, ended: /^[ZX]/i.test(fields[0] ?? "") };
  } catch {
    return { started: null, ended: false };
  }
}
