import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { beforeAll, expect, test } from "vitest";

import type { Evaluation } from "../../src/types.ts";
import { constant, graph, node, value } from "../scorer/models/graph.ts";
import { readJson, workspace } from "./command.ts";

const { evaluate, path } = workspace();
const SIDE = 2048;
const IMAGES = 12;
const CLASSES = 10;
/** Measured: 620 MB. Without a bound on bytes it was 1,780: each way to feed the pixels had its own copy of all images. */
const MOST_MB = 900;

/** What each class is filled with. */
const shade = (label: number): number => label * 28;

/** Takes images of any size for the class whose shade their mean is closest to. */
function meanModel(): Uint8Array {
  const shades = Array.from({ length: CLASSES }, (_, label) => shade(label) / 255);
  return graph({
    inputs: [value("pixels", "float", ["N", 1, "H", "W"])],
    nodes: [
      node("ReduceMean", "pixels", "mean", { axes: [1, 2, 3], keepdims: 0 }),
      node("Reshape", "mean column", "means"),
      node("MatMul", "means slopes", "products"),
      node("Add", "products offsets", "scores"),
      node("Softmax", "scores", "probabilities", { axis: 1 }),
    ],
    initializers: [
      constant("column", "int64", [2], [-1, 1]),
      constant(
        "slopes",
        "float",
        [1, CLASSES],
        shades.map((x) => 800 * x),
      ),
      constant(
        "offsets",
        "float",
        [CLASSES],
        shades.map((x) => -400 * x ** 2),
      ),
    ],
    outputs: [value("probabilities", "float", ["N", CLASSES])],
  });
}

beforeAll(() => {
  const pixels = new Uint8Array(IMAGES * SIDE ** 2);
  const labels = Uint8Array.from({ length: IMAGES }, (_, i) => i % CLASSES);
  labels.forEach((label, i) => pixels.fill(shade(label), i * SIDE ** 2, (i + 1) * SIDE ** 2));
  const header = Buffer.from([0, 0, 8, 3, 0, 0, 0, IMAGES, 0, 0, SIDE >> 8, 0, 0, 0, SIDE >> 8, 0]);
  writeFileSync(path("images.gz"), gzipSync(Buffer.concat([header, pixels]), { level: 1 }));
  writeFileSync(path("labels"), Buffer.concat([Buffer.from([0, 0, 8, 1, 0, 0, 0, IMAGES]), labels]));
  writeFileSync(path("mean.onnx"), meanModel());
});

test("images of millions of pixels are scored in bounded memory, and shown reduced", async () => {
  const [preload, told] = [path("tell.cjs"), path("peak")];
  writeFileSync(
    preload,
    `require("node:worker_threads").isMainThread && process.on("exit", () =>
      require("node:fs").writeFileSync(${JSON.stringify(told)}, String(process.resourceUsage().maxRSS / 1024)));`,
  );
  const files = ["--images", path("images.gz"), "--labels", path("labels"), "--model", path("mean.onnx")];
  const { code, stderr } = await evaluate(
    [...files, "--limit", "10", "--batch-size", "1", "--out", path("out"), "--quiet"],
    { env: { NODE_OPTIONS: `--require ${preload}` } },
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { examples, metrics } = readJson<Evaluation>(path("out", "metrics.json"));
  expect(metrics.accuracy?.value).toBe(1);
  const [example] = examples.sample;
  expect(
    Buffer.from(example!.pixels, "base64").equals(Buffer.alloc(256 ** 2, shade(Number(example!.truth)))),
  ).toBe(true);
  const peak = Number(readFileSync(told, "utf8"));
  if (process.env["MEMORY"] === "1") process.stdout.write(`large images: ${peak.toFixed(0)} MB\n`);
  expect(peak).toBeGreaterThan(40);
  expect(peak).toBeLessThan(MOST_MB);
});
