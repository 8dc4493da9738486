import { EventEmitter } from "node:events";

import { describe, expect, test } from "vitest";

import { fixedTime, wantsColor, type Terminal } from "../../src/cli/context.ts";
import { interruptedText, interruption } from "../../src/cli/interruption.ts";
import { progressLine } from "../../src/cli/progress.ts";
import { terminal } from "../../src/cli/terminal.ts";
import { InterruptedError } from "../../src/errors.ts";

/** A screen that keeps what was written to it. */
function screen(columns: number | null) {
  const written: string[] = [];
  const draw = (text: string) => void written.push(text);
  return { written, columns, draw, write: draw };
}

describe("progressLine(terminal, enabled, now)", () => {
  const START = "\r\u001B[K";

  test("draws one line over again, at most every 80 ms, and takes it away", () => {
    const out = screen(60);
    let time = 1000;
    const progress = progressLine(out, true, () => time);
    progress.update("Scoring", 0, 200);
    time += 79;
    progress.update("Scoring", 50, 200);
    time += 1;
    progress.update("Scoring", 100, 200);
    progress.clear();
    progress.clear();
    expect(out.written).toEqual([
      `${START}Scoring ${"░".repeat(24)} 0 %`,
      `${START}Scoring ${"█".repeat(12)}${"░".repeat(12)} 50 %`,
      START,
    ]);
  });

  test("draws at once after it was cleared, counts without a total, and knows a label alone", () => {
    const out = screen(60);
    const progress = progressLine(out, true, () => 0);
    progress.update("Training, pass", 7, null);
    progress.clear();
    progress.update("Drawing charts", 0, null);
    expect(out.written).toEqual([`${START}Training, pass 7`, START, `${START}Drawing charts`]);
  });

  test("stays within the terminal, also when that is made narrower", () => {
    const out = screen(20);
    let time = 0;
    const progress = progressLine(out, true, () => (time += 100));
    progress.update("Scoring", 200, 100);
    out.columns = 8;
    progress.update("Scoring", 200, 100);
    expect(out.written).toEqual([`${START}Scoring ${"█".repeat(11)}`, `${START}Scoring`]);
  });

  test.each([
    ["where stderr is no terminal", null, true],
    ["with --quiet", 80, false],
  ])("writes nothing %s", (_, columns, enabled) => {
    const out = screen(columns);
    const progress = progressLine(out, enabled, () => 0);
    progress.update("Scoring", 1, 2);
    progress.clear();
    expect(out.written).toEqual([]);
  });
});

function stream(properties: Partial<NodeJS.WriteStream>) {
  const written: string[] = [];
  const emitter = Object.assign(new EventEmitter(), {
    write: (text: string) => void written.push(text),
    ...properties,
  });
  return { emitter: emitter as unknown as NodeJS.WriteStream, written };
}
function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

describe("terminal(stream, onFailure)", () => {
  test.each([
    [{ isTTY: true, columns: 132 }, 132],
    [{ isTTY: true, columns: 0 }, 80],
    [{}, null],
  ])("of %j has %j columns", (properties, columns) => {
    expect(terminal(stream(properties as Partial<NodeJS.WriteStream>).emitter, () => {}).columns).toBe(
      columns,
    );
  });

  test("shows what would steer a terminal or a CI job, but for what is drawn", () => {
    const { emitter, written } = stream({});
    const out = terminal(emitter, () => {});
    out.write("a\u001B[2J\n::error::b\n");
    out.draw("\r\u001B[K");
    expect(written).toEqual(["a\\x1b[2J\n\\x3a:error::b\n", "\r\u001B[K"]);
  });

  test("drops what is written after its reader went away", () => {
    const { emitter, written } = stream({});
    const failures: Error[] = [];
    const out = terminal(emitter, (error) => failures.push(error));
    out.write("a");
    emitter.emit("error", failure("EPIPE"));
    out.write("b");
    expect(written).toEqual(["a"]);
    expect(failures).toEqual([]);
  });

  test("reports another failure once", () => {
    const { emitter } = stream({});
    const failures: Error[] = [];
    terminal(emitter, (error) => failures.push(error));
    emitter.emit("error", failure("ENOSPC"));
    emitter.emit("error", failure("ENOSPC"));
    expect(failures.map(({ message }) => message)).toEqual(["ENOSPC"]);
  });
});

describe("wantsColor(asked, context)", () => {
  const tty: Terminal = { write: () => {}, draw: () => {}, columns: 80 };
  const pipe: Terminal = { write: () => {}, draw: () => {}, columns: null };

  test.each([
    [true, { NO_COLOR: "1" }, pipe, true],
    [false, { FORCE_COLOR: "1" }, tty, false],
    [undefined, {}, tty, true],
    [undefined, {}, pipe, false],
    [undefined, { NO_COLOR: "1" }, tty, false],
    [undefined, { NO_COLOR: "" }, tty, true],
    [undefined, { FORCE_COLOR: "1" }, pipe, true],
    [undefined, { FORCE_COLOR: "" }, pipe, true],
    [undefined, { FORCE_COLOR: "0" }, tty, false],
    [undefined, { NO_COLOR: "1", FORCE_COLOR: "1" }, tty, false],
    [undefined, { TERM: "dumb" }, tty, false],
  ])("%j with %j", (asked, env, stdout, expected) => {
    expect(wantsColor(asked, { env, stdout })).toBe(expected);
  });
});

describe("fixedTime(env)", () => {
  test.each([
    ["0", "1970-01-01T00:00:00.000Z"],
    ["1767225600", "2026-01-01T00:00:00.000Z"],
  ])("reads %s", (seconds, time) => {
    expect(fixedTime({ SOURCE_DATE_EPOCH: seconds })?.toISOString()).toBe(time);
  });

  test.each([[undefined], [""], ["1.5"], ["-1"], ["1e9"], ["1234567890123"]])("is null for %j", (seconds) => {
    expect(fixedTime(seconds === undefined ? {} : { SOURCE_DATE_EPOCH: seconds })).toBe(null);
  });
});

function interruptible() {
  const emitter = new EventEmitter();
  let ends = 0;
  let time = 0;
  const signal = interruption(
    { on: (name, listener) => emitter.on(name, listener), end: () => void ends++ },
    "stopped",
    () => time,
    20,
  );
  return { emitter, signal, ends: () => ends, at: (now: number) => (time = now) };
}

describe("interruptedText(command)", () => {
  test.each([
    ["evaluate", "interrupted: no result was written, and an earlier report stands as it was"],
    ["download", "interrupted: what was received is kept, and the next download goes on from there"],
    ["train", "interrupted: no model was written"],
    ["bogus", "interrupted"],
    [undefined, "interrupted"],
  ])("says what is left of %j", (command, text) => {
    expect(interruptedText(command)).toBe(text);
  });
});

describe("interruption(process, message, now, graceMs)", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP"])("aborts at %s", (name) => {
    const { emitter, signal, ends } = interruptible();
    expect(signal.aborted).toBe(false);
    emitter.emit(name);
    expect(signal.reason).toEqual(new InterruptedError("stopped"));
    expect(ends()).toBe(0);
  });

  test("ends at a second signal, but not at the same one that npm passes on", () => {
    const { emitter, ends, at } = interruptible();
    emitter.emit("SIGINT");
    at(250);
    emitter.emit("SIGINT");
    expect(ends()).toBe(0);
    at(251);
    emitter.emit("SIGINT");
    expect(ends()).toBe(1);
  });

  test("ends by itself what does not answer", async () => {
    const { emitter, ends } = interruptible();
    emitter.emit("SIGTERM");
    await expect.poll(ends).toBe(1);
  });
});
