import { ScorerError } from "../../errors.ts";
import type { Batch, PixelChoice } from "../../types.ts";
import { isNoAnswer, type Delivery } from "../delivery/delivery.ts";
import { shownUrl } from "../http/secrets.ts";
import type { StoredAnswer } from "../journal.ts";
import type { Images } from "../onnx.ts";
import type { NoAnswer } from "../outcome.ts";
import { outputPlan, tensorOutputs, type OutputPlan } from "../outputs.ts";
import type { Answer } from "../protocols/protocol.ts";
import { discover } from "./discover.ts";
import { tensorsOf } from "./interpret.ts";
import type { EndpointHooks, EndpointOptions, Item } from "./options.ts";
import { TRIED_IMAGES, type Line, type Way } from "./requests.ts";
import { Service } from "./service.ts";
import { taken } from "./taken.ts";
import { deliverRaw, trialChoices, trialDelivery } from "./trial.ts";
import { joined, picked, understoodRows, type RawRow } from "./trial-rows.ts";
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
  const candidates = await discover(options, (path, method) => service.ask(path, method));
  const tried = await taken([...ways(candidates, options, images)], options, line, images, probe, signal);
  const found = await outputs(options, line, tried, images, probe, signal);
  return { ...found, writerPlan: tried.writerPlan, server: service.server };
}

/** What the outputs are, from the answers for some dozens of images at each of two scales. */
async function outputs(
  options: EndpointOptions,
  line: Line,
  { way: wide, writerPlan }: Tried,
  images: Images,
  probe: Batch,
  signal: AbortSignal,
): Promise<Pick<Understood, "way" | "plan" | "trials">> {
  const url = shownUrl(wide.candidate.url);
  // Some services take one image at a time.
  const narrow: Way = { ...wide, writer: { ...wide.writer, mostRows: 1 } };
  const atOnce = await rounds(trialDelivery(options, line, wide), writerPlan, images, probe, signal);
  const [way, all] = atOnce.some(isAnswered)
    ? [wide, atOnce]
    : [narrow, await rounds(trialDelivery(options, line, narrow), writerPlan, images, probe, signal)];
  const answered = telling(all).map((round) => ({ ...round, answer: joined(round.raw, url) }));
  if (answered.length === 0) {
    const failed = all.flatMap(({ raw }) => raw).find(isNoAnswer)?.failed ?? "";
    throw new ScorerError(`${url} answers for one image, but for none of ${all[0]?.raw.length}: ${failed}`);
  }
  const { plan, trials } = planOf(url, answered, options.output, images.classes);
  return { way, plan, trials };
}

/** The trial's images, fed in one way. */
interface Round {
  readonly choice: PixelChoice;
  readonly raw: readonly (RawRow | NoAnswer)[];
}

async function rounds(
  trial: Delivery<Item, RawRow>,
  writerPlan: WriterPlan,
  images: Images,
  probe: Batch,
  signal: AbortSignal,
): Promise<readonly Round[]> {
  return await Promise.all(
    trialChoices(writerPlan).map(async (choice) => ({
      choice,
      raw: await deliverRaw(trial, probe, { start: 0, count: TRIED_IMAGES }, images, choice, signal),
    })),
  );
}

/** Some services check that numbers lie between 0 and 1, and refuse all others. */
function isAnswered({ raw }: Round): boolean {
  return !raw.every(isNoAnswer);
}

/** Without rounds of which so few images were answered that they would cut the others short. */
function telling(rounds: readonly Round[]): readonly Round[] {
  const most = Math.max(...rounds.map(answeredIn));
  return rounds.filter((round) => isAnswered(round) && answeredIn(round) >= most / 2);
}

function answeredIn({ raw }: Round): number {
  return raw.filter((row) => !isNoAnswer(row)).length;
}

function planOf(
  url: string,
  rounds: readonly (Round & { readonly answer: Answer })[],
  wanted: string | null,
  classes: readonly string[],
): Pick<Understood, "plan" | "trials"> {
  const rows = Math.min(...rounds.map(answeredIn));
  const first = [...Array(rows).keys()];
  const all = rounds.map(({ answer }) => tensorsOf(picked(answer, first), classes));
  const tensors = tensorOutputs(url, all[0]!.tensors, wanted);
  const answers = all.map(({ outputs }) => outputs);
  const plan = outputPlan(url, tensors, answers, rows, classes);
  const trials = rounds.map(({ choice, raw, answer }) => ({
    choice,
    answers: understoodRows(raw, answer, plan, classes, url),
  }));
  return { plan, trials };
}
