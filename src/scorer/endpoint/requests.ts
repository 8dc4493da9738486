import { ScorerError } from "../../errors.ts";
import type { Watchdog } from "../delivery/delivery.ts";
import { outcomeOfFailure, outcomeOfStatus } from "../http/classify.ts";
import { HttpFailure, type HttpReply, type Transport } from "../http/transport.ts";
import type { NoAnswer, Outcome } from "../outcome.ts";
import { OtherReplyError, ReplyError, type Answer } from "../protocols/protocol.ts";
import type { BadRow } from "./interpret.ts";
import type { Candidate } from "./discover.ts";
import type { Item } from "./options.ts";
import { pause } from "./pause.ts";
import { longestReply } from "./reply-size.ts";
import type { TrafficLog } from "./traffic.ts";
import type { Writer } from "./writer.ts";

/** What sends requests, whatever they hold. */
export interface Line {
  readonly transport: Transport;
  readonly traffic: TrafficLog;
  /** Takes the secrets out of a text. */
  readonly redact: (text: string) => string;
  readonly watchdog: Watchdog;
  /** Of the data set: scores that a reply has for an image. */
  readonly classes: number;
}

/** How images are written for a service, and where they go. */
export interface Way {
  readonly candidate: Candidate;
  readonly writer: Writer;
  readonly learned: Learned;
}

/** What the service's replies show. */
export interface Learned {
  /** Whether it gives requests' identities back: some make up their own. */
  echoesId: boolean | null;
  /** Where requests are redirected. */
  redirected: URL | null;
}

/** Reads the rows of a reply. @throws ReplyError */
export type Read<A> = (answer: Answer, rows: number) => readonly (A | BadRow)[];

/** Bytes of a reply in which its words are looked for. */
const MOST_READ = 1 << 16;
/** Of a text of the service's that is repeated. */
const MOST_WORDS = 300;
/** Images in a request that is tried out, and the parts of which those that are refused are unanswered. */
export const TRIED_IMAGES = 60;
const TRIED_PARTS = 6;
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
    await pause(PAUSE_MS * round, signal);
    const open = bad.map((row) => items[row]!);
    const again = await once(line, way, open, read, signal);
    if (again.kind === "fatal") return again;
    if (again.kind === "answered") bad.forEach((row, i) => (answers[row] = again.answers[i]!));
    bad = failedRows(answers);
  }
  return { kind: "answered", answers };
}

/**
 * The same while it is tried how the pixels are fed: a way that the model is not made for may well be refused each time,
 * or give no numbers. What the service does not answer is asked once more in parts, and not looked for image by image.
 */
export async function tryOut<A extends object>(
  line: Line,
  way: Way,
  items: readonly Item[],
  read: Read<A>,
  signal: AbortSignal,
): Promise<Outcome<A>> {
  const whole = await once(line, way, items, read, signal);
  if (!isNoUse(whole)) return whole;
  const answers: (A | NoAnswer)[] = [];
  const size = Math.ceil(items.length / TRIED_PARTS);
  for (let start = 0; start < items.length; start += size) {
    const part = items.slice(start, start + size);
    const outcome = await once(line, way, part, read, signal);
    if (outcome.kind === "answered") answers.push(...outcome.answers);
    else if ("reason" in outcome && isNoUse(outcome)) answers.push(...part.map(() => noAnswer(outcome)));
    else return outcome;
  }
  return { kind: "answered", answers };
}

function noAnswer({
  reason: failed,
  request,
}: {
  readonly reason: string;
  readonly request?: string;
}): NoAnswer {
  return request === undefined ? { failed } : { failed, request };
}

/** What splitting would be for. */
function isNoUse(outcome: Outcome<object>): boolean {
  if (outcome.kind === "answered") return outcome.answers.some((answer) => !isAnswer(answer));
  if (outcome.kind === "retry") return outcome.patience !== null && !outcome.overloaded;
  return outcome.kind === "refused";
}

