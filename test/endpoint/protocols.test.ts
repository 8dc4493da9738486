import { describe, expect, test } from "vitest";

import type { Kind, ServerOptions } from "../servers/start.ts";
import { distance, LENET, LOGREG, metricsOf, MNIST_12, predictionsOf, scene, server } from "./scene.ts";

const { bare, local } = scene();

/** A server, how it is recognised by its scoring URL, and what goes over the wire. */
interface Served {
  readonly kind: Kind;
  readonly mode?: string;
  readonly protocol: string;
  readonly encoding: string;
  readonly found: string;
  /** What it sends and gets is another row's but for its wrapping. */
  readonly alike?: true;
}

const AZURE = "the path /score; GET / answers Healthy; GET /swagger.json names ML service";
const MLFLOW = "the path /invocations; GET /version answers 3.3.2.dev0";
const PREDICT = "the path /v1/models/mnist:predict";
const INFER = "the path /v2/models/mnist/infer";
const TRITON = `${INFER}; GET /v2 names triton 2.50.0 with binary_tensor_data; GET /v2/models/mnist names its input pixels`;
const TFSERVING = `${PREDICT}; GET /v1/models/mnist has version 1; GET /v1/models/mnist/metadata names its tensors`;
const SAGEMAKER = "the path /invocations; GET /ping answers 200";

const azureml = (mode: string, encoding = "data"): Served => ({
  kind: "azureml",
  mode,
  protocol: "azureml",
  encoding,
  found: AZURE,
});
const SERVED: readonly Served[] = [
  azureml("list"),
  { ...azureml("named"), found: `${AZURE} with the input images`, alike: true },
  { ...azureml("string"), alike: true },
  { ...azureml("result"), alike: true },
  { ...azureml("result-string"), alike: true },
  azureml("automl", "Inputs predict_proba"),
  azureml("input_data", "input_data"),
  { ...azureml("schema"), alike: true },
  { ...azureml("html"), alike: true },
  {
    kind: "kserve",
    mode: "v1",
    protocol: "kserve-v1",
    encoding: "instances",
    found: `${PREDICT}; GET /v1/models lists mnist; GET /v1/models/mnist knows the model`,
  },
  {
    kind: "kserve",
    mode: "v2",
    protocol: "oip",
    encoding: "FP32",
    found: `${INFER}; GET /v2 names kserve 0.20.0; GET /v2/models/mnist knows the model`,
  },
  {
    kind: "mlserver",
    protocol: "oip",
    encoding: "FP32",
    found: `${INFER}; GET /v2 names mlserver 1.7.0.dev0; GET /v2/models/mnist knows the model`,
  },
  { kind: "mlflow", mode: "plain", protocol: "mlflow", encoding: "inputs", found: MLFLOW },
  { kind: "mlflow", mode: "signature", protocol: "mlflow", encoding: "inputs", found: MLFLOW, alike: true },
  { kind: "triton", mode: "fp32", protocol: "oip-binary", encoding: "binary FP32", found: `${TRITON} FP32` },
  {
    kind: "triton",
    mode: "uint8",
    protocol: "oip-binary",
    encoding: "binary UINT8",
    found: `${TRITON} UINT8`,
  },
  { kind: "tfserving", mode: "plain", protocol: "tfserving", encoding: "instances", found: TFSERVING },
  {
    kind: "tfserving",
    mode: "named",
    protocol: "tfserving",
    encoding: "instances",
    found: TFSERVING,
    alike: true,
  },
  {
    kind: "torchserve",
    mode: "predictions",
    protocol: "torchserve",
    encoding: "instances",
    found: "the path /predictions/mnist; GET /ping answers Healthy",
  },
  {
    kind: "torchserve",
    mode: "instances",
    protocol: "torchserve",
    encoding: "instances",
    found: `${PREDICT}; GET /ping answers Healthy`,
    alike: true,
  },
  { kind: "sagemaker", mode: "plain", protocol: "sagemaker", encoding: "list", found: SAGEMAKER },
  { kind: "sagemaker", mode: "predictions", protocol: "sagemaker", encoding: "instances", found: SAGEMAKER },
  { kind: "sagemaker", mode: "builtin", protocol: "sagemaker", encoding: "csv", found: SAGEMAKER },
];

