import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, inflateRaw, type InputType, type ZlibOptions } from "node:zlib";

import { HttpFailure } from "./failure.ts";
import { grouped } from "../../grouped.ts";

/** Servers use one, and a proxy may add one. */
const MOST_ENCODINGS = 4;

type Decoder = (body: InputType, options: ZlibOptions) => Promise<Buffer>;

const DECODERS: Readonly<Record<string, Decoder>> = {
  gzip: promisify<InputType, ZlibOptions, Buffer>(gunzip),
  "x-gzip": promisify<InputType, ZlibOptions, Buffer>(gunzip),
  br: promisify<InputType, ZlibOptions, Buffer>(brotliDecompress),
  deflate: deflated,
};

/**
 * Undoes a body's content encodings, which some servers use without being asked.
 *
 * @param encoding the Content-Encoding header: the encodings in the order in which they were applied
 * @throws HttpFailure where the result is larger than allowed, or is none
 */
export async function decoded(body: Buffer, encoding: string | undefined, maxBytes: number): Promise<Buffer> {
  const names = (encoding ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
  const encodings = names.filter((name) => name !== "" && name !== "identity").reverse();
  if (encodings.length > MOST_ENCODINGS) {
    const text = `the reply's body is encoded ${encodings.length} times over, where at most ${MOST_ENCODINGS} are undone`;
    throw new HttpFailure("malformed", text, { bytesReceived: body.length });
  }
  let result = body;
  for (const name of encodings) result = await undone(result, name, maxBytes);
  return result;
}

async function undone(body: Buffer, name: string, maxBytes: number): Promise<Buffer> {
  const details = { bytesReceived: body.length };
  const decode = DECODERS[name];
  if (decode === undefined) {
    const known = "gzip, deflate and br are understood";
    throw new HttpFailure("malformed", `the reply's body is encoded as ${name}: ${known}`, details);
  }
  try {
    return await decode(body, { maxOutputLength: maxBytes });
  } catch (error) {
    const cause = { ...details, cause: error };
    if (error instanceof RangeError) {
      const text = `the reply's body is too large: ${grouped(body.length)} bytes of ${name} unpack to more than ${grouped(maxBytes)}`;
      throw new HttpFailure("too-large", text, cause);
    }
    throw new HttpFailure("malformed", `the reply's body is not the ${name} that it is said to be`, cause);
  }
}

/** Some servers mean the bare stream by `deflate`, without zlib's header around it. */
async function deflated(body: InputType, options: ZlibOptions): Promise<Buffer> {
  try {
    return await promisify<InputType, ZlibOptions, Buffer>(inflate)(body, options);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes("incorrect header check")) throw error;
    return await promisify<InputType, ZlibOptions, Buffer>(inflateRaw)(body, options);
  }
}
