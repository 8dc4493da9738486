/** What a service answered for an image. */
export interface StoredAnswer {
  readonly label: number;
  /** k, or null where the service gives labels only. */
  readonly probabilities: Float32Array | null;
}

export interface JournalEntry {
  /** The image's position in the data set's files. */
  readonly index: number;
  /** h×w as they are in the data set, 0–255. */
  readonly pixels: Uint8Array;
  readonly answer: StoredAnswer;
}

/** Answered images on disk, so that an interrupted run can be continued. */
export interface Journal {
  /** Images that earlier runs' answers are kept for. */
  readonly found: number;
  /** An earlier run's answer; null where there is none for these pixels, fed in this way. */
  find(way: string, index: number, pixels: Uint8Array): StoredAnswer | null;
  /** Keeps answers: once it returns, killing the process loses none of them. @throws ReportError */
  record(way: string, entries: readonly JournalEntry[]): void;
  /** Forgets what earlier runs left, for a service that answers differently now. */
  forget(): void;
  /** Leaves all that is kept to the next run. */
  close(): void;
  /** Closes it and deletes it, and what earlier runs left. */
  remove(): void;
}

/**
 * Opens the journal of scoring through an endpoint. Nothing is written before the first answer.
 *
 * @param folder the output folder; made with the first answer where it is missing
 * @param binding all that answers depend on but the images and how they are fed: endpoint, protocol, model, classes; never a key
 * @param classes k
 * @throws ReportError where an earlier run's journal is there and cannot be read
 */
export function openJournal(_folder: string, _binding: unknown, _classes: number): Journal {
  throw new Error("Not built yet");
}