function failedRows(answers: readonly object[]): number[] {
  return answers.flatMap((answer, row) => (isAnswer(answer) ? [] : [row]));
}

async function once<A extends object>(
  { transport, traffic, redact, classes }: Line,
  way: Way,
  items: readonly Item[],
  read: Read<A>,
  signal: AbortSignal,
): Promise<Outcome<A>> {
  const { candidate, writer } = way;
  const id = traffic.identity();
  const { headers, body } = writer.request(items, id);
  const rows = writer.rows(items.length);
  const request = traffic.begin(id, body.length);
  let received = 0;
  const ended = (outcome: Outcome<A>): Outcome<A> => {
    const answered = outcome.kind === "answered" ? outcome.answers.filter(isAnswer).length : 0;
    request.end(wordFor(outcome, answered), received, answered);
    const shown = withoutSecrets(outcome, redact);
    return "label" in shown ? { ...shown, request: id } : shown;
  };
  try {
    const onResend = ({ kind }: HttpFailure): void => request.lost(kind);
    const maxReplyBytes = longestReply(body.length, rows, classes);
    const post = { method: "POST", url: candidate.url, headers, body, id, maxReplyBytes, onResend } as const;
    const reply = await transport.send(post, signal);
    received = reply.bytesReceived;
    way.learned.redirected = reply.redirected ?? way.learned.redirected;
    const readRows = (seen: HttpReply): readonly (A | BadRow)[] =>
      read(decode(seen, way, id, rows), rows).slice(0, items.length);
    return ended(outcomeOf(reply, candidate, readRows, id, redact));
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

/** @throws ReplyError */
function decode(reply: HttpReply, { candidate, learned }: Way, id: string, rows: number): Answer {
  const { protocol } = candidate;
  const shape = [rows];
  if (learned.echoesId === false) return protocol.decode(reply, { id: null, shape });
  try {
    const answer = protocol.decode(reply, { id, shape });
    learned.echoesId = true;
    return answer;
  } catch (error) {
    if (!(error instanceof OtherReplyError) || learned.echoesId === true) throw error;
    learned.echoesId = false;
    return protocol.decode(reply, { id: null, shape });
  }
}

function outcomeOf<A extends object>(
  reply: HttpReply,
  { protocol }: Candidate,
  readRows: (reply: HttpReply) => readonly (A | BadRow)[],
  id: string,
  redact: (text: string) => string,
): Outcome<A> {
  if (reply.status !== 200) {
    const outcome = outcomeOfStatus(reply, protocol.errorText(redacted(reply, redact)), Date.now());
    return outcome.kind === "fatal" ? { ...outcome, status: reply.status } : outcome;
  }
  try {
    const answers = readRows(reply).map((answer) =>
      isBadRow(answer) ? { failed: redact(answer.bad).slice(0, MOST_WORDS), request: id } : answer,
    );
    return { kind: "answered", answers };
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
    return {
      kind: "retry",
      label: "reply",
      reason: complaint(reply, readRows, redact),
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
function complaint(
  reply: HttpReply,
  readRows: (reply: HttpReply) => unknown,
  redact: (text: string) => string,
): string {
  try {
    readRows(reply.body.length > MOST_READ ? reply : redacted(reply, redact));
    return "the reply is no answer";
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
    return redact(error.message).slice(0, MOST_WORDS);
  }
}

/** The words of an outcome come from the service, in its headers too. */
function withoutSecrets<A>(outcome: Outcome<A>, redact: (text: string) => string): Outcome<A> {
  if ("reason" in outcome) return { ...outcome, reason: redact(outcome.reason) };
  if (outcome.kind !== "fatal") return outcome;
  const error = new ScorerError(redact(outcome.error.message), { cause: outcome.error });
  return { ...outcome, error };
}

function isBadRow(answer: object): answer is BadRow {
  return "bad" in answer;
}
