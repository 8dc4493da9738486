import type { Batch, PixelChoice } from "../../types.ts";
import { choiceKey } from "../choices.ts";
import { isNoAnswer } from "../delivery/delivery.ts";
import type { Journal, JournalEntry, StoredAnswer } from "../journal.ts";
import { Keys } from "../journal/records.ts";
import type { Item } from "./options.ts";
import type { EndpointTrial, Understood } from "./understand.ts";

/** Two answers to the same image that differ by more, of a score or its share, come of different models. */
const SAME_ANSWER = 1e-3;

/** Answers of an interrupted run count only where the service still gives the same ones. */
export function continued(journal: Journal, { trials }: Understood, probe: Batch): string[] {
  if (journal.found === 0) return [];
  const differ = trials.some((trial) =>
    entriesOf(trial, probe).some(({ index, pixels, answer }) => {
      const earlier = journal.find(choiceKey(trial.choice), index, pixels);
      return earlier !== null && !isSame(earlier, answer);
    }),
  );
  if (!differ) return [];
  journal.forget();
  return [
    "An interrupted run's answers were not used: the service now answers otherwise, so that all images are scored again.",
  ];
}

function isSame(one: StoredAnswer, other: StoredAnswer): boolean {
  if (one.scores === null || other.scores === null) {
    return one.label === other.label && one.scores === other.scores;
  }
  return one.scores.every((score, k) => isNear(score, other.scores![k]!));
}

function isNear(one: number, other: number): boolean {
  return Object.is(one, other) || Math.abs(one - other) <= SAME_ANSWER * Math.max(1, Math.abs(one));
}

/** What is known already: answers of an interrupted run, and to the images that were tried before scoring began. */
export class Known {
  readonly #journal: Journal;
  readonly #keys = new Keys();
  /** By how the image is fed, its index and its pixels, since not all that is tried is of the data set that is scored. */
  readonly #tried = new Map<string, StoredAnswer>();
  #trying = true;
  resumed = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Until the main run: it is not settled yet how the pixels are fed. */
  get trying(): boolean {
    return this.#trying;
  }

  /** From now on all images are scored, whose answers are not to be held in memory. */
  mainRun(): void {
    this.#trying = false;
    this.resumed = 0;
  }

  keep(choice: PixelChoice, entries: readonly JournalEntry[]): void {
    this.#journal.record(choiceKey(choice), entries);
    if (!this.#trying) return;
    for (const { index, pixels, answer } of entries)
      this.#tried.set(this.#keys.key(choiceKey(choice), index, pixels).toString("latin1"), answer);
  }

  find({ choice, index, pixels }: Item): StoredAnswer | null {
    const tried = this.#tried.get(this.#keys.key(choiceKey(choice), index, pixels).toString("latin1"));
    if (tried !== undefined) return tried;
    const earlier = this.#journal.find(choiceKey(choice), index, pixels);
    if (earlier !== null) this.resumed += 1;
    return earlier;
  }
}

/** What is known where images are asked anew. */
export const NOTHING_KNOWN = { find: () => null, keep: () => {} } as const;

/** The trial's answers as the journal keeps them. */
export function entriesOf({ answers }: EndpointTrial, { indices, pixels }: Batch): JournalEntry[] {
  const size = pixels.length / indices.length;
  return answers.flatMap((answer, i) =>
    isNoAnswer(answer)
      ? []
      : [{ index: indices[i]!, pixels: pixels.subarray(i * size, (i + 1) * size), answer }],
  );
}
