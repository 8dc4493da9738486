import { ScorerError } from "../../errors.ts";
import type { Batch, PixelChoice } from "../../types.ts";
import { isNoAnswer } from "../delivery/delivery.ts";
import { shownUrl } from "../http/secrets.ts";
import type { Images } from "../onnx.ts";
import type { EndpointOptions } from "./options.ts";
import type { Line } from "./requests.ts";
import { asItIs, deliverRaw, trialChoices, trialDelivery, WAY_REFUSED, type Seen } from "./trial.ts";
import type { Tried } from "./ways.ts";

/** Ways that an error names. */
const MOST_NAMED = 6;

/**
 * The first way in which an image is taken. Where the server fails, that may be for the way: the others come before any
 * long wait for it to pass. It may be for the image, too: another one comes before that is told. Pixels as whole numbers
 * come last, for services that take nothing else.
 *
 * @throws ScorerError where none is taken
 */
export async function taken(
  all: readonly Tried[],
  options: EndpointOptions,
  line: Line,
  images: Images,
  probe: Batch,
  signal: AbortSignal,
): Promise<Tried> {
  const attempts = [0, 1].flatMap((order) =>
    all.flatMap((tried): Attempt[] => {
      const choice = trialChoices(tried.writerPlan)[order];
      return choice === undefined ? [] : [{ tried, choice }];
    }),
  );
  const tryAll = async (some: readonly Attempt[], image: number, seen: Seen): Promise<Tried | Refusal[]> => {
    const refusals: Refusal[] = [];
    for (const { tried, choice } of some) {
      const trial = trialDelivery(options, line, tried.way, seen);
      const [answer] = await deliverRaw(trial, probe, { start: image, count: 1 }, images, choice, signal);
      if (answer !== undefined && !isNoAnswer(answer)) return tried;
      refusals.push({ tried, choice, reason: answer?.failed ?? "there are no images to try it with" });
    }
    return refusals;
  };
  const first = await tryAll(attempts, 0, hurried);
  if (!Array.isArray(first)) return first;
  const another = probe.labels.length >> 1;
  const again = another === 0 ? [] : await tryAll(first.filter(mayBeTheImage), another, hurried);
  if (!Array.isArray(again)) return again;
  if (!first.some(({ reason }) => SERVER_FAILED.test(reason))) throw notTaken(options, first);
  const patient = await tryAll(attempts, 0, asItIs);
  if (!Array.isArray(patient)) return patient;
  throw notTaken(options, patient);
}

/** A way to write images and to feed their pixels. */
interface Attempt {
  readonly tried: Tried;
  readonly choice: PixelChoice;
}

interface Refusal extends Attempt {
  readonly reason: string;
}

/** Statuses of a service that does not get as far as the image. */
const UNREACHED = new Set([429, 502, 503, 504]);

function mayBeTheImage({ reason }: Refusal): boolean {
  const status = Number(/^(?:the service answered )?(\d{3})\b/.exec(reason)?.[1]);
  return !WAY_REFUSED.has(status) && !UNREACHED.has(status);
}

/** Of a status or a reason. */
const SERVER_FAILED = /^(424|5\d\d)\b/;
/** How often a server that fails is asked again before the other ways are tried. */
const HURRIED_RETRIES = 1;

const hurried: Seen = (outcome) =>
  outcome.kind === "retry" && SERVER_FAILED.test(outcome.label)
    ? { ...outcome, patience: HURRIED_RETRIES, overloaded: false }
    : outcome;

function notTaken({ url }: EndpointOptions, refusals: readonly Refusal[]): ScorerError {
  const [first] = refusals;
  if (first === undefined) return new ScorerError(`${shownUrl(url)}: there is no way to send it images`);
  const names = refusals.map(({ tried: { way } }) => `${way.candidate.name} ${way.writer.form.name}`);
  const tried = [...new Set(names)].slice(0, MOST_NAMED).join(", ");
  // Some reasons tell what to do themselves.
  const advice = /[.?]$/.test(first.reason)
    ? ""
    : ". Name how it takes them with --protocol, --layout or --model-name, and check that the URL is that of the model.";
  return new ScorerError(
    `${shownUrl(first.tried.way.candidate.url)} takes no images: ${first.reason}${advice} They were sent as ${tried}`,
  );
}
