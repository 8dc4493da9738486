import { readFileSync } from "node:fs";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import { decodeModel } from "../../src/scorer/onnx-proto.ts";
import { logisticModel } from "../../src/train/onnx.ts";
import { seededRandom } from "../../src/random.ts";
import { mnist } from "./mnist.ts";

const bundled = readFileSync(new URL("../../data/models/mnist-logreg.onnx", import.meta.url));

async function run(model: Uint8Array, pixels: Float32Array, size: number) {
  const session = await InferenceSession.create(model);
  const { label, probabilities } = await session.run({
    pixels: new Tensor("float32", pixels, [pixels.length / size, size]),
  });
  return {
    labels: Array.from(label!.data as BigInt64Array, Number),
    probabilities: probabilities!.data as Float32Array,
    shapes: [label!.dims, probabilities!.dims],
  };
}

test("logisticModel(model) divides each class's sigmoid by their sum, and names the largest score", async () => {
  const weights = Float32Array.of(1, 0, 0, 2, -1, -1);
  const intercepts = Float32Array.of(0, 0.5, 0);
  const model = logisticModel({ weights, intercepts, description: "test", metadata: {} });
  const { labels, probabilities, shapes } = await run(model, Float32Array.of(1, 0, 0.5, 1), 2);
  expect(shapes).toEqual([[2], [2, 3]]);
  expect(labels).toEqual([0, 1]);
  const sigmoids = [1, 0.5, -1, 0.5, 2.5, -1.5].map((score) => 1 / (1 + Math.exp(-score)));
  for (const [at, value] of sigmoids.entries()) {
    const row = sigmoids.slice(at - (at % 3), at - (at % 3) + 3);
    expect(probabilities[at]!).toBeCloseTo(value / row.reduce((a, b) => a + b), 6);
  }
});

test("the bundled model says which images it was trained on, and how well it knows them", () => {
  const { metadataProps = [], producerName, opsetImport } = decodeModel(bundled);
  expect(producerName).toBe("mnist-evaluate");
  expect(opsetImport).toEqual([{ domain: "", version: 13 }]);
  expect(Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]))).toEqual({
    description: "One-vs-rest logistic regression on mnist (pixels / 255), trained by mnist-evaluate",
    pixels: "x/255",
    classes: '["0","1","2","3","4","5","6","7","8","9"]',
    dataset: "mnist",
    split: "train",
    "sha256 train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "sha256 train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    training_images: "60000",
    training_accuracy: "0.928200",
    solver: "L-BFGS with a sampled Hessian, one-vs-rest, L2 penalty on weights and intercepts",
    C: "1.25",
    objective: "44845.639283",
  });
});

test("the bundled model is right on 9,202 of MNIST's 10,000 test images", async () => {
  const { pixels, labels: truth } = mnist("test", 10_000);
  const { labels, probabilities } = await run(
    bundled,
    Float32Array.from(pixels, (value) => value / 255),
    784,
  );
  // scikit-learn 1.2.1 agrees where liblinear converges (tol=1e-9: 9,202, weights within 4e-6). At its default tolerance
  // the order in which sums are rounded decides between 9,201 and 9,205: see docs/numbers.md.
  expect(labels.filter((label, image) => label === truth[image])).toHaveLength(9202);
  expect([labels[3114], labels[7472]]).toEqual([2, 7]);
  expect(farthestFromOne(probabilities)).toBeLessThan(1e-6);
});

const farthestFromOne = (probabilities: Float32Array): number =>
  Math.max(
    ...Array.from({ length: probabilities.length / 10 }, (_, image) =>
      Math.abs(probabilities.subarray(image * 10, image * 10 + 10).reduce((a, b) => a + b) - 1),
    ),
  );

const random = seededRandom(1);
const { pixels: digits } = mnist("test", 1000);
test.each([
  ["random pixels", () => random.below(256) / 255],
  ["digits under salt noise", (at: number) => (random.below(4) === 0 ? 1 : digits[at]! / 255)],
  ["white images, as 0–255", () => 255],
  ["random pixels, as 0–255", () => random.below(256)],
])("the bundled model has ten probabilities that sum to 1 for %s", async (_, value) => {
  const { probabilities } = await run(
    bundled,
    Float32Array.from({ length: 784_000 }, (__, at) => value(at)),
    784,
  );
  expect(farthestFromOne(probabilities)).toBeLessThan(1e-6);
});

test("the bundled model's probabilities are those of double precision to 2e-5 of their size", async () => {
  const { pixels } = mnist("test", 1000);
  const { graph } = decodeModel(bundled);
  const [weights, intercepts] = ["weights", "intercepts"].map((name) => {
    const { rawData } = graph!.initializer!.find((tensor) => tensor.name === name)!;
    return new Float32Array(Uint8Array.from(rawData!).buffer);
  });
  const { probabilities } = await run(
    bundled,
    Float32Array.from(pixels, (value) => value / 255),
    784,
  );
  let worst = 0;
  for (let image = 0; image < 1000; image++) {
    const sigmoids = Array.from(intercepts!, (intercept, k) => {
      let score = intercept;
      for (let pixel = 0; pixel < 784; pixel++)
        score += Math.fround(pixels[image * 784 + pixel]! / 255) * weights![k * 784 + pixel]!;
      return 1 / (1 + Math.exp(-score));
    });
    const sum = sigmoids.reduce((a, b) => a + b);
    for (const [k, sigmoid] of sigmoids.entries())
      worst = Math.max(worst, Math.abs(probabilities[image * 10 + k]! / (sigmoid / sum) - 1));
  }
  expect(worst).toBeLessThan(2e-5);
});
