import { ScorerError } from "../../errors.ts";
import { isNoAnswer } from "../delivery/delivery.ts";
import type { StoredAnswer } from "../journal.ts";
import type { NoAnswer } from "../outcome.ts";
import type { OutputPlan } from "../outputs.ts";
import { ReplyError, type Answer, type Values } from "../protocols/protocol.ts";
import { answersIn, concatenated, type BadRow } from "./interpret.ts";

/** One image's part of a reply that is not understood yet. */
export interface RawRow {
  readonly answer: Answer;
  readonly row: number;
}

/**
 * A reply's rows, before it is known what its outputs mean.
 *
 * @throws ReplyError where none of its outputs is for so many images
 */
export function rawRows(answer: Answer, rows: number): readonly (RawRow | BadRow)[] {
  const outputs = Object.values(answer);
  // For one image, some services leave the first dimension out.
  const [first] = outputs;
  const mayBeBare = rows === 1 && outputs.some(({ data }) => data.length > 0);
  if (!mayBeBare && first !== undefined && !outputs.some(({ dims }) => dims[0] === rows)) {
    const got = first.dims[0] ?? 1;
    throw new ReplyError(`the reply answers for ${got} ${got === 1 ? "image" : "images"} instead of ${rows}`);
  }
  return Array.from({ length: rows }, (_, row) =>
    isWithoutNumbers(outputs, row, rows) ? { bad: "the service's answer is not a number" } : { answer, row },
  );
}

/** Such a row tells nothing of what the outputs mean, and may come of a way to feed pixels that the model is not made for. */
function isWithoutNumbers(outputs: readonly Values[], row: number, rows: number): boolean {
  const numeric = outputs.filter(({ type }) => type !== "string");
  return numeric.length > 0 && numeric.every((values) => partOf(values, row, rows).some(Number.isNaN));
}

function partOf({ data }: Values, row: number, rows: number): readonly unknown[] | Float64Array {
  const size = Math.floor(data.length / rows);
  return data.slice(row * size, (row + 1) * size);
}

/**
 * What a trial's images were answered as one reply; its rows are the images that were answered.
 *
 * @throws ScorerError where the replies do not fit together
 */
export function joined(raw: readonly (RawRow | NoAnswer)[], url: string): Answer {
  const kept = new Map<Answer, number[]>();
  for (const one of raw) {
    if (isNoAnswer(one)) continue;
    kept.set(one.answer, [...(kept.get(one.answer) ?? []), one.row]);
  }
  try {
    return concatenated([...kept].map(([answer, rows]) => picked(answer, rows)));
  } catch (error) {
    if (error instanceof ReplyError) throw new ScorerError(`${url} cannot be read: ${error.message}`);
    throw error;
  }
}

/** Some of a reply's rows. */
export function picked(answer: Answer, rows: readonly number[]): Answer {
  return Object.fromEntries(
    Object.entries(answer).map(([name, values]) => {
      const { dims, type } = values;
      const all = dims[0] ?? 1;
      if (all === rows.length || rows.some((row) => row >= all)) return [name, values];
      const parts = rows.flatMap((row) => [...partOf(values, row, all)]);
      const shape = [rows.length, ...dims.slice(1)];
      if (type === "string") return [name, { type, dims: shape, data: parts as string[] }];
      const numbers = Float64Array.from(parts as number[]);
      // What was left out may have been all that kept them from being whole.
      const whole = type === "int64" || (numbers.length === rows.length && numbers.every(Number.isInteger));
      return [name, { type: whole ? "int64" : "float64", dims: shape, data: numbers }];
    }),
  );
}

/**
 * The trial's answers, now that it is known what the outputs mean.
 *
 * @throws ScorerError where the replies are for another number of images
 */
export function understoodRows(
  raw: readonly (RawRow | NoAnswer)[],
  answer: Answer,
  plan: OutputPlan,
  classes: readonly string[],
  url: string,
): (StoredAnswer | NoAnswer)[] {
  const answered = raw.filter((row) => !isNoAnswer(row)).length;
  const rows = readRows(answer, plan, answered, classes, url);
  let next = 0;
  return raw.map((row) => {
    if (isNoAnswer(row)) return row;
    const stored = rows[next++]!;
    return "bad" in stored ? { failed: stored.bad } : stored;
  });
}

function readRows(
  answer: Answer,
  plan: OutputPlan,
  rows: number,
  classes: readonly string[],
  url: string,
): readonly (StoredAnswer | BadRow)[] {
  try {
    return answersIn(answer, plan, rows, classes);
  } catch (error) {
    if (error instanceof ReplyError) throw new ScorerError(`${url} cannot be read: ${error.message}`);
    throw error;
  }
}