/** The whole of t10k where nothing is asked otherwise; the other answers of a server need fewer images. */
const FEW = process.env["ALL"] === "1" ? 10_000 : 500;
const few = FEW === 10_000 ? [] : ["--limit", String(FEW)];

const optionsOf = ({ mode }: Served): Pick<ServerOptions, "mode"> => (mode === undefined ? {} : { mode });

describe.each(SERVED)("evaluate --endpoint at $kind $mode", (served) => {
  const { kind, protocol, encoding, found, alike = false } = served;
  const count = alike ? FEW : 10_000;

  test(`that gives probabilities: ${count} of ${count} predictions are local scoring's`, async () => {
    const { scoreUrl } = await server(kind, { ...optionsOf(served), output: "probabilities" });
    const { code, stderr, out } = await bare(["--endpoint", scoreUrl, ...(alike ? few : [])]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { images, differing, largest } = distance(predictionsOf(out), await local(LOGREG));
    expect({ images, differing }).toEqual({ images: count, differing: [] });
    expect(largest).toBeLessThan(1e-6);
    const { scorer, failures } = metricsOf(out);
    expect({ protocol: scorer.protocol, ...scorer.endpoint }).toMatchObject({ protocol, encoding, found });
    expect(failures).toMatchObject({ count: 0, images: [] });
  });

  test("that gives labels, with --protocol: predictions are local scoring's", async () => {
    const { scoreUrl } = await server(kind, { ...optionsOf(served), output: "labels" });
    const { code, stderr, out } = await bare(["--endpoint", scoreUrl, "--protocol", protocol, ...few]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { images, differing } = distance(predictionsOf(out), await local(LOGREG));
    expect({ images, differing }).toEqual({ images: FEW, differing: [] });
    const { scorer } = metricsOf(out);
    expect({ protocol: scorer.protocol, encoding: scorer.endpoint?.encoding }).toEqual({
      protocol,
      encoding,
    });
  });
});

describe("evaluate --endpoint with the bare address of", () => {
  test.each([
    ["azureml", {}, [], "azureml", "data"],
    ["kserve", { mode: "v2" }, [], "kserve-v1", "instances"],
    ["kserve", { mode: "v2" }, ["--protocol", "oip"], "oip", "FP32"],
    ["mlserver", {}, [], "oip", "FP32"],
    ["mlflow", {}, [], "mlflow", "inputs"],
    ["triton", {}, [], "oip-binary", "binary FP32"],
    ["triton", { mode: "uint8" }, ["--model-name", "mnist"], "oip-binary", "binary UINT8"],
    ["triton", {}, ["--model-name", "mnist", "--protocol", "oip"], "oip", "FP32"],
    ["triton", { mode: "uint8" }, ["--model-name", "mnist", "--protocol", "oip"], "oip", "UINT8"],
    ["tfserving", {}, ["--model-name", "mnist"], "tfserving", "instances"],
    ["torchserve", {}, ["--model-name", "mnist"], "torchserve", "instances"],
    ["sagemaker", {}, [], "sagemaker", "list"],
  ] as const)("%s %j %j", async (kind, options, args, protocol, encoding) => {
    const { url } = await server(kind, options);
    const { code, stderr, out } = await bare(["--endpoint", url, ...args, ...few]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(distance(predictionsOf(out), await local(LOGREG))).toMatchObject({ images: FEW, differing: [] });
    const { scorer } = metricsOf(out);
    expect({ protocol: scorer.protocol, encoding: scorer.endpoint?.encoding }).toEqual({
      protocol,
      encoding,
    });
  });
});

test("Azure ML's labels and probabilities side by side are both read", async () => {
  const { scoreUrl } = await server("azureml", { mode: "both", output: "probabilities" });
  const { code, stderr, out } = await bare(["--endpoint", scoreUrl, ...few]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { differing, largest } = distance(predictionsOf(out), await local(LOGREG, ...few));
  expect(differing).toEqual([]);
  expect(largest).toBeLessThan(1e-6);
});

test("Azure ML's schema tells that images go as [n, 1, 28, 28] in a field of another name", async () => {
  const { scoreUrl } = await server("azureml", { mode: "named", model: LENET, output: "logits" });
  const { code, stderr, out } = await bare(["--endpoint", scoreUrl, ...few]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(distance(predictionsOf(out), await local(LENET, ...few)).differing).toEqual([]);
  const { scorer } = metricsOf(out);
  expect(scorer).toMatchObject({ preprocessing: { layout: "nchw" }, endpoint: { encoding: "data" } });
});

test("binary tensors are floats where the service does not say what its model takes", async () => {
  const { scoreUrl } = await server("kserve", { mode: "v2" });
  const args = ["--endpoint", scoreUrl, "--protocol", "oip-binary", ...few];
  const { code, stderr, out } = await bare(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(distance(predictionsOf(out), await local(LOGREG)).differing).toEqual([]);
  expect(metricsOf(out).scorer.endpoint).toMatchObject({ encoding: "binary FP32" });
});

test("--output names the output that MLServer is asked for, and else does not give", async () => {
  const { scoreUrl } = await server("mlserver", { output: "labels" });
  const { code, stderr, out } = await bare(["--endpoint", scoreUrl, "--output", "predict_proba", ...few]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { differing, largest } = distance(predictionsOf(out), await local(LOGREG, ...few));
  expect(differing).toEqual([]);
  expect(largest).toBeLessThan(1e-6);
});

test("--output is found in the replies of KServe, which refuses to be asked for one", async () => {
  const { scoreUrl } = await server("kserve", { mode: "v2", output: "probabilities" });
  const { code, stderr, out } = await bare(["--endpoint", scoreUrl, "--output", "output-0", ...few]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(distance(predictionsOf(out), await local(LOGREG, ...few)).differing).toEqual([]);
});

describe("evaluate --endpoint with a model that", () => {
  test("takes pixels as [n, 1, 28, 28], says so, and gives logits", async () => {
    const { scoreUrl } = await server("triton", { model: MNIST_12, output: "logits" });
    const { code, stderr, out } = await bare(["--endpoint", scoreUrl]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { images, differing, largest } = distance(predictionsOf(out), await local(MNIST_12));
    expect({ images, differing }).toEqual({ images: 10_000, differing: [] });
    expect(largest).toBeLessThan(1e-6);
    expect(metricsOf(out).scorer).toMatchObject({
      protocol: "oip-binary",
      preprocessing: { scale: "unit", layout: "nchw" },
      endpoint: { meaning: "logits" },
    });
  });

  test.each([
    ["oip-binary", 64],
    ["oip", 7],
  ] as const)("takes a fixed number of images alone, through %s %i", async (protocol, batch) => {
    const { scoreUrl, counts } = await server("triton", { batch, output: "probabilities" });
    const args = ["--endpoint", scoreUrl, "--protocol", protocol, ...(batch < 10 ? few : [])];
    const { code, stderr, out } = await bare(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { images, differing, largest } = distance(predictionsOf(out), await local(LOGREG));
    expect({ images, differing }).toEqual({ images: batch < 10 ? FEW : 10_000, differing: [] });
    expect(largest).toBeLessThan(1e-6);
    expect((await counts()).images % batch).toBe(0);
    expect(metricsOf(out).failures.count).toBe(0);
  });

  test("takes unit pixels as [n, 1, 28, 28], which only trying tells", async () => {
    const { scoreUrl } = await server("azureml", { model: LENET, output: "logits" });
    const { code, stderr, out } = await bare(["--endpoint", scoreUrl, ...few]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { images, differing, largest } = distance(predictionsOf(out), await local(LENET, ...few));
    expect({ images, differing }).toEqual({ images: FEW, differing: [] });
    expect(largest).toBeLessThan(1e-6);
    expect(metricsOf(out).scorer).toMatchObject({ preprocessing: { layout: "nchw" } });
  });
});
