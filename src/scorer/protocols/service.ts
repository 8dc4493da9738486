/** A request that cannot be answered, in words for its sender. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: number;

  /** @param status HTTP's, from 400 to 599 */
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** Numbers in blocks, each of any number of whole rows, so that a large request is neither copied nor grown. */
export interface Numbers {
  readonly blocks: readonly NumberBlock[];
  /** Row-major; the first is the number of rows where there is more than one. */
  readonly dims: readonly number[];
}

export type NumberBlock = Float32Array | Float64Array;

/** JSON as a service reads it: lists of numbers, however deep, are one value, and objects have no prototype to inherit from. */
export type Json = null | boolean | number | string | Numbers | JsonList | JsonObject;
export type JsonList = readonly Json[];
export type JsonObject = ReadonlyMap<string, Json>;
