import type { Form, RequestShape } from "./protocols/protocol.ts";
import type { RowWriter } from "./rows.ts";

export interface RequestBody {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * The size of a request's body before it is written.
 *
 * @param rowBytes of all its rows together
 */
export function requestBytes(form: Form, request: RequestShape, rowBytes: number): number {
  return (
    rowBytes +
    Buffer.byteLength(form.head(request)) +
    betweenRows(form, request) +
    Buffer.byteLength(form.tail)
  );
}

function betweenRows({ separator }: Form, { shape: [n = 0] }: RequestShape): number {
  return Buffer.byteLength(separator) * Math.max(0, n - 1);
}

/**
 * A request for `request.shape[0]` images.
 *
 * @param pixels of the images one after the other, in the order of the request
 */
export function requestBody(
  form: Form,
  request: RequestShape,
  writer: RowWriter,
  pixels: Uint8Array,
): RequestBody {
  const [n = 0] = request.shape;
  const image = (i: number): Uint8Array =>
    pixels.subarray(i * writer.pixelsPerImage, (i + 1) * writer.pixelsPerImage);
  const head = Buffer.from(form.head(request));
  const separator = Buffer.from(form.separator);
  const tail = Buffer.from(form.tail);
  const around = head.length + betweenRows(form, request) + tail.length;
  const body = Buffer.allocUnsafe(around + rowRoom(writer, pixels, n));
  let at = head.copy(body);
  for (let i = 0; i < n; i++) {
    if (i > 0) at += separator.copy(body, at);
    at = writer.write(image(i), body, at);
  }
  at += tail.copy(body, at);
  return { headers: form.headers(head.length), body: body.subarray(0, at) };
}

/** Up to here, more memory than is needed costs less than to count what is. */
const SPARE_BYTES = 4 * 2 ** 20;

/** At least what the rows take. */
function rowRoom(writer: RowWriter, pixels: Uint8Array, n: number): number {
  if (n * writer.mostBytes <= SPARE_BYTES) return n * writer.mostBytes;
  let bytes = 0;
  const size = writer.pixelsPerImage;
  for (let i = 0; i < n; i++) bytes += writer.bytesOf(pixels.subarray(i * size, (i + 1) * size));
  return bytes;
}
