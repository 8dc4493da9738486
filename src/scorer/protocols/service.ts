import type { Scores } from "../../types.ts";

/** What a reply is written from: labels, and probabilities [n, k] in the precision in which they are sent, or null. */
export interface ServedScores extends Pick<Scores, "labels"> {
  readonly probabilities: Float32Array | null;
}

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

/** A list of numbers, however deep, that is uneven or has something else in it, and was not kept. */
export class Unusable {
  /** Where it is not even, in words for its sender. */
  readonly refusal: RequestError;

  constructor(refusal: RequestError) {
    this.refusal = refusal;
  }
}

/** A list of objects with numbers under the same keys: a row an object, a column a key. */
export class Records {
  readonly numbers: Numbers;

  constructor(numbers: Numbers) {
    this.numbers = numbers;
  }
}

/** JSON as a service reads it: lists of numbers, however deep, are one value, and objects have no prototype to inherit from. */
export type Json = null | boolean | number | string | Numbers | Records | Unusable | JsonList | JsonObject;
export type JsonList = readonly Json[];
export type JsonObject = ReadonlyMap<string, Json>;

/** A model as a service shows it. */
export interface ServedModel {
  /** As paths name it. */
  readonly name: string;
  readonly version: string;
  /** Of this program. */
  readonly server: string;
  /** k */
  readonly classes: readonly string[];
  /** [height, width] */
  readonly shape: readonly [number, number];
  readonly input: string;
  readonly element: "float32" | "float64";
  /** It takes pixels of 0–255 as they are. */
  readonly whole: boolean;
  /** False for a model that gives labels only. */
  readonly hasProbabilities: boolean;
}

/** A request's body: its JSON, and the bytes behind it where a header gives the JSON's length. */
export interface RequestBody {
  readonly json: Json;
  readonly raw: Buffer | null;
}

/** What headers, the URL's query or the service's own options ask for. */
export interface Asked {
  /** The numbers are pixels of 0–255, and not yet scaled. */
  readonly pixels: boolean;
  readonly probabilities: boolean;
  /** Unique to the request. */
  readonly id: string;
}

/** A request for scores that was understood. */
export interface ScoreRequest {
  /** n×h×w */
  readonly images: Numbers;
  readonly count: number;
  readonly pixels: boolean;
  readonly write: (scores: ServedScores) => ServiceReply;
}

export interface ServiceReply {
  /** 200 where it is not said. */
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** A GET that a service answers. */
export interface Fact {
  readonly paths: (model: ServedModel) => readonly string[];
  /** Answered without a key: load balancers have none. */
  readonly health: boolean;
  /** @param accept the request's Accept header */
  readonly reply: (model: ServedModel, ready: boolean, accept: string) => ServiceReply;
}

/** A serving API, read in the other direction: how a request is read and a reply is written. Pure. */
export interface Service {
  /** Where images are sent with POST. */
  readonly scorePaths: (model: ServedModel) => readonly string[];
  /** How much of the body is JSON, where bytes follow it; null: all of it. @throws RequestError */
  readonly jsonBytes: ((headers: Readonly<Record<string, string | undefined>>) => number | null) | null;
  /** @throws RequestError */
  readonly read: (body: RequestBody, asked: Asked, model: ServedModel) => ScoreRequest;
  readonly facts: readonly Fact[];
  /** The paths of other models, which are not here. */
  readonly ownPath: RegExp;
  /** @param message in words for the sender */
  readonly error: (status: number, message: string) => ServiceReply;
}

export const JSON_TYPE = { "Content-Type": "application/json" } as const;

/** A reply that is one JSON value. */
export function jsonReply(value: unknown, status = 200): ServiceReply {
  return { status, headers: JSON_TYPE, body: JSON.stringify(value) };
}
