import { setTimeout as sleep } from "node:timers/promises";

import type { PixelChoice } from "../../types.ts";
import { outcomeOfFailure, outcomeOfStatus } from "../http/classify.ts";
import { HttpFailure, type HttpReply, type Transport } from "../http/transport.ts";
import type { NoAnswer, Outcome } from "../outcome.ts";
import { ReplyError, type Answer, type Protocol } from "../protocols/protocol.ts";
import type { BadRow } from "./interpret.ts";
import type { Candidate } from "./discover.ts";
import type { TrafficLog } from "./traffic.ts";
import type { Writer } from "./writer.ts";

/** An image to be scored, as the service shall see it. */
export interface Item {
  /** Position in the data set's files. */
  readonly index: number;
  /** h×w, 0–255. */
  readonly pixels: Uint8Array;
  readonly choice: PixelChoice;
}

/** What sends requests, whatever they hold. */
export interface Line {
  readonly transport: Transport;
  readonly traffic: TrafficLog;
  /** Takes the secrets out of a text. */
  readonly redact: (text: string) => string;
}

/** How images are written for a service, and where they go. */
export interface Way {
  readonly candidate: Candidate;
  readonly writer: Writer;
}

/** Reads the rows of a reply. @throws ReplyError */
export type Read<A> = (answer: Answer, rows: number) => readonly (A | BadRow)[];

/** Bytes of a reply in which its words are looked for. */
const MOST_READ = 1 << 16;
/** Longest text of a service's that is repeated. */
const MOST_WORDS = 300;
/** How often rows without a usable answer are asked for again by themselves. */
const ROUNDS = 3;
const PAUSE_MS = 100;

/** Sends one request for some images, and asks again for those whose rows are no answer. */
export async function attempt<A extends object>(
  line: Line,
  way: Way,
  items: readonly Item[],
  read: Read<A>,
  signal: AbortSignal,
): Promise<Outcome<A>> {
  const outcome = await once(line, way, items, read, signal);
  if (outcome.kind !== "answered") return outcome;
  const answers: (A | NoAnswer)[] = [...outcome.answers];
  let bad = failedRows(answers);
  for (let round = 1; round <= ROUNDS && bad.length > 0; round++) {
    await sleep(PAUSE_MS * round, null, { signal });
    const again = await once(
      line,
      way,
      bad.map((row) => items[row]!),
      read,
      signal,
    );
    if (again.kind === "fatal") return again;
    if (again.kind === "answered") bad.forEach((row, i) => (answers[row] = again.answers[i]!));
    bad = failedRows(answers);
  }
  return { kind: "answered", answers };
}

function failedRows(answers: readonly object[]): number[] {
  return answers.flatMap((answer, row) => (isAnswer(answer) ? [] : [row]));
}

async function once<A extends object>(
  { transport, traffic, redact }: Line,
  { candidate, writer }: Way,
  items: readonly Item[],
  read: Read<A>,
  signal: AbortSignal,
): Promise<Outcome<A>> {
  const id = traffic.identity();
  const { headers, body } = writer.request(items, id);
  const request = traffic.begin(id, body.length);
  let received = 0;
  const ended = (outcome: Outcome<A>): Outcome<A> => {
    const answered = outcome.kind === "answered" ? outcome.answers.filter(isAnswer).length : 0;
    request.end(wordFor(outcome, answered), received, answered);
    return "label" in outcome ? { ...outcome, request: id } : outcome;
  };
  try {
    const reply = await transport.send({ method: "POST", url: candidate.url, headers, body, id }, signal);
    received = reply.bytesReceived;
    return ended(outcomeOf(reply, candidate, items.length, read, id, redact));
  } catch (error) {
    if (error instanceof HttpFailure) {
      received = error.bytesReceived;
      return ended(outcomeOfFailure(error));
    }
    request.end("stopped", received, 0);
    throw error;
  }
}

/** As metrics.json counts it. */
function wordFor(outcome: Outcome<object>, answered: number): string {
  if (outcome.kind === "answered") return answered > 0 ? "answered" : "reply";
  return "label" in outcome ? outcome.label : "refused";
}

function isAnswer(answer: object): boolean {
  return !("failed" in answer);
}

function outcomeOf<A extends object>(
  reply: HttpReply,
  { protocol }: Candidate,
  rows: number,
  read: Read<A>,
  id: string,
  redact: (text: string) => string,
): Outcome<A> {
  if (reply.status !== 200) {
    const outcome = outcomeOfStatus(reply, protocol.errorText(redacted(reply, redact)), Date.now());
    return outcome.kind === "fatal" ? { ...outcome, status: reply.status } : outcome;
  }
  try {
    const answers = read(protocol.decode(reply, { id, shape: [rows] }), rows).map((answer) =>
      isBadRow(answer) ? { failed: redact(answer.bad).slice(0, MOST_WORDS), request: id } : answer,
    );
    return { kind: "answered", answers };
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
    return {
      kind: "retry",
      label: "reply",
      reason: complaint(reply, protocol, rows, read, id, redact),
      afterMs: null,
      overloaded: false,
      patience: 2,
    };
  }
}

/** A secret is taken out before any words are cut off, which could leave half of it. */
function redacted(reply: HttpReply, redact: (text: string) => string): HttpReply {
  return { ...reply, body: Buffer.from(redact(reply.body.toString("utf8", 0, MOST_READ))) };
}

/** What is wrong with a reply, found again in what may be shown of it. */
function complaint<A extends object>(
  reply: HttpReply,
  protocol: Protocol,
  rows: number,
  read: Read<A>,
  id: string,
  redact: (text: string) => string,
): string {
  try {
    read(
      protocol.decode(reply.body.length > MOST_READ ? reply : redacted(reply, redact), { id, shape: [rows] }),
      rows,
    );
    return "the reply is no answer";
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
    return redact(error.message).slice(0, MOST_WORDS);
  }
}

function isBadRow(answer: object): answer is BadRow {
  return "bad" in answer;
}
