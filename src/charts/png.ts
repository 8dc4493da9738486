import { crc32 } from "node:zlib";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const BITS_A_CHANNEL = 8;
/** Each line of a PNG begins with the number of its filter. Charts are flat areas: none compresses best and fastest. */
const NO_FILTER = 0;

/** Colour types of the PNG specification. */
export const GREYSCALE = 0;
export const RGBA = 6;

/** Rows of `stride` bytes as the lines of a PNG, before compression. */
export function linesOf(pixels: Uint8Array, stride: number): Uint8Array {
  const height = pixels.length / stride;
  const lines = Buffer.allocUnsafe(height * (stride + 1));
  for (let y = 0; y < height; y++) {
    lines[y * (stride + 1)] = NO_FILTER;
    lines.set(pixels.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  }
  return lines;
}

/**
 * A PNG file of compressed lines.
 * PNG specification, https://www.w3.org/TR/png-3/
 */
export function png(width: number, height: number, colourType: number, compressed: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, BITS_A_CHANNEL);
  header.setUint8(9, colourType);
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("IDAT", compressed),
    chunk("IEND", new Uint8Array()),
  ]);
}

/** Length, type, content and checksum. */
function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(content.length + 12);
  bytes.writeUInt32BE(content.length, 0);
  bytes.write(type, 4, "latin1");
  bytes.set(content, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), content.length + 8);
  return bytes;
}
