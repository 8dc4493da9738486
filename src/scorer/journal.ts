import { readdirSync, statSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

import { messageOf, ReportError } from "../errors.ts";
import { Earlier } from "./journal/earlier.ts";
import { OwnFile } from "./journal/own.ts";
import {
  bindingDigest,
  header,
  Keys,
  recordBytes,
  writeRecord,
  type StoredAnswer,
} from "./journal/records.ts";

export type { StoredAnswer } from "./journal/records.ts";

export interface JournalEntry {
  /** The image's position in the data set's files. */
  readonly index: number;
  /** h×w as they are in the data set, 0–255. */
  readonly pixels: Uint8Array;
  readonly answer: StoredAnswer;
}

/** Answered images on disk, so that an interrupted run can be continued. */
export interface Journal {
  /** Images that answers of earlier runs, of the last 24 hours, are kept for. */
  readonly found: number;
  /** An earlier run's answer; null where there is none for these pixels, fed in this way. */
  find(way: string, index: number, pixels: Uint8Array): StoredAnswer | null;
  /** Keeps answers: once it returns, killing the process loses none of them. @throws ReportError */
  record(way: string, entries: readonly JournalEntry[]): void;
  /** Forgets what earlier runs left, for a service that answers differently now. @throws ReportError where it cannot be deleted */
  forget(): void;
  /** Leaves all that is kept to the next run. */
  close(): void;
  /** Closes it and deletes it, and what earlier runs left. @throws ReportError where that cannot be deleted */
  remove(): void;
}

const JOURNAL = /^\.scored-[0-9a-f]{16}-[0-9a-f]{16}\.journal$/;
/** The service may have another model by then, which the few images that are asked again need not show. */
const STALE_MS = 24 * 60 * 60 * 1000;
/** Journals of other endpoints, models, … that nobody came back to for so long go with the next finished run. */
const ABANDONED_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * Opens the journal of scoring through an endpoint. Nothing is written before the first answer. Each process writes a
 * file of its own and reads all of the same binding, so that two at once need no lock and cannot spoil each other's.
 *
 * @param folder the output folder; made with the first answer where it is missing
 * @param binding all that answers depend on but the images and how they are fed: endpoint, protocol, model, classes; never a key
 * @param classes k
 * @param write for tests: what writes to disk
 */
export function openJournal(
  folder: string,
  binding: unknown,
  classes: number,
  write: typeof writeSync = writeSync,
): Journal {
  const digest = bindingDigest(binding, classes);
  const prefix = `.scored-${digest.toString("hex", 0, 8)}-`;
  const head = header(digest, classes);
  const paths = journals(folder).filter(({ name }) => name.startsWith(prefix));
  const earlier = new Earlier(
    paths.flatMap(({ path }) => (ageMs(path) > STALE_MS ? [] : [path])),
    head,
    classes,
  );
  const own = new OwnFile(folder, prefix, write);
  const keys = new Keys();
  const forget = (): void => {
    earlier.close();
    for (const { path } of paths) unlink(path);
  };
  const close = (): void => {
    earlier.close();
    own.close();
  };
  return {
    get found() {
      return earlier.size;
    },
    find: (way, index, pixels) => (earlier.size === 0 ? null : earlier.get(keys.key(way, index, pixels))),
    record(way, entries) {
      if (entries.length === 0) return;
      const size = recordBytes(classes);
      const bytes = Buffer.alloc(entries.length * size);
      for (const [i, { index, pixels, answer }] of entries.entries()) {
        const { scores } = answer;
        if (scores !== null && scores.length !== classes)
          throw new Error(`${scores.length} scores for ${classes} classes`);
        writeRecord(bytes.subarray(i * size, (i + 1) * size), keys.key(way, index, pixels), answer);
      }
      own.append(bytes, head);
    },
    forget,
    close,
    remove() {
      const { path } = own;
      close();
      if (path !== null) unlink(path);
      forget();
      removeAbandoned(folder);
    },
  };
}

/** The folder's journals in the order of their names. One that cannot be listed has none. */
function journals(folder: string): readonly { readonly name: string; readonly path: string }[] {
  try {
    return (
      readdirSync(folder, { withFileTypes: true })
        // What is a folder, a link or a named pipe, this program has not made.
        .filter((entry) => entry.isFile() && JOURNAL.test(entry.name))
        .map(({ name }) => ({ name, path: join(folder, name) }))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
    );
  } catch {
    return [];
  }
}

/** Since it was last written; Infinity where it is gone. */
function ageMs(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? Infinity : Date.now() - stats.mtimeMs;
}

/** Whatever hinders that does not concern this run. */
function removeAbandoned(folder: string): void {
  for (const { path } of journals(folder)) {
    try {
      if (ageMs(path) > ABANDONED_MS) unlinkSync(path);
    } catch {
      // Another process was as quick, or the file is another user's.
    }
  }
}

/** Deletes a journal, which would otherwise answer in the service's place the next time. */
function unlink(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new ReportError(
      `${path}: cannot delete this journal of answers, which the next run would go on from: ${messageOf(error)}: delete it by hand`,
      { cause: error },
    );
  }
}
