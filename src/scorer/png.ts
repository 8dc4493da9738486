import { crc32, deflateSync } from "node:zlib";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const BITS_A_CHANNEL = 8;
const GREYSCALE = 0;
/** Each line of a PNG begins with the number of its filter. */
const NO_FILTER = 0;
const LEVEL = 9;

/**
 * A greyscale image of 8 bits a pixel as a PNG file.
 * PNG specification, https://www.w3.org/TR/png-3/
 *
 * @param pixels height×width
 */
export function greyPng(pixels: Uint8Array, [height, width]: readonly [number, number]): Buffer {
  const lines = Buffer.alloc(height * (width + 1), NO_FILTER);
  for (let y = 0; y < height; y++) {
    lines.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.writeUInt8(BITS_A_CHANNEL, 8);
  header.writeUInt8(GREYSCALE, 9);
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(lines, { level: LEVEL })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Length, type, content and checksum. */
function chunk(type: string, content: Uint8Array): Buffer {
  const bytes = Buffer.alloc(content.length + 12);
  bytes.writeUInt32BE(content.length, 0);
  bytes.write(type, 4, "latin1");
  bytes.set(content, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), content.length + 8);
  return bytes;
}
