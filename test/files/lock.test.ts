import { spawn, spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { LockError, takeLock } from "../../src/files/lock.mjs";
import { thisProcess } from "../../src/files/process.mjs";

const MODULE = new URL("../../src/files/lock.mjs", import.meta.url).href;
const OWNER = "00000000-0000-4000-8000-000000000000.json";
const SINCE = "2026-01-01T00:00:00.000Z";

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-lock-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, ".lock");
}

/** A lock as some other process has left it. */
function leave(path: string, holder: object): string {
  mkdirSync(path);
  writeFileSync(join(path, OWNER), JSON.stringify({ ...thisProcess(), since: SINCE, ...holder }));
  return join(path, OWNER);
}

/** A process that has ended, or that runs on until the test ends. */
function otherProcess(kind: "ended" | "running"): number {
  if (kind === "ended") return spawnSync(process.execPath, ["-e", "0"]).pid;
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child.pid!;
}

/** Whether the lock can be had. */
async function taken(...args: Parameters<typeof takeLock>): Promise<boolean> {
  const held = await takeLock(...args);
  held?.release();
  return held !== null;
}

/** Runs code as a process of its own. `lock` is the module's face. */
function run(code: string): Promise<number | null> {
  const script = `import * as lock from ${JSON.stringify(MODULE)}; ${code}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
  return new Promise((resolve) => child.once("close", resolve));
}

describe("takeLock(path)", () => {
  test("is one process's at a time, also where many of them are killed while they hold it", async () => {
    const path = place();
    const counter = `${path}-counter`;
    writeFileSync(counter, "0");
    const code = `
      import { readFileSync, writeFileSync } from "node:fs";
      const path = ${JSON.stringify(path)}, counter = ${JSON.stringify(counter)};
      for (let round = 0; round < 25; round++) {
        const held = await lock.takeLock(path, { pollMs: 2 });
        const count = Number(readFileSync(counter, "utf8"));
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 2));
        held.check();
        writeFileSync(counter, String(count + 1));
        if (round === KILLED) process.kill(process.pid, "SIGKILL");
        held.release();
      }`;
    await Promise.all([24, 24, 24, 24, 9, 9].map((killed) => run(code.replace("KILLED", String(killed)))));
    expect(readFileSync(counter, "utf8")).toBe("120");
    expect(await taken(path)).toBe(true);
    expect(readdirSync(join(path, ".."))).toEqual([".lock-counter"]);
  });

  test("takes over at once from a process that is gone, and from another of its number", async () => {
    for (const holder of [{ pid: otherProcess("ended") }, { started: "1" }]) {
      const path = place();
      leave(path, holder);
      expect(await taken(path, { stillMs: Infinity })).toBe(true);
    }
  });

  test.runIf(process.platform === "linux")(
    "takes over from one whose parent has not asked after it",
    async () => {
      const path = place();
      const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 60"], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      onTestFinished(() => void parent.kill("SIGKILL"));
      const pid = await new Promise<number>((resolve) =>
        parent.stdout.once("data", (data) => resolve(Number(data))),
      );
      leave(path, { pid, started: null });
      expect(await taken(path, { stillMs: Infinity })).toBe(true);
    },
  );

  test("never takes over from a process that runs, and says who it is", async () => {
    const path = place();
    const pid = otherProcess("running");
    const old = new Date(0);
    utimesSync(leave(path, { pid, started: null }), old, old);
    await expect(takeLock(path, { stillMs: 200 })).rejects.toThrow(
      new LockError(
        `${path} is held by process ${pid} (since ${SINCE}), which has given no sign of life for 0 s: ` +
          `end that process or, if it is another program, delete ${path}`,
      ),
    );
    expect(readdirSync(path)).toEqual([OWNER]);
  });

  test("takes over from another machine's only where its file rests, whatever its date", async () => {
    const future = new Date(Date.now() + 1e9);
    const path = place();
    const file = leave(path, { machine: "elsewhere", host: "elsewhere" });
    utimesSync(file, future, future);
    const beating = setInterval(() => utimesSync(file, new Date(), new Date()), 20);
    onTestFinished(() => clearInterval(beating));
    await expect(takeLock(path, { stillMs: 1000, longestMs: 1500 })).rejects.toThrow(
      new LockError(
        `${path} is held by process ${process.pid} on elsewhere (since ${SINCE}), which does not let go: ` +
          `end that process or, if it is another program, delete ${path}`,
      ),
    );
    clearInterval(beating);
    utimesSync(file, future, future);
    expect(await taken(path, { stillMs: 200 })).toBe(true);
  });

  test("takes a folder that is empty, and one whose file is empty and rests", async () => {
    const path = place();
    mkdirSync(path);
    expect(await taken(path)).toBe(true);
    mkdirSync(path);
    writeFileSync(join(path, OWNER), "");
    expect(await taken(path, { longestMs: 10_000 })).toBe(true);
  });

  test.each([
    ["a file", (path: string) => writeFileSync(path, ""), "is a file and no lock: delete it"],
    [
      "a folder with something else in it",
      (path: string) => {
        mkdirSync(path);
        writeFileSync(join(path, "mine.txt"), "");
      },
      "is no lock, because it holds mine.txt: delete it",
    ],
  ])("refuses %s of its name at once", async (_, make, reason) => {
    const path = place();
    make(path);
    await expect(takeLock(path)).rejects.toThrow(new LockError(`${path} ${reason}`));
  });

  test("tells a wait that is long, and ends with the signal or where it is not needed any more", async () => {
    const path = place();
    const pid = otherProcess("running");
    leave(path, { pid, started: null });
    const told: string[] = [];
    const stop = new AbortController();
    const waiting = takeLock(path, {
      signal: stop.signal,
      onWait: (message) => {
        told.push(message);
        stop.abort(new Error("stopped"));
      },
    });
    await expect(waiting).rejects.toThrow("stopped");
    expect(told).toEqual([`waiting for process ${pid} (since ${SINCE}), which holds ${path}`]);
    let looks = 0;
    expect(await takeLock(path, { unless: () => Promise.resolve(++looks === 3) })).toBeNull();
  });
});

describe("a lock that is held", () => {
  test("is known to be lost, and takes nothing from its next holder", async () => {
    const path = place();
    const first = (await takeLock(path))!;
    first.check();
    const second = (await takeLock(path, { machine: "elsewhere", stillMs: 100 }))!;
    const lost = new LockError(`${path} was taken over by another process, or deleted`);
    expect(() => first.check()).toThrow(lost);
    expect(first.lost.reason).toEqual(lost);
    first.release();
    second.check();
    second.release();
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });

  test("is touched, so that other machines see that its holder lives", async () => {
    const path = place();
    const held = (await takeLock(path))!;
    await expect(takeLock(path, { machine: "elsewhere", stillMs: 3500, longestMs: 4500 })).rejects.toThrow(
      `${path} is held by process ${process.pid} (since `,
    );
    held.check();
    held.release();
  });
});
