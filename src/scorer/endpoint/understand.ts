import { setTimeout as sleep } from "node:timers/promises";

import { ScorerError } from "../../errors.ts";
import { seededRandom } from "../../random.ts";
import type { Batch, Layout, PixelChoice, Scale } from "../../types.ts";
import { inputPlans } from "../adapter.ts";
import { createDelivery, isNoAnswer, type Delivery } from "../delivery/delivery.ts";
import type { EndpointHooks, EndpointOptions } from "../endpoint.ts";
import { shownUrl } from "../http/secrets.ts";
import { waitUntilReady } from "../http/ready.ts";
import { HttpFailure, type HttpReply } from "../http/transport.ts";
import type { StoredAnswer } from "../journal.ts";
import type { Images } from "../onnx.ts";
import type { NoAnswer, Outcome } from "../outcome.ts";
import { outputPlan, tensorOutputs, type OutputPlan } from "../outputs.ts";
import { ReplyError, type Answer, type Form } from "../protocols/protocol.ts";
import { PROTOCOLS } from "../protocols/table.ts";
import { ROWS } from "../rows.ts";
import { discover, scoreUrl, starts, type Candidate } from "./discover.ts";
import { answersIn, concatenated, tensorsOf } from "./interpret.ts";
import { attempt, type Item, type Line, type Way } from "./requests.ts";
import { createWriter, type WriterPlan } from "./writer.ts";

/** What the images of the trial were answered, fed in one way. */
export interface EndpointTrial {
  readonly choice: PixelChoice;
  /** For the probe's images from its first on. */
  readonly answers: readonly (StoredAnswer | NoAnswer)[];
}

/** How a service takes images, and what it answers. */
export interface Understood {
  readonly way: Way;
  readonly writerPlan: WriterPlan;
  readonly plan: OutputPlan;
  readonly trials: readonly EndpointTrial[];
  /** The `Server` header, null without one. */
  readonly server: string | null;
}

/** One image's part of a reply that is not understood yet. */
interface RawRow {
  readonly answer: Answer;
  readonly row: number;
}

/** Images on which the outputs' meaning is told. */
const TRIAL_IMAGES = 64;
/** How often a question about the service itself is asked. */
const QUESTION_ATTEMPTS = 3;
const QUESTION_PAUSE_MS = 200;
const QUESTION_TIMEOUT_MS = 10_000;
/** A service of which nothing is known: the tutorial's shape first. */
const UNKNOWN_LAYOUTS: readonly Layout[] = ["flat", "nchw", "nhwc", "nhw"];
/** Ways that an error names. */
const MOST_NAMED = 6;

const DATATYPES: Readonly<Record<string, WriterPlan["type"]>> = {
  FP32: "float32",
  DT_FLOAT: "float32",
  FP64: "float64",
  DT_DOUBLE: "float64",
  UINT8: "uint8",
  DT_UINT8: "uint8",
};

/**
 * Waits for a service, asks it what it is, and tries the ways to write images that make sense until it answers one.
 *
 * @throws ScorerError where none is answered, or where the answers hold neither labels nor scores
 */
export async function understand(
  options: EndpointOptions,
  line: Line,
  images: Images,
  probe: Batch,
  hooks: EndpointHooks,
  signal: AbortSignal,
): Promise<Understood> {
  const service = new Service(options, line, signal);
  await service.ready(hooks);
  const candidates = await discover(options, (path) => service.ask(path));
  const refusals: Refusal[] = [];
  for (const tried of ways(candidates, options, images)) {
    const { way, writerPlan } = tried;
    const trial = trialDelivery(options, line, way);
    const [first] = await deliverRaw(trial, probe, 1, images, trialChoices(writerPlan)[0]!, signal);
    if (first === undefined || isNoAnswer(first)) {
      refusals.push({ way, reason: first?.failed ?? "there are no images to try it with" });
      continue;
    }
    return {
      ...tried,
      ...(await outputs(options, trial, tried, images, probe, signal)),
      server: service.server,
    };
  }
  throw notTaken(options, refusals);
}

/** The service's routes other than the one for images. */
class Service {
  readonly #options: EndpointOptions;
  readonly #line: Line;
  readonly #signal: AbortSignal;
  server: string | null = null;
  #asked = 0;

  constructor(options: EndpointOptions, line: Line, signal: AbortSignal) {
    this.#options = options;
    this.#line = line;
    this.#signal = signal;
  }

