import { numberTexts, type RowNumbers } from "./number-text.ts";
import { greyPng } from "./png.ts";

export type { RowNumbers } from "./number-text.ts";

/** What a row's numbers are rounded to. */
export type RowElement = "float32" | "float64" | "uint8";

interface Row {
  /** What it can carry. */
  readonly elements: readonly RowElement[];
  /** A picture of [height, width] only, in one channel; otherwise an image has any shape. */
  readonly picture: boolean;
}

/** The ways to write one image. */
export const ROWS = {
  /** `[0.0,0.5]`, in lists as deep as the image's shape. */
  json: { elements: ["float32", "float64", "uint8"], picture: false },
  /** `0.0,0.5`: its numbers one after the other, without brackets. */
  "json-flat": { elements: ["float32", "float64", "uint8"], picture: false },
  /** One line of numbers, without its end. */
  csv: { elements: ["float32", "float64", "uint8"], picture: false },
  /** Little-endian. */
  float32: { elements: ["float32"], picture: false },
  uint8: { elements: ["uint8"], picture: false },
  /** A PNG file, 8-bit greyscale. */
  png: { elements: ["uint8"], picture: true },
  "png-base64": { elements: ["uint8"], picture: true },
} as const satisfies Record<string, Row>;

/** How one image is written in a request. */
export type RowKind = keyof typeof ROWS;

/** Writes images of one shape. An image is its pixels (0–255) in the order of the request, see `wirePixels`. */
export interface RowWriter {
  readonly pixelsPerImage: number;
  /** No image takes more. */
  readonly mostBytes: number;
  /** Exactly as many as `write` fills in. */
  bytesOf(image: Uint8Array): number;
  /** Writes an image into `target`, and says where it ends. */
  write(image: Uint8Array, target: Buffer, offset: number): number;
}

/**
 * A writer of one kind of row.
 *
 * @param values 256: the number that each pixel value becomes, scaled and rounded to the row's element
 * @param shape of one image, as [28, 28] or [784]
 * @throws TypeError for numbers or a shape that this kind cannot carry
 */
export function rowWriter(kind: RowKind, values: RowNumbers, shape: readonly number[]): RowWriter {
  const row: Row = ROWS[kind];
  const element = elementOf(values);
  if (!row.elements.includes(element)) throw new TypeError(`a ${kind} row cannot carry ${element}`);
  if (row.picture && shape.length !== 2) throw new TypeError(`a ${kind} row is a picture of [height, width]`);
  if (row.picture) return pngWriter(values, [shape[0]!, shape[1]!], kind === "png-base64");
  if (kind === "float32" || kind === "uint8") return rawWriter(values, size(shape));
  return textWriter(values, shape, kind === "json");
}

/** The element type of such an array. */
export function elementOf(values: RowNumbers): RowElement {
  if (values instanceof Float32Array) return "float32";
  return values instanceof Float64Array ? "float64" : "uint8";
}

/** Numbers in a tensor of this shape. */
const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Texts as bytes one after the other: text i is bytes from[i] to from[i + 1]. */
interface Texts {
  readonly bytes: Uint8Array;
  readonly from: Uint32Array;
}

const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");

function textsOf(texts: readonly string[]): Texts {
  const from = new Uint32Array(texts.length + 1);
  texts.forEach((text, i) => (from[i + 1] = from[i]! + text.length));
  return { bytes: latin1(texts.join("")), from };
}

function longest({ from }: Texts): number {
  let most = 0;
  for (let i = 1; i < from.length; i++) most = Math.max(most, from[i]! - from[i - 1]!);
  return most;
}

/** What stands around the numbers of every image alike. */
interface Brackets {
  readonly open: Uint8Array;
  readonly close: Uint8Array;
  /** Numbers in an innermost list. */
  readonly run: number;
  /** Between innermost lists, by how many lists end there: 1 → `],[`. */
  readonly joins: readonly Uint8Array[];
  /** After how many numbers a list ends, innermost first; without the list that is the image. */
  readonly periods: readonly number[];
}

function brackets(shape: readonly number[], nested: boolean): Brackets {
  const depth = nested ? shape.length : 0;
  const inner = shape.map((_, i) => size(shape.slice(i))).slice(1);
  return {
    open: latin1("[".repeat(depth)),
    close: latin1("]".repeat(depth)),
    run: nested ? shape.at(-1)! : size(shape),
    joins: Array.from({ length: depth }, (_, ends) => latin1(`${"]".repeat(ends)},${"[".repeat(ends)}`)),
    periods: nested ? inner.reverse() : [],
  };
}

