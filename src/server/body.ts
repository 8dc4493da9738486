import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

import { RequestError, type RequestBody } from "../scorer/protocols/service.ts";
import { AbortedError } from "./aborted.ts";
import { JsonReader } from "./json.ts";
import type { BlockOptions } from "./blocks.ts";

export interface BodyOptions extends Pick<BlockOptions, "element" | "rowSize"> {
  /** Once it is decompressed. */
  readonly mostBytes: number;
  /** How much of the body is JSON; null: all of it. */
  readonly jsonBytes: number | null;
  /** Told of bytes as they come, decompressed. */
  readonly onBytes: (bytes: number) => void;
  /** Told how to give the body up: Node says nothing more of a request that is answered before its body is there. */
  readonly onStart: (stop: () => void) => void;
}

/** Who sends a body more slowly than this, after so long a start, holds a place that others need. */
const LEAST_BYTES_A_SECOND = 1_000;
const START_MS = 5_000;
const CHECK_MS = 1_000;

/** What a Content-Length says, null without one: Node has refused what is no number. */
export function announcedBytes({ headers }: IncomingMessage): number | null {
  const given = headers["content-length"];
  return given === undefined ? null : Number(given);
}

export function tooLarge(mostBytes: number): RequestError {
  return new RequestError(
    413,
    `the body is larger than ${mostBytes} bytes: send fewer images a request, or serve with a larger --max-request-bytes`,
  );
}

const NO_GZIP = "the body is no gzip, as its Content-Encoding says, or ends in the middle";

/** Bodies of other encodings are refused before. */
export function isGzip({ headers }: IncomingMessage): boolean {
  return /^(x-)?gzip$/i.test(headers["content-encoding"] ?? "");
}

function tooSlow(): RequestError {
  return new RequestError(408, `the body came at less than ${LEAST_BYTES_A_SECOND} bytes a second`);
}

/**
 * Reads a body as it arrives. The promise rejects with a RequestError where it is too large, comes too slowly or is no JSON
 * that a protocol could take, and with an AbortedError where it does not come.
 */
export function readBody(request: IncomingMessage, options: BodyOptions): Promise<RequestBody> {
  const gunzip = isGzip(request) ? createGunzip() : null;
  const source: Readable = gunzip === null ? request : request.pipe(gunzip);
  const body = new BodyReader(options, gunzip === null ? announcedBytes(request) : null);
  return new Promise((resolve, reject) => {
    let ended = false;
    const startedAt = performance.now();
    const checkPace = (): void => {
      const seconds = (performance.now() - startedAt) / 1000;
      if (!request.complete && body.received < LEAST_BYTES_A_SECOND * seconds) fail(tooSlow());
      else pace = setTimeout(checkPace, CHECK_MS);
    };
    let pace = setTimeout(checkPace, START_MS);
    const stop = (): void => {
      clearTimeout(pace);
      source.off("data", take).off("end", end);
      request.off("close", close).off("error", close);
      if (gunzip !== null) request.unpipe(gunzip.destroy());
    };
    const fail = (error: unknown): void => {
      stop();
      reject(error);
    };
    const take = (piece: Buffer): void => {
      try {
        body.push(piece);
        options.onBytes(piece.length);
      } catch (error) {
        fail(error);
      }
    };
    const end = (): void => {
      ended = true;
      stop();
      try {
        resolve(body.end());
      } catch (error) {
        reject(error);
      }
    };
    const giveUp = (): void => {
      if (!ended) fail(new AbortedError("the body was not sent to its end"));
    };
    // All of a compressed body may be there before it is read.
    const close = (): void => {
      if (!request.complete) giveUp();
    };
    options.onStart(giveUp);
    source.on("data", take).on("end", end);
    request.on("close", close).on("error", close);
    gunzip?.on("error", (error) => fail(new RequestError(400, NO_GZIP, { cause: error })));
  });
}

/** The JSON, and the bytes behind it. */
class BodyReader {
  readonly #options: BodyOptions;
  readonly #json: JsonReader;
  readonly #raw: Buffer[] = [];
  #received = 0;

  get received(): number {
    return this.#received;
  }

  constructor(options: BodyOptions, announced: number | null) {
    const { element, rowSize, jsonBytes } = options;
    this.#options = options;
    this.#json = new JsonReader({ element, rowSize, bytes: jsonBytes ?? announced });
  }

  push(piece: Buffer): void {
    const { mostBytes, jsonBytes } = this.#options;
    const before = this.#received;
    this.#received += piece.length;
    if (this.#received > mostBytes) throw tooLarge(mostBytes);
    const json = jsonBytes === null ? piece.length : Math.max(0, Math.min(piece.length, jsonBytes - before));
    if (json > 0) this.#json.push(json === piece.length ? piece : piece.subarray(0, json));
    if (json < piece.length) this.#raw.push(piece.subarray(json));
  }

  end(): RequestBody {
    const { jsonBytes } = this.#options;
    if (jsonBytes !== null && this.#received < jsonBytes) {
      throw new RequestError(
        400,
        `the body has ${this.#received} bytes, but its JSON alone should have ${jsonBytes}`,
      );
    }
    const [first] = this.#raw;
    const raw = this.#raw.length > 1 ? Buffer.concat(this.#raw) : first;
    return { json: this.#json.end(), raw: raw ?? (jsonBytes === null ? null : Buffer.alloc(0)) };
  }
}
