import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { inTurn, mnistSample } from "../../src/dataset/trial-images.ts";
import type { Batch } from "../../src/types.ts";
import { mnist } from "../train/mnist.ts";

const never = new AbortController().signal;
const root = new URL("../../", import.meta.url);

const texts = ({ pixels }: Pick<Batch, "pixels">, count: number): string[] =>
  Array.from({ length: count }, (_, i) =>
    Buffer.from(pixels.subarray(i * 784, (i + 1) * 784)).toString("latin1"),
  );

const read = (path: string | URL): Buffer => gunzipSync(readFileSync(path));

describe("mnistSample()", () => {
  test("is of MNIST's training images with their labels, each once, and of no test image", async () => {
    const sample = await mnistSample(never);
    const train = mnist("train", 60_000);
    const labelOf = new Map(texts(train, 60_000).map((text, i) => [text, train.labels[i]]));
    const all = texts(sample, 5_000);
    expect(new Set(all).size).toBe(5_000);
    expect(all.map((text) => labelOf.get(text))).toEqual([...sample.labels]);
    const test = new Set(texts(mnist("test", 10_000), 10_000));
    expect(all.filter((text) => test.has(text))).toEqual([]);
  });

  test("has one of each digit in turn", async () => {
    const { labels, indices } = await mnistSample(never);
    expect([...labels]).toEqual(Array.from({ length: 5_000 }, (_, i) => i % 10));
    expect([...indices]).toEqual([...Array(5_000).keys()]);
  });

  test("is what its script writes, and what its README says", () => {
    const folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-sample-"));
    const script = fileURLToPath(new URL("src/dataset/make-mnist-sample.mjs", root));
    execFileSync(process.execPath, [script, folder]);
    const readme = readFileSync(new URL("data/mnist-sample/README.md", root), "utf8");
    const names = readdirSync(folder);
    expect(names).toHaveLength(2);
    for (const name of names) {
      const committed = read(new URL(`data/mnist-sample/${name}`, root));
      expect(read(join(folder, name)).equals(committed)).toBe(true);
      expect(readme).toContain(createHash("sha256").update(committed).digest("hex"));
    }
    rmSync(folder, { recursive: true });
  });

  test("is in the package, with its licence", () => {
    const { files } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as { files: string[] };
    expect(files).toContain("data/mnist-sample");
    expect(readFileSync(new URL("data/mnist-sample/README.md", root), "utf8")).toContain(
      "https://creativecommons.org/licenses/by-sa/3.0/",
    );
  });
});

const images = (labels: readonly number[]): Batch => ({
  indices: Uint32Array.from(labels.keys()),
  labels: Uint8Array.from(labels),
  pixels: Uint8Array.from(labels.flatMap((label, i) => [i, label])),
});

describe("inTurn(images, classes)", () => {
  test("takes one of each class in turn, with its own pixels, and what is left at the end", () => {
    const { labels, indices, pixels } = inTurn(images([1, 1, 1, 0, 2, 1, 0]), 4);
    expect([...labels]).toEqual([0, 1, 2, 0, 1, 1, 1]);
    expect([...indices].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect([...pixels]).toEqual([...indices].flatMap((index, i) => [index, labels[i]]));
  });

  test("takes a class's images from all over the file, the same each time", () => {
    const all = images(Array.from({ length: 250 }, () => 0));
    const { indices } = inTurn(all, 1);
    expect(new Set(indices).size).toBe(250);
    const mean = indices.subarray(0, 100).reduce((sum, index) => sum + index, 0) / 100;
    // Of 100 of 250 images in random order, the standard deviation of the mean is 5.6.
    expect(Math.abs(mean - 124.5)).toBeLessThan(25);
    expect(inTurn(all, 1)).toEqual(inTurn(all, 1));
  });

  test("of nothing is nothing", () => {
    expect(inTurn(images([]), 3)).toEqual(images([]));
  });
});