  async ready({ onWait }: EndpointHooks): Promise<void> {
    const paths = starts(this.#options).flatMap(({ name, target }) => PROTOCOLS[name].readyPaths(target));
    await waitUntilReady((path) => this.#get(path), [...new Set(paths)], {
      limitMs: this.#options.waitMs,
      onWait,
      now: () => performance.now(),
      sleep: (ms) => sleep(ms, undefined, { signal: this.#signal }),
      signal: this.#signal,
    });
  }

  /** Null where nothing can be learned. What may pass is asked again. */
  async ask(path: string): Promise<HttpReply | null> {
    for (let attempt = 1; ; attempt++) {
      const reply = await this.#get(path).catch((error: unknown) => {
        if (error instanceof HttpFailure) return null;
        throw error;
      });
      const passing = reply === null || reply.status === 429 || reply.status >= 500;
      if (!passing || attempt === QUESTION_ATTEMPTS) return reply;
      await sleep(QUESTION_PAUSE_MS * attempt, null, { signal: this.#signal });
    }
  }

  async #get(path: string): Promise<HttpReply> {
    this.#asked += 1;
    const { url, timeoutMs } = this.#options;
    const reply = await this.#line.transport.send(
      {
        method: "GET",
        url: scoreUrl(url, path === "" ? "/" : path),
        headers: {},
        body: null,
        id: `${this.#line.traffic.run}-q${this.#asked}`,
        timeoutMs: Math.min(timeoutMs, QUESTION_TIMEOUT_MS),
      },
      this.#signal,
    );
    this.server ??= reply.headers["server"] ?? null;
    return reply;
  }
}

interface Tried {
  readonly way: Way;
  readonly writerPlan: WriterPlan;
}

interface Refusal {
  readonly way: Way;
  readonly reason: string;
}

/** Every way to write images that makes sense, most likely first: all forms flat before any other layout. */
function* ways(
  candidates: readonly Candidate[],
  { layout }: EndpointOptions,
  images: Images,
): Generator<Tried> {
  for (const candidate of candidates) {
    const plans = forms(candidate).flatMap((form) =>
      plansFor(candidate, form, images, layout).map((plan, order) => ({ form, plan, order })),
    );
    for (const { form, plan } of plans.sort((a, b) => a.order - b.order)) {
      const url =
        form.path === undefined ? candidate.url : scoreUrl(candidate.url, form.path(candidate.target));
      yield {
        way: { candidate: { ...candidate, url }, writer: createWriter(form, plan, images.shape) },
        writerPlan: plan,
      };
    }
  }
}

function forms({ protocol, finding }: Candidate): readonly Form[] {
  const said = protocol.forms.filter(({ name }) => finding.forms?.includes(name) ?? true);
  const usable = said.length > 0 ? said : protocol.forms;
  const wanted = finding.input && DATATYPES[finding.input.datatype];
  const fitting = usable.filter(({ element }) => element === wanted);
  return fitting.length > 0 ? fitting : usable;
}

function plansFor(
  candidate: Candidate,
  { element, row }: Form,
  images: Images,
  wanted: Layout | "auto",
): WriterPlan[] {
  const input = candidate.finding.input ?? null;
  const common = { type: element, input };
  if (ROWS[row].picture) return [{ ...common, layout: "nhw", channels: 1, turned: false }];
  if (input === null || input.shape.length === 0) {
    const layouts = wanted === "auto" ? UNKNOWN_LAYOUTS : [wanted];
    return layouts.map((layout) => ({ ...common, layout, channels: 1, turned: false }));
  }
  const shape = input.shape.map((size, i) => (size < 0 || i === 0 ? "" : size));
  const metadata = [{ name: input.name, isTensor: true, type: element, shape }] as const;
  return inputPlans(shownUrl(candidate.url), metadata, images.shape, wanted).map((plan) => ({
    ...common,
    layout: plan.layout,
    channels: plan.channels,
    turned: plan.turned,
  }));
}

/** Two scales that are far apart, so that what holds for both holds for the model. */
function trialChoices({ type, turned }: WriterPlan): PixelChoice[] {
  const scales: readonly Scale[] = type === "uint8" ? ["raw"] : ["unit", "raw"];
  return scales.map((scale) => ({ scale, invert: false, transpose: turned }));
}

function trialDelivery(options: EndpointOptions, line: Line, way: Way): Delivery<Item, RawRow> {
  return createDelivery<Item, RawRow>({
    attempt: async (items, signal) =>
      refusedHere(
        await attempt(
          line,
          way,
          items,
          (answer, rows) => Array.from({ length: rows }, (_, row) => ({ answer, row })),
          signal,
        ),
      ),
    bytesOf: (item) => way.writer.bytesOf(item),
    overheadBytes: way.writer.overheadBytes,
    maxBytes: options.maxRequestBytes,
    maxItems: Math.min(options.requestImages, way.writer.mostRows),
    concurrency: 1,
    retries: options.retries,
    slowMs: Infinity,
    random: seededRandom(options.seed),
  });
}

