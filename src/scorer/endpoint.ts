import { seededRandom } from "../random.ts";
import type {
  Batch,
  EndpointFacts,
  PixelChoice,
  RequestRecord,
  Scorer,
  ScorerDescription,
  Scores,
} from "../types.ts";
import { choicesFor } from "./choices.ts";
import { createDelivery, isNoAnswer, Watchdog, type Delivery } from "./delivery/delivery.ts";
import type { Candidate } from "./endpoint/discover.ts";
import { answersIn } from "./endpoint/interpret.ts";
import type { EndpointHooks, EndpointOptions, Item } from "./endpoint/options.ts";
import { attempt, TRIED_IMAGES, tryOut, type Line } from "./endpoint/requests.ts";
import { trafficLog } from "./endpoint/traffic.ts";
import { continued, entriesOf, Known, NOTHING_KNOWN } from "./endpoint/known.ts";
import { understand, type Understood } from "./endpoint/understand.ts";
import { redactor, shownUrl } from "./http/secrets.ts";
import { openTransport } from "./http/transport.ts";
import type { OutputPlan } from "./outputs.ts";
import { scoreTables, writeScores } from "./answers.ts";
import { openJournal, type StoredAnswer } from "./journal.ts";
import type { Images } from "./onnx.ts";
import type { Answer } from "./protocols/protocol.ts";
import { WHOLE_NUMBERS, type Stated } from "./stated.ts";

export type { EndpointHooks, EndpointOptions } from "./endpoint/options.ts";

/** A service that is understood: which protocol it speaks, and what it answers. */
export interface OpenedEndpoint {
  /** The ways of feeding pixels that make sense for it. */
  readonly choices: readonly PixelChoice[];
  /** What the type of its input says of them; null: nothing. */
  readonly stated: Stated | null;
  readonly scorer: (choice: PixelChoice) => Scorer;
  readonly warnings: readonly string[];
  /** Leaves what is answered to the next run. */
  close(): Promise<void>;
  /** The run is done: what is answered need not be kept. */
  finish(): void;
}

/** Share of the time-out that a request may take before later ones are made smaller. */
const SLOW_SHARE = 0.5;
/** No class, but where there are 256 of them. */
const UNANSWERED = 255;
/** Enough to keep requests of full size under way while the first batch waits for its last answer. */
const BATCHES_AT_ONCE = 3;
/**
 * Finds out which protocol a service speaks, how it takes images and what it answers, by its metadata and by asking it
 * about a few of them.
 *
 * @param probe some of the data set's images
 * @throws ScorerError where it cannot be reached or used
 */
export async function openEndpoint(
  options: EndpointOptions,
  images: Images,
  probe: Batch,
  hooks: EndpointHooks,
  signal: AbortSignal,
): Promise<OpenedEndpoint> {
  const line: Line = {
    transport: openTransport({
      connections: options.concurrency,
      timeoutMs: options.timeoutMs,
      headers: options.headers,
      key: options.key,
    }),
    traffic: trafficLog(() => performance.now()),
    redact: redactor(options.secrets),
    watchdog: new Watchdog(Math.max(options.waitMs, options.timeoutMs), () => performance.now()),
    classes: images.classes.length,
  };
  try {
    const understood = await understand(options, line, images, probe, hooks, signal);
    return opened(options, line, images, understood, probe);
  } catch (error) {
    await line.transport.close();
    throw error;
  }
}

function opened(
  options: EndpointOptions,
  line: Line,
  images: Images,
  understood: Understood,
  probe: Batch,
): OpenedEndpoint {
  const { way, plan, writerPlan } = understood;
  const journal = openJournal(
    options.journalFolder,
    bindingOf(options, line, images, understood),
    images.classes.length,
  );
  const warnings = continued(journal, understood, probe);
  const known = new Known(journal);
  for (const trial of understood.trials) known.keep(trial.choice, entriesOf(trial, probe));
  const read = (answer: Answer, rows: number) => answersIn(answer, plan, rows, images.classes);
  const deliveryOf = (maxItems: number, send: typeof attempt): Delivery<Item, StoredAnswer> =>
    createDelivery({
      attempt: (items, signal) => send(line, way, items, read, signal),
      ...way.writer,
      maxBytes: options.maxRequestBytes,
      maxItems: Math.min(maxItems, options.requestImages, way.writer.mostRows),
      concurrency: options.concurrency,
      retries: options.retries,
      slowMs: options.timeoutMs * SLOW_SHARE,
      watchdog: line.watchdog,
      random: seededRandom(options.seed),
    });
  const trying = deliveryOf(TRIED_IMAGES, tryOut);
  const scoring = deliveryOf(Infinity, attempt);
  const close = async (): Promise<void> => {
    journal.close();
    await line.transport.close();
  };
  return {
    choices: choicesFor(writerPlan),
    stated: writerPlan.type === "uint8" ? WHOLE_NUMBERS : null,
    warnings,
    scorer: (choice) => ({
      describe: () => description(options, understood, choice),
      score: (batch, signal) =>
        score(batch, choice, images, plan, known, known.trying ? trying : scoring, signal),
      askAgain: (batch, signal) => score(batch, choice, images, plan, NOTHING_KNOWN, scoring, signal),
      batchesAtOnce: BATCHES_AT_ONCE,
      traffic: {
        observe(listener: (record: RequestRecord) => void) {
          known.mainRun();
          line.traffic.observe(listener);
        },
        resumed: () => known.resumed,
      },
      close,
    }),
    close,
    finish: () => journal.remove(),
  };
}

