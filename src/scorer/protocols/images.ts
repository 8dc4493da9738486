import {
  RequestError,
  Unusable,
  type Json,
  type JsonObject,
  type NumberBlock,
  type Numbers,
  type ServedModel,
} from "./service.ts";

/** The object that a body is. @throws RequestError */
export function objectOf(json: Json, example: string): JsonObject {
  if (json instanceof Map) return json as JsonObject;
  throw new RequestError(400, `the body must be a JSON object such as ${example}`);
}

/** @throws RequestError where it is a list of numbers that has no even shape */
export function isNumbers(value: Json | undefined): value is Numbers {
  if (value instanceof Unusable) throw value.refusal;
  return typeof value === "object" && value !== null && "dims" in value;
}

/**
 * The images of a table of numbers: rows of h·w, or of h lines of w.
 *
 * @param name what the table is called in messages
 * @throws RequestError
 */
export function imagesOf(
  value: Json | undefined,
  name: string,
  model: ServedModel,
): { readonly images: Numbers; readonly count: number } {
  if (!isNumbers(value)) throw new RequestError(400, `${name} must be a list of images, ${takes(model)}`);
  const [count = 0, ...image] = value.dims;
  if (count === 0) throw new RequestError(400, `${name} holds no images`);
  if (!isImage(image, model.shape)) {
    const got = image.length === 0 ? "one row of numbers" : `rows of ${image.join("×")}`;
    throw new RequestError(400, `${name} holds ${got}, but must be a list of images, ${takes(model)}`);
  }
  return { images: value, count };
}

function takes({ shape: [height, width] }: ServedModel): string {
  return `each a row of ${height * width} numbers or ${height} lines of ${width}`;
}

/** Whether dimensions are those of one image, with or without a dimension of one for its single channel. */
export function isImage(dims: readonly number[], [height, width]: readonly [number, number]): boolean {
  const text = dims.join("×");
  return [
    [height * width],
    [height, width],
    [1, height, width],
    [height, width, 1],
    [height * width, 1],
  ].some((shape) => shape.join("×") === text);
}

/** Where number `i` of all images stands, as messages name it. */
export function placeOf(i: number, { shape: [height, width] }: Pick<ServedModel, "shape">): string {
  return `row ${Math.floor(i / (height * width))}, column ${i % (height * width)}`;
}

/** The first number that does not pass, as its position among all of them, or -1. */
export function firstThat(
  { blocks }: Numbers,
  passes: (value: number) => boolean,
): { readonly at: number; readonly value: number } | null {
  let before = 0;
  for (const block of blocks) {
    for (let i = 0; i < block.length; i++) {
      if (!passes(block[i]!)) return { at: before + i, value: block[i]! };
    }
    before += block.length;
  }
  return null;
}

/**
 * Probabilities as JSON lists, a row each: as few digits as give the same float32 back.
 *
 * @param probabilities n×k
 */
export function probabilityRows(probabilities: Float32Array, classes: number, separator: string): string {
  const rows: string[] = [];
  for (let start = 0; start < probabilities.length; start += classes) {
    rows.push(`[${shortest(probabilities.subarray(start, start + classes)).join(separator)}]`);
  }
  return `[${rows.join(separator)}]`;
}

/** Nine digits tell every float32 from its neighbours. JSON has no number for a score that an image does not have. */
export function shortest(values: NumberBlock): string[] {
  return Array.from(values, (value) =>
    Number.isFinite(value) ? String(Number(value.toPrecision(9))) : "null",
  );
}

/** What a model that gives labels only cannot answer. @throws RequestError */
export function checkProbabilities(asked: boolean, { hasProbabilities, name }: ServedModel): void {
  if (asked && !hasProbabilities)
    throw new RequestError(400, `the model ${name} gives labels only: ask without probabilities`);
}