/** Statuses that another way to write images, or another path, may not meet. */
const WAY_REFUSED = new Set([404, 405, 406, 415, 501]);

/** What stops a run is only one refusal of many here. */
function refusedHere<A>(outcome: Outcome<A>): Outcome<A> {
  if (outcome.kind !== "fatal" || outcome.status === undefined || !WAY_REFUSED.has(outcome.status))
    return outcome;
  return { kind: "refused", label: String(outcome.status), reason: outcome.error.message };
}

async function deliverRaw(
  trial: Delivery<Item, RawRow>,
  probe: Batch,
  count: number,
  { shape }: Images,
  choice: PixelChoice,
  signal: AbortSignal,
): Promise<readonly (RawRow | NoAnswer)[]> {
  const size = shape[0] * shape[1];
  const items = Array.from({ length: Math.min(count, probe.labels.length) }, (_, i) => ({
    index: probe.indices[i]!,
    pixels: probe.pixels.subarray(i * size, (i + 1) * size),
    choice,
  }));
  return await trial.deliver(items, signal);
}

/** What the outputs are, from the answers for some dozens of images at each of two scales. */
async function outputs(
  options: EndpointOptions,
  trial: Delivery<Item, RawRow>,
  { way, writerPlan }: Tried,
  images: Images,
  probe: Batch,
  signal: AbortSignal,
): Promise<Pick<Understood, "plan" | "trials">> {
  const url = shownUrl(way.candidate.url);
  const rounds = [];
  for (const choice of trialChoices(writerPlan)) {
    const raw = await deliverRaw(trial, probe, TRIAL_IMAGES, images, choice, signal);
    rounds.push({ choice, raw, answer: answerOf(raw, url) });
  }
  const rows = Math.min(...rounds.map(({ raw }) => raw.filter((row) => !isNoAnswer(row)).length));
  const all = rounds.map(({ answer }) => tensorsOf(firstRows(answer, rows), images.classes));
  const tensors = tensorOutputs(url, all[0]!.tensors, options.output);
  const plan = outputPlan(
    url,
    tensors,
    all.map(({ outputs }) => outputs),
    rows,
    images.classes,
  );
  const trials = rounds.map(({ choice, raw, answer }) => ({
    choice,
    answers: understoodRows(raw, answer, plan, images.classes),
  }));
  return { plan, trials };
}

/** The replies to a trial's requests as one; its rows are the images that were answered. */
function answerOf(raw: readonly (RawRow | NoAnswer)[], url: string): Answer {
  const answered = raw.flatMap((row) => (isNoAnswer(row) ? [] : [row]));
  const replies = [...new Set(answered.map(({ answer }) => answer))];
  const failed = raw.find(isNoAnswer);
  if (replies.length === 0) {
    throw new ScorerError(`${url} answers for one image but not for ${raw.length}: ${failed?.failed ?? ""}`);
  }
  try {
    return concatenated(replies);
  } catch (error) {
    if (error instanceof ReplyError) throw new ScorerError(`${url} cannot be read: ${error.message}`);
    throw error;
  }
}

function firstRows(answer: Answer, rows: number): Answer {
  return Object.fromEntries(
    Object.entries(answer).map(([name, values]) => {
      const { dims, data } = values;
      const all = dims[0] ?? 1;
      if (all <= rows) return [name, values];
      const kept = data.slice(0, (data.length / all) * rows);
      return [name, { ...values, dims: [rows, ...dims.slice(1)], data: kept }];
    }),
  );
}

function understoodRows(
  raw: readonly (RawRow | NoAnswer)[],
  answer: Answer,
  plan: OutputPlan,
  classes: readonly string[],
): (StoredAnswer | NoAnswer)[] {
  const answered = raw.filter((row) => !isNoAnswer(row)).length;
  const rows = answersIn(answer, plan, answered, classes);
  let next = 0;
  return raw.map((row) => {
    if (isNoAnswer(row)) return row;
    const stored = rows[next++]!;
    return "bad" in stored ? { failed: stored.bad } : stored;
  });
}

function notTaken({ url }: EndpointOptions, refusals: readonly Refusal[]): ScorerError {
  const [first] = refusals;
  if (first === undefined) return new ScorerError(`${shownUrl(url)}: there is no way to send it images`);
  const names = refusals.map(({ way }) => `${way.candidate.name} ${way.writer.form.name}`);
  const tried = [...new Set(names)].slice(0, MOST_NAMED).join(", ");
  return new ScorerError(
    `${shownUrl(first.way.candidate.url)} takes no images as ${tried}: ${first.reason}. ` +
      "Name how it takes them with --protocol, --layout or --model-name, and check that the URL is that of the model",
  );
}
