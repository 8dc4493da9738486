import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ReportError } from "../../../src/errors.ts";
import { openJournal } from "../../../src/scorer/journal.ts";
import {
  answerOf,
  BINDING,
  CLASSES,
  entry,
  files,
  found,
  opened,
  pixelsOf,
  temporaryFolder,
  WAY,
} from "./scene.ts";

/** The error that something throws. */
function thrown(action: () => void): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  return new Error("it did not throw");
}

describe("find(way, index, pixels)", () => {
  test("gives an earlier run's answer, bit by bit, to the same pixels fed in the same way", () => {
    const folder = temporaryFolder();
    const first = opened(folder);
    expect(first.found).toBe(0);
    first.record(WAY, [0, 1, 2].map(entry));
    // This run has these answers itself.
    expect(first.find(WAY, 0, pixelsOf(0))).toBeNull();
    const second = opened(folder);
    expect(second.found).toBe(3);
    const answers = [0, 1, 2].map((index) => second.find(WAY, index, pixelsOf(index)));
    expect(answers).toEqual([0, 1, 2].map(answerOf));
    expect(Object.is(answers[0]?.scores?.[2], -0)).toBe(true);
    expect(second.find("raw flat", 0, pixelsOf(0))).toBeNull();
    expect(second.find(WAY, 0, pixelsOf(1))).toBeNull();
    expect(second.find(WAY, 3, pixelsOf(0))).toBeNull();
    expect(second.find(WAY, 4, pixelsOf(4))).toBeNull();
  });

  test("knows nothing of another binding or number of classes; the order of its keys does not matter", () => {
    const folder = temporaryFolder();
    opened(folder).record(WAY, [entry(0)]);
    expect(opened(folder, { ...BINDING, model: "mnist" }).found).toBe(0);
    expect(openJournal(folder, BINDING, CLASSES + 1).found).toBe(0);
    expect(opened(folder, Object.fromEntries(Object.entries(BINDING).reverse())).found).toBe(1);
  });

  test("gives what any of several runs recorded, whatever they did", () => {
    const run = fc.array(fc.array(fc.nat(40), { maxLength: 6 }), { maxLength: 4 });
    fc.assert(
      fc.property(fc.array(run, { maxLength: 4 }), (runs) => {
        const folder = temporaryFolder();
        for (const requests of runs) {
          const journal = openJournal(folder, BINDING, CLASSES);
          for (const request of requests) journal.record(WAY, request.map(entry));
          journal.close();
        }
        const recorded = new Set(runs.flat(2));
        expect(opened(folder).found).toBe(recorded.size);
        expect(found(folder, 41)).toEqual(
          Array.from({ length: 41 }, (_, index) => (recorded.has(index) ? answerOf(index) : null)),
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe("record(way, entries)", () => {
  test("makes folder and file with the first answer, for this user alone", () => {
    const folder = join(temporaryFolder(), "reports", "mnist");
    const journal = opened(folder);
    journal.record(WAY, []);
    expect(() => files(folder)).toThrow("ENOENT");
    journal.record(WAY, [entry(0)]);
    expect(files(folder).map((path) => basename(path))).toEqual([
      expect.stringMatching(/^\.scored-[0-9a-f]{16}-[0-9a-f]{16}\.journal$/),
    ]);
    expect(statSync(files(folder)[0]!).mode & 0o777).toBe(process.platform === "win32" ? 0o666 : 0o600);
  });

  test("never lets two journals that are open at once write into one file", () => {
    const folder = temporaryFolder();
    const [a, b] = [opened(folder), opened(folder)];
    for (let index = 0; index < 20; index++) (index % 2 === 0 ? a : b).record(WAY, [entry(index)]);
    expect(files(folder)).toHaveLength(2);
    expect(found(folder, 20)).toEqual(Array.from({ length: 20 }, (_, index) => answerOf(index)));
  });

  test("writes neither the endpoint nor pixels", () => {
    const folder = temporaryFolder();
    opened(folder).record(WAY, [entry(0)]);
    expect(readFileSync(files(folder)[0]!).includes("127.0.0.1")).toBe(false);
  });

  test("says what is wrong where it cannot write", () => {
    const path = join(temporaryFolder(), "file");
    writeFileSync(path, "");
    const folder = join(path, "reports");
    const error = thrown(() => opened(folder).record(WAY, [entry(0)]));
    expect(error).toBeInstanceOf(ReportError);
    expect(error.message).toBe(
      `${folder}: cannot keep the service's answers there, which an interrupted run goes on from: a file of that name is in the way: choose another folder with --out`,
    );
  });

  test.runIf(process.platform === "linux")("returns where a file system refuses new folders", () => {
    expect(thrown(() => opened("/proc/none/reports").record(WAY, [entry(0)])).message).toBe(
      "/proc/none/reports: cannot keep the service's answers there, which an interrupted run goes on from: the folder cannot be made: choose another folder with --out",
    );
  });

  test("is told apart from a bug: scores of another number of classes", () => {
    const wrong = { ...entry(0), answer: { label: 0, scores: new Float64Array(CLASSES + 1) } };
    expect(thrown(() => opened(temporaryFolder()).record(WAY, [wrong])).message).toBe(
      "4 scores for 3 classes",
    );
  });
});

describe("forget(), close() and remove()", () => {
  test("forget drops and deletes what earlier runs left, but not this run's own", () => {
    const folder = temporaryFolder();
    opened(folder).record(WAY, [entry(0)]);
    const journal = opened(folder);
    journal.record(WAY, [entry(1)]);
    journal.forget();
    expect(journal.found).toBe(0);
    expect(journal.find(WAY, 0, pixelsOf(0))).toBeNull();
    journal.close();
    expect(found(folder, 2)).toEqual([null, answerOf(1)]);
  });

  test("remove deletes this run's and what it was continued from; other bindings' only after a week", () => {
    const folder = temporaryFolder();
    for (const model of ["new", "old"]) opened(folder, { ...BINDING, model }).record(WAY, [entry(0)]);
    const [fresh, stale] = files(folder);
    const week = Date.now() / 1000 - 7 * 24 * 3600;
    utimesSync(stale!, week - 60, week - 60);
    utimesSync(fresh!, week + 60, week + 60);
    writeFileSync(join(folder, "metrics.json"), "{}");
    for (const index of [0, 1]) opened(folder).record(WAY, [entry(index)]);
    const journal = opened(folder);
    expect(journal.found).toBe(2);
    journal.record(WAY, [entry(2)]);
    expect(files(folder)).toHaveLength(6);
    journal.remove();
    expect(new Set(files(folder))).toEqual(new Set([fresh, join(folder, "metrics.json")]));
  });

  test("remove says which journal it cannot delete, because the next run would go on from it", () => {
    const folder = temporaryFolder();
    opened(folder).record(WAY, [entry(0)]);
    const [path] = files(folder);
    const journal = opened(folder);
    rmSync(path!);
    mkdirSync(path!);
    const error = thrown(() => journal.remove());
    expect(error).toBeInstanceOf(ReportError);
    expect(error.message.replace(/which the next run would go on from: .*: delete/, "…: delete")).toBe(
      `${path}: cannot delete this journal of answers, …: delete it by hand`,
    );
  });

  test("remove without any answer makes and deletes nothing", () => {
    const folder = join(temporaryFolder(), "reports");
    opened(folder).remove();
    expect(() => files(folder)).toThrow("ENOENT");
  });
});

test("remove() after close() deletes it, too", () => {
  const folder = temporaryFolder();
  const journal = opened(folder);
  journal.record(WAY, [entry(0)]);
  journal.close();
  expect(files(folder)).toHaveLength(1);
  journal.remove();
  expect(files(folder)).toEqual([]);
});

test("find(way, index, pixels) gives answers of the last 24 hours only, and remove() deletes older ones", () => {
  const folder = temporaryFolder();
  opened(folder).record(WAY, [entry(0)]);
  const [path] = files(folder);
  const writtenAt = (hoursAgo: number): void =>
    utimesSync(path!, new Date(), new Date(Date.now() - hoursAgo * 3_600_000));
  writtenAt(23);
  expect(found(folder, 1)).toEqual([answerOf(0)]);
  writtenAt(25);
  expect(found(folder, 1)).toEqual([null]);
  opened(folder).remove();
  expect(files(folder)).toEqual([]);
});
