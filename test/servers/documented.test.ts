import { describe, expect, test } from "vitest";

import { ask, LENET, server, unitRows } from "./scene.ts";

const ONE = unitRows(1);
const FLAT = ONE[0]!;

const requestFor = (count: number) =>
  JSON.stringify({
    inputs: [{ name: "pixels", datatype: "FP32", shape: [count, 784], data: Array(count).fill(FLAT).flat() }],
  });

describe("triton", () => {
  test("metadata names inputs and outputs, and the binary extension", async () => {
    const { url } = await server("triton", { output: "probabilities" });
    expect((await ask(`${url}/v2`, null, {})).body).toMatch(
      /^\{"name":"triton","version":"2\.50\.0","extensions":\[.*"binary_tensor_data".*\]\}$/,
    );
    expect((await ask(`${url}/v2/models/mnist`, null, {})).body).toBe(
      `{"name":"mnist","versions":["1"],"platform":"onnxruntime_onnx","inputs":[{"name":"pixels","datatype":"FP32","shape":[-1,784]}],"outputs":[{"name":"label","datatype":"INT64","shape":[-1]},{"name":"probabilities","datatype":"FP32","shape":[-1,10]}]}`,
    );
    const pictures = await server("triton", { model: LENET, name: "lenet", output: "logits" });
    expect((await ask(`${pictures.url}/v2/models/lenet`, null, {})).body).toContain(`"shape":[-1,1,28,28]`);
    const uint8 = await server("triton", { mode: "uint8" });
    expect((await ask(`${uint8.url}/v2/models/mnist`, null, {})).body).toContain(`"datatype":"UINT8"`);
  });

  test("ready and live are empty; a loading model is 400", async () => {
    const { url } = await server("triton");
    expect(await ask(`${url}/v2/health/ready`, null, {})).toMatchObject({ status: 200, body: "" });
    expect((await ask(`${url}/v2/models/nope/ready`, null, {})).status).toBe(400);
    const loading = await server("triton", { readyAfterMs: 60_000 });
    expect(await ask(`${loading.url}/v2/health/ready`, null, {})).toMatchObject({ status: 400, body: "" });
    expect((await ask(`${loading.url}/v2/health/live`, null, {})).status).toBe(200);
    expect((await ask(loading.scoreUrl, "{}")).status).toBe(400);
  });

  test.each([
    ["x", "FP32", [1, 784], "unexpected inference input 'x' for model 'mnist'"],
    [
      "pixels",
      "FP64",
      [1, 784],
      "inference input 'pixels' data-type is 'FP64', but model 'mnist' expects 'FP32'",
    ],
    [
      "pixels",
      "FP32",
      [1, 28, 28],
      "unexpected shape for input 'pixels' for model 'mnist'. Expected [-1,784], got [1,28,28]",
    ],
  ])("refuses %s %s %j", async (name, datatype, shape, error) => {
    const { scoreUrl } = await server("triton");
    const body = JSON.stringify({ inputs: [{ name, datatype, shape, data: FLAT }] });
    expect(await ask(scoreUrl, body)).toMatchObject({ status: 400, body: JSON.stringify({ error }) });
  });

  test("refuses more or fewer images than its metadata says", async () => {
    const { url, scoreUrl } = await server("triton", { batch: 2 });
    expect((await ask(`${url}/v2/models/mnist`, null, {})).body).toContain(`"shape":[2,784]`);
    expect((await ask(scoreUrl, requestFor(2))).body).toContain(`"data":[7,7]`);
    for (const count of [1, 3]) {
      const error = `unexpected shape for input 'pixels' for model 'mnist'. Expected [2,784], got [${count},784]`;
      expect(await ask(scoreUrl, requestFor(count))).toMatchObject({
        status: 400,
        body: JSON.stringify({ error }),
      });
    }
  });

  test("a reply has the request's id, and none without one", async () => {
    const { scoreUrl } = await server("triton");
    const inputs = [{ name: "pixels", datatype: "FP32", shape: [1, 784], data: FLAT }];
    const output = `"outputs":[{"name":"label","datatype":"INT64","shape":[1],"data":[7]}]`;
    expect((await ask(scoreUrl, JSON.stringify({ id: "a", inputs }))).body).toBe(
      `{"id":"a","model_name":"mnist","model_version":"1",${output}}`,
    );
    expect((await ask(scoreUrl, JSON.stringify({ inputs }))).body).toBe(
      `{"model_name":"mnist","model_version":"1",${output}}`,
    );
    const wrong = await server("triton", { faults: [{ name: "wrong-id" }] });
    expect((await ask(wrong.scoreUrl, JSON.stringify({ id: "a", inputs }))).body).toContain(`{"id":"not-a",`);
  });
});

const dim = (...sizes: string[]) => sizes.map((size) => ({ size, name: "" }));