/** All that an answer depends on but the image and how it is fed. No secret is part of it. */
function bindingOf(
  options: EndpointOptions,
  { redact }: Line,
  images: Images,
  { way, plan, writerPlan }: Understood,
): unknown {
  const { candidate, writer } = way;
  return {
    url: redact(candidate.url.href),
    protocol: candidate.name,
    form: writer.form.name,
    headers: Object.entries(options.headers).map(([name, value]) => [name, redact(value)]),
    layout: writerPlan.layout,
    type: writerPlan.type,
    channels: writerPlan.channels,
    classes: images.classes,
    shape: images.shape,
    output: { scores: plan.scores, label: plan.label, meaning: plan.meaning },
  };
}

async function score(
  { indices, pixels, labels }: Batch,
  choice: PixelChoice,
  { shape, classes }: Images,
  plan: OutputPlan,
  known: Pick<Known, "find" | "keep">,
  delivery: Delivery<Item, StoredAnswer>,
  signal: AbortSignal,
): Promise<Scores> {
  const size = shape[0] * shape[1];
  const items = Array.from(labels, (_, i): Item => ({
    index: indices[i]!,
    pixels: pixels.subarray(i * size, (i + 1) * size),
    choice,
  }));
  const answers: (StoredAnswer | null)[] = items.map((item) => known.find(item));
  const open = answers.flatMap((answer, row) => (answer === null ? [row] : []));
  const failed = new Map<number, { reason: string; request?: string }>();
  const results = await delivery.deliver(
    open.map((row) => items[row]!),
    signal,
    (answered, their) =>
      known.keep(
        choice,
        answered.map(({ index, pixels }, i) => ({ index, pixels, answer: their[i]! })),
      ),
  );
  results.forEach((result, i) => {
    if (!isNoAnswer(result)) answers[open[i]!] = result;
    else {
      const { failed: reason, request } = result;
      failed.set(open[i]!, request === undefined ? { reason } : { reason, request });
    }
  });
  return { ...together(answers, plan, classes.length), ...(failed.size === 0 ? {} : { failed }) };
}

function together(
  answers: readonly (StoredAnswer | null)[],
  { scores, label, meaning }: OutputPlan,
  classes: number,
): Scores {
  const labels = new Uint8Array(answers.length).fill(UNANSWERED);
  const tables = scores === null ? null : scoreTables(meaning, answers.length, classes);
  answers.forEach((answer, row) => {
    if (answer === null) return;
    labels[row] = answer.label;
    if (answer.scores !== null && tables !== null) writeScores(answer.scores, tables, row, 1, classes);
  });
  return { labels, probabilities: null, ...tables, ...(label !== null && { labelled: true }) };
}

function description(
  { url }: EndpointOptions,
  { way, plan, writerPlan, server }: Understood,
  choice: PixelChoice,
): ScorerDescription {
  const { candidate, writer } = way;
  return {
    kind: "endpoint",
    name: nameOf(candidate, url),
    url: shownUrl(way.learned.redirected ?? candidate.url),
    protocol: candidate.name,
    preprocessing: { ...choice, layout: writerPlan.layout },
    endpoint: {
      model: candidate.target.model,
      version: candidate.finding.version ?? candidate.target.version,
      server,
      encoding: writer.form.name,
      found: candidate.found,
      output: plan.description,
      meaning: plan.meaning,
    } satisfies EndpointFacts,
  };
}

function nameOf({ target }: Candidate, url: URL): string {
  return target.model === null
    ? `${url.host}${url.pathname.replace(/\/$/, "")}`
    : `${target.model} at ${url.host}`;
}
