import type { Batch, PixelChoice } from "../../types.ts";
import type { Images } from "../onnx.ts";
import { PROTOCOLS, type ProtocolName } from "../protocols/table.ts";
import { scoreUrl, starts } from "./discover.ts";
import { fitting } from "../delivery/fitting.ts";
import type { EndpointOptions, Item } from "./options.ts";
import { createWriter, type Writer, type WriterPlan } from "./writer.ts";

/** What would be sent, as far as it is known without asking the service. */
export interface RequestPlan {
  readonly url: URL;
  readonly protocol: ProtocolName;
  /** What says so; null: nothing, it is the likeliest. */
  readonly found: string | null;
  readonly encoding: string;
  readonly images: number;
  readonly requests: number;
  /** Of the bodies. */
  readonly bytes: number;
  readonly mostImages: number;
  readonly mostBytes: number;
}

/** Counts the requests that a run would send, with their exact sizes. */
export async function planRequests(
  options: EndpointOptions,
  { shape }: Pick<Images, "shape">,
  batches: AsyncIterable<Batch>,
  choice: PixelChoice,
): Promise<RequestPlan> {
  const start = starts(options)[0]!;
  const protocol = PROTOCOLS[start.name];
  const form = protocol.forms[0]!;
  const target = { ...start.target, model: start.target.model ?? "MODEL" };
  const layout = options.layout === "auto" ? "flat" : options.layout;
  const plan: WriterPlan = {
    type: form.element,
    layout,
    channels: 1,
    turned: false,
    input: null,
    output: null,
    fixedBatch: null,
    filled: false,
  };
  const writer = createWriter(form, plan, shape, options.requestImages);
  const own = form.element === "uint8" ? { ...choice, scale: "raw" as const } : choice;
  const sizes: number[] = [];
  const counts: number[] = [];
  for await (const batch of batches) {
    for (const items of requestsOf(itemsOf(batch, own), writer, options)) {
      sizes.push(writer.bytes(items));
      counts.push(items.length);
    }
  }
  return {
    url: scoreUrl(options.url, start.byPath ? options.url.pathname : protocol.scorePath(target)),
    protocol: start.name,
    found: start.byPath || options.protocol !== "auto" ? start.because : null,
    encoding: form.name,
    images: total(counts),
    requests: counts.length,
    bytes: total(sizes),
    mostImages: most(counts),
    mostBytes: most(sizes),
  };
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

function most(numbers: readonly number[]): number {
  return numbers.reduce((largest, number) => Math.max(largest, number), 0);
}

function itemsOf({ indices, labels, pixels }: Batch, choice: PixelChoice): Item[] {
  const size = pixels.length / labels.length;
  return Array.from(labels, (_, i) => ({
    index: indices[i]!,
    pixels: pixels.subarray(i * size, (i + 1) * size),
    choice,
  }));
}

/** As delivery fills requests while nothing goes wrong. */
function* requestsOf(
  items: readonly Item[],
  writer: Writer,
  { requestImages, maxRequestBytes: maxBytes }: EndpointOptions,
): Generator<readonly Item[]> {
  const limits = { ...writer, maxItems: Math.min(requestImages, writer.mostRows), maxBytes };
  for (let start = 0, end = 0; start < items.length; start = end) {
    end = fitting(items, start, items.length, limits);
    yield items.slice(start, end);
  }
}