describe("tfserving", () => {
  test("status, metadata and errors", async () => {
    const { url, scoreUrl } = await server("tfserving", { output: "probabilities" });
    const get = async (path: string) => await ask(url + path, null, {});
    expect((await get("/v1/models/mnist")).body).toBe(
      `{\n "model_version_status": [\n  {\n   "version": "1",\n   "state": "AVAILABLE",\n   "status": {\n    "error_code": "OK",\n    "error_message": ""\n   }\n  }\n ]\n}\n`,
    );
    const { metadata } = JSON.parse((await get("/v1/models/mnist/metadata")).body) as {
      metadata: { signature_def: { signature_def: Record<string, unknown> } };
    };
    expect(metadata.signature_def.signature_def["serving_default"]).toEqual({
      inputs: {
        x: {
          dtype: "DT_FLOAT",
          tensor_shape: { dim: dim("-1", "784"), unknown_rank: false },
          name: "serving_default_x:0",
        },
      },
      outputs: {
        probabilities: {
          dtype: "DT_FLOAT",
          tensor_shape: { dim: dim("-1", "10"), unknown_rank: false },
          name: "StatefulPartitionedCall:0",
        },
      },
      method_name: "tensorflow/serving/predict",
    });
    expect(await get("/v1/models/nope")).toMatchObject({
      status: 404,
      body: `{ "error": "Could not find any versions of model nope" }`,
    });
    expect((await get("/v1/models/mnist:predict")).body).toBe(
      `{ "error": "Malformed request: GET /v1/models/mnist:predict" }`,
    );
    expect(await ask(scoreUrl, "")).toMatchObject({
      status: 400,
      body: `{ "error": "JSON Parse error: The document is empty" }`,
    });
    expect((await ask(scoreUrl, `{"data": []}`)).body).toBe(
      `{ "error": "Missing 'inputs' or 'instances' key" }`,
    );
  });

  test("writes rows in one line, columns one below the other, and NaN as it is", async () => {
    const { scoreUrl } = await server("tfserving");
    const rows = unitRows(2);
    expect((await ask(scoreUrl, JSON.stringify({ instances: rows }))).body).toBe(
      `{\n    "predictions": [7, 2\n    ]\n}`,
    );
    expect((await ask(scoreUrl, JSON.stringify({ inputs: rows }))).body).toBe(
      `{\n    "outputs": [\n        7,\n        2\n    ]\n}`,
    );
    const nan = await server("tfserving", { output: "probabilities", faults: [{ name: "nan" }] });
    const { body } = await ask(nan.scoreUrl, JSON.stringify({ instances: ONE }));
    expect(body).toBe(`{\n    "predictions": [[${Array(10).fill("NaN").join(", ")}]\n    ]\n}`);
  });
});

describe("torchserve", () => {
  test("ping, unknown models and paths, and what is no picture", async () => {
    const { url, scoreUrl } = await server("torchserve");
    expect((await ask(`${url}/ping`, null, {})).body).toBe(`{\n  "status": "Healthy"\n}\n`);
    expect(await ask(`${url}/predictions/nope`, "x")).toMatchObject({
      status: 404,
      body: `{\n  "code": 404,\n  "type": "ModelNotFoundException",\n  "message": "Model not found: nope"\n}\n`,
    });
    expect((await ask(`${url}/nope`, null, {})).status).toBe(404);
    expect(await ask(scoreUrl, "no picture")).toMatchObject({
      status: 503,
      body: `{\n  "code": 503,\n  "type": "InternalServerException",\n  "message": "Prediction failed"\n}\n`,
    });
    expect((await ask(scoreUrl, Buffer.alloc(7_000_000))).status).toBe(413);
  });
});

describe("sagemaker", () => {
  test("ping, formats and errors", async () => {
    const { url, scoreUrl } = await server("sagemaker", { output: "probabilities" });
    expect(await ask(`${url}/ping`, null, {})).toMatchObject({ status: 200, body: "" });
    const accept = { "Content-Type": "application/json", Accept: "text/csv" };
    expect((await ask(scoreUrl, JSON.stringify(ONE), accept)).body).toMatch(/^(?:\d[^,\n]*,){9}[^,\n]+\n$/);
    expect((await ask(scoreUrl, "x", { "Content-Type": "text/xml" })).status).toBe(415);
    expect((await ask(scoreUrl, "[[1, 2]]")).status).toBe(500);
    expect((await ask(scoreUrl, null, {})).status).toBe(405);
  });
});

describe("connections", () => {
  test("are kept by all but Azure's, without a header that says so", async () => {
    for (const [kind, header] of [
      ["azureml", "close"],
      ["kserve", null],
      ["mlflow", null],
    ] as const) {
      const { url, counts } = await server(kind);
      const path = kind === "mlflow" ? "/ping" : "/";
      const replies = [await fetch(url + path), await fetch(url + path)];
      for (const reply of replies) {
        await reply.text();
        expect(reply.headers.get("connection")).toBe(header);
      }
      expect((await counts()).requests).toBe(2);
    }
  });
});
