import type { PixelChoice } from "../../types.ts";
import type { InputPlan } from "../adapter.ts";
import { toElements } from "../elements.ts";
import type { Form, RequestShape, TensorSpec } from "../protocols/protocol.ts";
import { requestBody, requestBytes, type RequestBody } from "../request.ts";
import { rowWriter, type RowElement, type RowNumbers, type RowWriter } from "../rows.ts";
import { SCALES } from "../scales.ts";
import { wirePixels, wireShape } from "../wire.ts";
import type { Item } from "./options.ts";

/** How a service takes images. */
export interface WriterPlan extends Pick<InputPlan, "layout" | "channels" | "turned"> {
  readonly type: RowElement;
  /** What the service's metadata says of its input, null without metadata. */
  readonly input: TensorSpec | null;
}

/** Writes requests in one form. */
export interface Writer {
  readonly form: Form;
  readonly mostRows: number;
  /** What a request holds besides its images. */
  readonly overheadBytes: number;
  /** What an image adds to a request, its separator included. */
  bytesOf(item: Item): number;
  /** Of a whole request's body. */
  bytes(items: readonly Item[]): number;
  /** @param items all fed in the same way @param id unique to the request */
  request(items: readonly Item[], id: string): RequestBody;
}

/** Long enough for any identity and number of images. */
const LONGEST_ID = "0".repeat(60);
const MANY_IMAGES = 1_000_000;

/** @param images [height, width] of the data set's */
export function createWriter(form: Form, plan: WriterPlan, images: readonly [number, number]): Writer {
  const rows = new Map<string, RowWriter>();
  const order = ({ transpose }: PixelChoice) => ({ ...plan, transpose });
  const shapeOf = (choice: PixelChoice, n: number, id: string): RequestShape => ({
    shape: wireShape(order(choice), images, n),
    input: plan.input,
    id,
  });

  function rowsFor(choice: PixelChoice): RowWriter {
    const key = `${choice.scale} ${choice.invert} ${choice.transpose}`;
    const known = rows.get(key);
    if (known !== undefined) return known;
    const numbers = Array.from({ length: 256 }, (_, x) => SCALES[choice.scale](choice.invert ? 255 - x : x));
    const values = toElements(numbers, plan.type) as RowNumbers;
    const writer = rowWriter(form.row, values, wireShape(order(choice), images, 1).slice(1));
    rows.set(key, writer);
    return writer;
  }

  const rowBytes = ({ choice, pixels }: Item): number =>
    rowsFor(choice).bytesOf(wirePixels(pixels, order(choice), images));
  const plain: PixelChoice = { scale: "unit", invert: false, transpose: false };
  return {
    form,
    mostRows: form.mostRows,
    overheadBytes: requestBytes(form, { ...shapeOf(plain, 1, LONGEST_ID), ...manyImages(plain) }, 0),
    bytesOf: (item) => rowBytes(item) + Buffer.byteLength(form.separator),
    bytes(items) {
      const [first] = items;
      const shape = shapeOf(first!.choice, items.length, LONGEST_ID);
      return requestBytes(
        form,
        shape,
        items.reduce((sum, item) => sum + rowBytes(item), 0),
      );
    },
    request(items, id) {
      const { choice } = items[0]!;
      const pixels = joined(items);
      const shape = shapeOf(choice, items.length, id);
      return requestBody(form, shape, rowsFor(choice), wirePixels(pixels, order(choice), images));
    },
  };

  /** The head of a large request, without the separators of one. */
  function manyImages(choice: PixelChoice): Pick<RequestShape, "shape"> {
    const [, ...rest] = wireShape(order(choice), images, 1);
    return { shape: form.separator === "" ? [MANY_IMAGES, ...rest] : [1, ...rest] };
  }
}

function joined(items: readonly Item[]): Uint8Array {
  const size = items[0]!.pixels.length;
  const pixels = new Uint8Array(items.length * size);
  items.forEach((item, i) => pixels.set(item.pixels, i * size));
  return pixels;
}
