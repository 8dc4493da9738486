import { execFileSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

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

const IMAGES = 6;
const HEADER_BYTES = 52;
const RECORD_BYTES = 16 + 4 + 8 * CLASSES + 4;
const all = Array.from({ length: IMAGES }, (_, index) => index);

/** A folder with the journal of a run that was killed, and that journal's path and bytes. */
function killed(): { folder: string; path: string; bytes: Buffer } {
  const folder = temporaryFolder();
  opened(folder).record(WAY, all.map(entry));
  const [path] = files(folder);
  return { folder, path: path!, bytes: readFileSync(path!) };
}

/** Images whose answers are found, each of which must be the image's own. */
function kept(folder: string): number[] {
  const answers = found(folder, IMAGES);
  const indices = all.filter((index) => answers[index] !== null);
  expect(indices.map((index) => answers[index])).toEqual(indices.map(answerOf));
  const journal = openJournal(folder, BINDING, CLASSES);
  expect(journal.found).toBe(indices.length);
  journal.close();
  return indices;
}

describe("find(way, index, pixels) in a damaged journal", () => {
  test("gives all whole records of one that is cut at any byte", () => {
    const { folder, path, bytes } = killed();
    expect(bytes).toHaveLength(HEADER_BYTES + IMAGES * RECORD_BYTES);
    for (let size = 0; size <= bytes.length; size++) {
      writeFileSync(path, bytes.subarray(0, size));
      const whole = Math.max(0, Math.floor((size - HEADER_BYTES) / RECORD_BYTES));
      expect(kept(folder)).toEqual(all.slice(0, whole));
    }
  });

  test("loses but the record of a flipped bit, or all with the header's", () => {
    const { folder, path, bytes } = killed();
    // One bit of each byte, another in the next: bursts are what the random damage below is for.
    for (let bit = 0; bit < bytes.length * 8; bit += 9) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(path, flipped);
      const record = Math.floor(((bit >> 3) - HEADER_BYTES) / RECORD_BYTES);
      expect(kept(folder)).toEqual(record < 0 ? [] : all.filter((index) => index !== record));
    }
  });

  test("gives the right answer or none, whatever bytes are put over, into or out of it", () => {
    const { folder, path, bytes } = killed();
    const damage = fc.record({
      at: fc.integer({ min: 0, max: bytes.length }),
      removed: fc.integer({ min: 0, max: 100 }),
      put: fc.uint8Array({ maxLength: 100 }),
    });
    fc.assert(
      fc.property(fc.array(damage, { maxLength: 4 }), (damages) => {
        let damaged: Buffer = bytes;
        for (const { at, removed, put } of damages)
          damaged = Buffer.concat([damaged.subarray(0, at), put, damaged.subarray(at + removed)]);
        writeFileSync(path, damaged);
        kept(folder);
      }),
      { numRuns: 300 },
    );
    expect(kept(folder).length).toBeLessThanOrEqual(IMAGES);
  });

  test("gives none where a record was changed or cut off since the journal was opened", () => {
    const { folder, path, bytes } = killed();
    const journal = opened(folder);
    expect(journal.found).toBe(IMAGES);
    const file = openSync(path, "r+");
    writeSync(file, Uint8Array.of(bytes[HEADER_BYTES + 20]! ^ 1), 0, 1, HEADER_BYTES + 20);
    closeSync(file);
    expect(journal.find(WAY, 0, pixelsOf(0))).toBeNull();
    writeFileSync(path, bytes.subarray(0, HEADER_BYTES + 3 * RECORD_BYTES));
    expect(all.filter((index) => journal.find(WAY, index, pixelsOf(index)) !== null)).toEqual([0, 1, 2]);
  });

  test("passes over a journal that bears another's name", () => {
    const { folder, path } = killed();
    const other = temporaryFolder();
    openJournal(other, { ...BINDING, model: "mnist" }, CLASSES).record(WAY, all.map(entry));
    copyFileSync(files(other)[0]!, path);
    expect(kept(folder)).toEqual([]);
    // It has this one's name, and so it goes with the run.
    opened(folder).remove();
    expect(files(folder)).toEqual([]);
  });

  test("takes no file of a similar name for a journal", () => {
    const { folder, path } = killed();
    rmSync(path);
    writeFileSync(join(folder, ".scored-nonsense.journal"), "");
    expect(kept(folder)).toEqual([]);
  });
});

test.each(["a named pipe", "a folder", "a link"])(
  "a journal's name may be %s's, which is left alone",
  (kind) => {
    const { folder, path } = killed();
    const other = path.replace(/-[0-9a-f]{16}\.journal$/, "-0000000000000000.journal");
    if (kind === "a named pipe") execFileSync("mkfifo", [other]);
    else if (kind === "a folder") mkdirSync(other);
    else symlinkSync(path, other);
    expect(kept(folder)).toEqual(all);
    opened(folder).remove();
    expect(files(folder)).toEqual([other]);
  },
);

test("record(way, entries) writes over what a full disk left of an earlier one", () => {
  const folder = temporaryFolder();
  let left = Infinity;
  const write = (fd: number, bytes: Buffer, offset: number, length: number, position: number): number => {
    if (left === 0)
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    const size = Math.min(length, left, 20);
    left -= size;
    return writeSync(fd, bytes, offset, size, position);
  };
  const journal = openJournal(folder, BINDING, CLASSES, write as typeof writeSync);
  journal.record(WAY, [entry(0)]);
  left = RECORD_BYTES + 10;
  expect(() => journal.record(WAY, [entry(1), entry(2)])).toThrow(
    `${folder}: cannot keep the service's answers there, which an interrupted run goes on from: the disk is full: free some space or choose another folder with --out`,
  );
  // Of what was being written, the whole record is there already.
  expect(kept(folder)).toEqual([0, 1]);
  left = Infinity;
  journal.record(WAY, [entry(3), entry(4), entry(5)]);
  journal.close();
  expect(kept(folder)).toEqual([0, 3, 4, 5]);
});
