import { ScorerError } from "../../errors.ts";
import { seededRandom } from "../../random.ts";
import type { Batch, PixelChoice, Scale } from "../../types.ts";
import { createDelivery, isNoAnswer, type Delivery } from "../delivery/delivery.ts";
import { shownUrl } from "../http/secrets.ts";
import type { StoredAnswer } from "../journal.ts";
import type { Images } from "../onnx.ts";
import type { NoAnswer, Outcome } from "../outcome.ts";
import { outputPlan, tensorOutputs, type OutputPlan } from "../outputs.ts";
import { ReplyError, type Answer } from "../protocols/protocol.ts";
import { discover } from "./discover.ts";
import { answersIn, concatenated, tensorsOf } from "./interpret.ts";
import type { EndpointHooks, EndpointOptions, Item } from "./options.ts";
import { ASKING_ONCE_MORE, attempt, type Line, type Way } from "./requests.ts";
import { Service } from "./service.ts";
import { ways, type Tried } from "./ways.ts";
import type { WriterPlan } from "./writer.ts";

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
/** Ways that an error names. */
const MOST_NAMED = 6;

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
  // Pixels as whole numbers come last, for services that take nothing else.
  for (const order of [0, 1]) {
    for (const tried of ways(candidates, options, images)) {
      const choice = trialChoices(tried.writerPlan)[order];
      if (choice === undefined) continue;
      const trial = trialDelivery(options, line, tried.way);
      const [first] = await deliverRaw(trial, probe, 1, images, choice, signal);
      if (first === undefined || isNoAnswer(first)) {
        refusals.push({
          way: tried.way,
          reason: first?.failed ?? "there are no images to try it with",
        });
        continue;
      }
      const found = await outputs(options, trial, tried, images, probe, signal);
      return { ...tried, ...found, server: service.server };
    }
  }
  throw notTaken(options, refusals);
}

interface Refusal {
  readonly way: Way;
  readonly reason: string;
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
          ASKING_ONCE_MORE,
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
  const refusals: NoAnswer[] = [];
  for (const choice of trialChoices(writerPlan)) {
    const raw = await deliverRaw(trial, probe, TRIAL_IMAGES, images, choice, signal);
    // Some services check that numbers lie between 0 and 1, and refuse all others.
    if (raw.every(isNoAnswer)) refusals.push(raw[0]!);
    else rounds.push({ choice, raw, answer: answerOf(raw, url) });
  }
  if (rounds.length === 0) {
    const images = Math.min(TRIAL_IMAGES, probe.labels.length);
    throw new ScorerError(
      `${url} answers for one image, but for none of ${images}: ${refusals[0]?.failed ?? ""}`,
    );
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
