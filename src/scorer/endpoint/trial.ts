import { seededRandom } from "../../random.ts";
import type { Batch, PixelChoice, Scale } from "../../types.ts";
import { createDelivery, type Delivery } from "../delivery/delivery.ts";
import type { Images } from "../onnx.ts";
import type { NoAnswer, Outcome } from "../outcome.ts";
import type { EndpointOptions, Item } from "./options.ts";
import { TRIED_IMAGES, tryOut, type Line, type Way } from "./requests.ts";
import { rawRows, type RawRow } from "./trial-rows.ts";
import type { WriterPlan } from "./writer.ts";

/** What an outcome means while ways are tried. */
export type Seen = (outcome: Outcome<RawRow>) => Outcome<RawRow>;

export const asItIs: Seen = (outcome) => outcome;

/** Two scales that are far apart, so that what holds for both holds for the model. */
export function trialChoices({ type, turned }: WriterPlan): PixelChoice[] {
  const scales: readonly Scale[] = type === "uint8" ? ["raw"] : ["unit", "raw"];
  return scales.map((scale) => ({ scale, invert: false, transpose: turned }));
}

export function trialDelivery(
  options: EndpointOptions,
  line: Line,
  way: Way,
  seen: Seen = asItIs,
): Delivery<Item, RawRow> {
  return createDelivery<Item, RawRow>({
    attempt: async (items, signal) => seen(refusedHere(await tryOut(line, way, items, rawRows, signal))),
    ...way.writer,
    maxBytes: options.maxRequestBytes,
    maxItems: Math.min(TRIED_IMAGES, options.requestImages, way.writer.mostRows),
    concurrency: Math.min(2, options.concurrency),
    retries: options.retries,
    slowMs: Infinity,
    watchdog: line.watchdog,
    random: seededRandom(options.seed),
  });
}

/** Statuses that another way to write images, or another path, may not meet. */
export const WAY_REFUSED: ReadonlySet<number> = new Set([404, 405, 406, 415, 501]);

/** What stops a run is only one refusal of many here. */
function refusedHere<A>(outcome: Outcome<A>): Outcome<A> {
  if (outcome.kind !== "fatal" || outcome.status === undefined || !WAY_REFUSED.has(outcome.status))
    return outcome;
  return { kind: "refused", label: String(outcome.status), reason: outcome.error.message };
}

export async function deliverRaw(
  trial: Delivery<Item, RawRow>,
  probe: Batch,
  { start, count }: { readonly start: number; readonly count: number },
  { shape }: Images,
  choice: PixelChoice,
  signal: AbortSignal,
): Promise<readonly (RawRow | NoAnswer)[]> {
  const size = shape[0] * shape[1];
  const items = Array.from(probe.labels.subarray(start, start + count), (_, i) => ({
    index: probe.indices[start + i]!,
    pixels: probe.pixels.subarray((start + i) * size, (start + i + 1) * size),
    choice,
  }));
  return await trial.deliver(items, signal);
}
