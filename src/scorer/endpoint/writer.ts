import type { PixelChoice } from "../../types.ts";
import type { InputPlan } from "../adapter.ts";
import { choiceKey } from "../choices.ts";
import { toElements } from "../elements.ts";
import type { Form, RequestShape, TensorSpec } from "../protocols/protocol.ts";
import { requestBody, requestBytes, type RequestBody } from "../request.ts";
import { rowWriter, type RowElement, type RowNumbers, type RowWriter } from "../rows.ts";
import { scaling } from "../scales.ts";
import { wirePixels, wireShape, type WireOrder } from "../wire.ts";
import type { Item } from "./options.ts";

/** How a service takes images. */
export interface WriterPlan extends Pick<InputPlan, "layout" | "channels" | "turned"> {
  readonly type: RowElement;
  /** What the service's metadata says of its input, null without metadata. */
  readonly input: TensorSpec | null;
  /** The output that requests ask for; null: none is named. */
  readonly output: string | null;
  /** How many images its input takes, where the metadata fixes a number; null: any. */
  readonly fixedBatch: number | null;
  /** Requests for fewer are filled up with their last image. */
  readonly filled: boolean;
}

/** Writes requests in one form. */
export interface Writer {
  readonly form: Form;
  readonly mostRows: number;
  /** How many rows a request for so many images has. */
  rows(images: number): number;
  /** What a request holds besides its images. */
  readonly overheadBytes: number;
  /** What an image adds to a request, its separator included. */
  bytesOf(item: Item): number;
  /** What no image that is fed in the same way adds more than. */
  mostBytesOf(item: Item): number;
  /** Of a whole request's body. */
  bytes(items: readonly Item[]): number;
  /** @param items all fed in the same way @param id unique to the request */
  request(items: readonly Item[], id: string): RequestBody;
}

/** Long enough for any identity. */
const LONGEST_ID = "0".repeat(60);

/** @param images [height, width] of the data set's @param mostImages that a request will be asked to hold */
export function createWriter(
  form: Form,
  plan: WriterPlan,
  images: readonly [number, number],
  mostImages: number,
): Writer {
  const feeds = new Map<string, Feed>();

  function feedOf(choice: PixelChoice): Feed {
    const { scale, invert, transpose } = choice;
    const key = choiceKey(choice);
    const known = feeds.get(key);
    if (known !== undefined) return known;
    const scaled = scaling(scale);
    const numbers = Array.from({ length: 256 }, (_, x) => scaled(invert ? 255 - x : x));
    const values = toElements(numbers, plan.type) as RowNumbers;
    const order = { layout: plan.layout, channels: plan.channels, transpose };
    const row = rowWriter(form.row, values, wireShape(order, images, 1).slice(1));
    const feed = { order, row };
    feeds.set(key, feed);
    return feed;
  }

  const shapeOf = ({ order }: Feed, n: number, id: string): RequestShape => ({
    shape: wireShape(order, images, n),
    input: plan.input,
    id,
    output: plan.output,
  });
  const rowBytes = ({ choice, pixels }: Item): number => {
    const { order, row } = feedOf(choice);
    return row.bytesOf(wirePixels(pixels, order, images));
  };
  const exactRows = plan.filled ? plan.fixedBatch : null;
  const filledUp = (items: readonly Item[]): readonly Item[] =>
    exactRows === null ? items : Array.from({ length: exactRows }, (_, i) => items[i] ?? items.at(-1)!);
  const separatorBytes = Buffer.byteLength(form.separator);
  const plain = feedOf({
    scale: plan.type === "uint8" ? "raw" : "unit",
    invert: false,
    transpose: plan.turned,
  });
  return {
    form,
    mostRows: Math.min(form.mostRows, plan.fixedBatch ?? Infinity),
    rows: (count) => exactRows ?? count,
    // A request that is filled up is as large with one image as with all: leaving some out would make none smaller.
    ...(exactRows === null
      ? {
          overheadBytes:
            requestBytes(form, shapeOf(plain, mostImages, LONGEST_ID), 0) - separatorBytes * (mostImages - 1),
          bytesOf: (item) => rowBytes(item) + separatorBytes,
          mostBytesOf: ({ choice }) => feedOf(choice).row.mostBytes + separatorBytes,
        }
      : { overheadBytes: 0, bytesOf: () => 0, mostBytesOf: () => 0 }),
    bytes(items) {
      const all = filledUp(items);
      const shape = shapeOf(feedOf(items[0]!.choice), all.length, LONGEST_ID);
      return requestBytes(
        form,
        shape,
        all.reduce((sum, item) => sum + rowBytes(item), 0),
      );
    },
    request(items, id) {
      const all = filledUp(items);
      const feed = feedOf(items[0]!.choice);
      const pixels = wirePixels(joined(all), feed.order, images);
      return requestBody(form, shapeOf(feed, all.length, id), feed.row, pixels);
    },
  };
}

/** How images are written that are fed in one way. */
interface Feed {
  readonly order: WireOrder;
  readonly row: RowWriter;
}

function joined(items: readonly Item[]): Uint8Array {
  const size = items[0]!.pixels.length;
  const pixels = new Uint8Array(items.length * size);
  items.forEach((item, i) => pixels.set(item.pixels, i * size));
  return pixels;
}