/** Lists that end before number i, for i at an innermost list's end. */
function endsAt(i: number, periods: readonly number[]): number {
  let ends = 0;
  while (ends < periods.length && i % (periods[ends] ?? 1) === 0) ends++;
  return ends;
}

function textWriter(values: RowNumbers, shape: readonly number[], nested: boolean): RowWriter {
  const texts = numberTexts(values);
  const fractional = texts.some((text) => /[.e]/.test(text));
  // Python takes a list of 0 for integers: the first number says that they are floats, or an all-black image would not be.
  const firsts = textsOf(texts.map((text) => (fractional && !/[.e]/.test(text) ? `${text}.0` : text)));
  const rest = textsOf(texts.map((text) => `,${text}`));
  const around = brackets(shape, nested);
  const pixelsPerImage = size(shape);
  let constant = around.open.length + around.close.length;
  for (let i = around.run; i < pixelsPerImage; i += around.run) {
    constant += around.joins[endsAt(i, around.periods)]!.length - 1;
  }
  return {
    pixelsPerImage,
    mostBytes: constant + longest(firsts) + (pixelsPerImage - 1) * longest(rest),
    bytesOf(image) {
      const first = image[0]!;
      let bytes = constant + firsts.from[first + 1]! - firsts.from[first]!;
      for (let i = 1; i < pixelsPerImage; i++) bytes += rest.from[image[i]! + 1]! - rest.from[image[i]!]!;
      return bytes;
    },
    write: (image, target, offset) => writeTexts(image, target, offset, { firsts, rest, around }),
  };
}

function writeTexts(
  image: Uint8Array,
  target: Buffer,
  offset: number,
  { firsts, rest, around }: { firsts: Texts; rest: Texts; around: Brackets },
): number {
  const { bytes, from } = rest;
  const { run, periods, joins } = around;
  let at = copied(around.open, target, offset);
  at = copied(firsts.bytes.subarray(firsts.from[image[0]!], firsts.from[image[0]! + 1]), target, at);
  for (let start = 0; start < image.length; start += run) {
    if (start > 0) {
      at = copied(joins[endsAt(start, periods)]!, target, at);
      const end = from[image[start]! + 1]!;
      for (let byte = from[image[start]!]! + 1; byte < end; byte++) target[at++] = bytes[byte]!;
    }
    for (let i = start + 1; i < start + run; i++) {
      const pixel = image[i]!;
      const end = from[pixel + 1]!;
      let byte = from[pixel]!;
      // A comma and a digit at least: the background, most of an image, is no more.
      target[at] = bytes[byte]!;
      target[at + 1] = bytes[byte + 1]!;
      at += 2;
      for (byte += 2; byte < end; byte++) target[at++] = bytes[byte]!;
    }
  }
  return copied(around.close, target, at);
}

function copied(bytes: Uint8Array, target: Buffer, offset: number): number {
  target.set(bytes, offset);
  return offset + bytes.length;
}

function rawWriter(values: RowNumbers, pixelsPerImage: number): RowWriter {
  const width = values.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(256 * width);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    if (width === 1) view.setUint8(i, value);
    else view.setFloat32(i * width, value, true);
  });
  return {
    pixelsPerImage,
    mostBytes: pixelsPerImage * width,
    bytesOf: () => pixelsPerImage * width,
    write(image, target, offset) {
      let at = offset;
      for (let i = 0; i < image.length; i++) {
        const end = (image[i]! + 1) * width;
        for (let byte = end - width; byte < end; byte++) target[at++] = bytes[byte]!;
      }
      return at;
    },
  };
}

/** Signature, header, checksums and the end of a PNG file, and the frame of its compressed data. */
const PNG_FRAME_BYTES = 100;

function pngWriter(values: RowNumbers, shape: readonly [number, number], base64: boolean): RowWriter {
  const file = (image: Uint8Array): Buffer => {
    const png = greyPng(
      image.map((pixel) => values[pixel]!),
      shape,
    );
    return base64 ? Buffer.from(png.toString("base64"), "latin1") : png;
  };
  // Pixels that cannot be compressed are stored as they are, a byte a line and a few a block more.
  const stored = shape[0] * (shape[1] + 1) * 1.01 + PNG_FRAME_BYTES;
  return {
    pixelsPerImage: size(shape),
    mostBytes: Math.ceil(base64 ? (stored + 2) * (4 / 3) : stored),
    bytesOf: (image) => file(image).length,
    write: (image, target, offset) => copied(file(image), target, offset),
  };
}
