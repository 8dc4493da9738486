import { crc32, deflateSync } from "node:zlib";
import type { Example } from "../types.ts";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const BITS = 8;
const GREYSCALE = 0;
const MOST_COMPRESSION = 9;

/**
 * An image as a data URI of a greyscale PNG, one pixel a pixel.
 * @param inverted false: pixels of 255 are black on white, as ink on paper; true: white on black
 */
export function thumbnail(example: Example, shape: readonly [number, number], inverted: boolean): string {
  const [height, width] = shape;
  const pixels = Buffer.from(example.pixels, "base64");
  // Each line of a PNG begins with the number of its filter: 0, none.
  const lines = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = pixels[y * width + x] ?? 0;
      lines[y * (width + 1) + x + 1] = inverted ? value : 255 - value;
    }
  }
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, BITS);
  header.setUint8(9, GREYSCALE);
  const png = Buffer.concat([
    SIGNATURE,
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("IDAT", deflateSync(lines, { level: MOST_COMPRESSION })),
    chunk("IEND", new Uint8Array()),
  ]);
  return `data:image/png;base64,${png.toString("base64")}`;
}

/** Length, type, content and checksum. PNG specification, section 5.3, https://www.w3.org/TR/png-3/#5Chunk-layout */
function chunk(type: string, content: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, "latin1"), content]);
  const bytes = Buffer.alloc(body.length + 8);
  bytes.writeUInt32BE(content.length, 0);
  body.copy(bytes, 4);
  bytes.writeUInt32BE(crc32(body), body.length + 4);
  return bytes;
}
