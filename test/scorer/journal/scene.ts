import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import {
  openJournal,
  type Journal,
  type JournalEntry,
  type StoredAnswer,
} from "../../../src/scorer/journal.ts";
import { answerOf, BINDING, CLASSES, pixelsOf, WAY } from "./answers.ts";

export * from "./answers.ts";

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "journal-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Closed when the test ends. */
export function opened(folder: string, binding: unknown = BINDING): Journal {
  const journal = openJournal(folder, binding, CLASSES);
  onTestFinished(() => journal.close());
  return journal;
}

export const entry = (index: number): JournalEntry => ({
  index,
  pixels: pixelsOf(index),
  answer: answerOf(index),
});

/** The journals in a folder, as they may be left by a run that was killed. */
export const files = (folder: string): string[] => readdirSync(folder).map((name) => join(folder, name));

/** What a new run finds of the first images. */
export function found(folder: string, count: number): (StoredAnswer | null)[] {
  const journal = openJournal(folder, BINDING, CLASSES);
  const answers = Array.from({ length: count }, (_, index) => journal.find(WAY, index, pixelsOf(index)));
  journal.close();
  return answers;
}
