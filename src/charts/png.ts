import { crc32 } from "node:zlib";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const BITS_A_CHANNEL = 8;
/** Each line of a PNG begins with the number of its filter; this one is the difference to the line above. */
const UP = 2;

/** Colour types of the PNG specification. */
export const GREYSCALE = 0;
export const RGBA = 6;

/**
 * Lines of pixels as a PNG keeps them before compression: each as the difference to the one above. Written because
 * the rasteriser's own encoder takes as long as drawing does, and blocks the main thread.
 * @param pixels height × width × `channels` bytes, from the start of their buffer or at a multiple of 4
 */
export function filtered(pixels: Uint8Array, width: number, height: number, channels: number): Uint8Array {
  const stride = width * channels;
  const lines = Buffer.alloc(height * (stride + 1));
  const source = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  for (let y = 0; y < height; y++) {
    const start = y * (stride + 1);
    const row = y * stride;
    lines[start] = UP;
    if (y === 0) source.copy(lines, start + 1, 0, stride);
    // Most lines of a chart are the same as the one above, and comparing is much faster than subtracting.
    else if (source.compare(source, row - stride, row, row, row + stride) !== 0) {
      for (let x = 0; x < stride; x++) lines[start + 1 + x] = source[row + x]! - source[row - stride + x]!;
    }
  }
  return lines;
}

/**
 * A PNG file of filtered and compressed lines.
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
