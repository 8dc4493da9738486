import { describe, expect, test } from "vitest";

import { mnist } from "../train/mnist.ts";
import { ask, fakeEngine, firstNumbers, serve } from "./scene.ts";

const { pixels, labels } = mnist("test", 100);
const image = (i: number): number[] => Array.from(pixels.subarray(i * 784, (i + 1) * 784));
const unit = (i: number): number[] => image(i).map((x) => x / 255);
/** What the bundled model answers: right but for the ninth, which is a 5 that it takes for a 6. */
const FIRST_TEN = [7, 2, 1, 0, 4, 1, 4, 9, 6, 9];
const TEN = Array.from({ length: 10 }, (_, i) => unit(i));
const lines = (row: readonly number[]): number[][] =>
  Array.from({ length: 28 }, (_, y) => row.slice(y * 28, y * 28 + 28));
/** A row as named columns; every other one's stand the other way round. */
const record = (row: readonly number[], i: number): [string, number][] => {
  const fields = row.map((x, column): [string, number] => [`pixel${column}`, x]);
  return i % 2 === 0 ? fields : fields.toReversed();
};
const json = (value: unknown): string => JSON.stringify(value);

interface Tensor {
  readonly name: string;
  readonly shape: number[];
  readonly datatype: string;
  readonly data?: number[];
  readonly parameters?: { readonly binary_data_size: number };
}

describe("POST /score", () => {
  test("answers the tutorial's request with a bare list of labels", async () => {
    const { url } = await serve();
    const answer = await ask(`${url}/score`, {
      headers: { "Content-Type": "application/json" },
      body: json({ data: TEN }),
    });
    expect(answer).toMatchObject({ status: 200, body: `[${FIRST_TEN.join(", ")}]` });
    expect(answer.headers).toMatchObject({
      "content-type": "application/json",
      "x-ms-run-function-failed": "False",
    });
    expect(labels[8]).toBe(5);
  });

  test("takes images of 28 lines, and with one channel", async () => {
    const { url } = await serve();
    for (const data of [
      TEN.map(lines),
      TEN.map((row) => [lines(row)]),
      TEN.map((row) => lines(row).map((line) => line.map((x) => [x]))),
    ])
      expect((await ask(`${url}/score`, { body: json({ data }) })).body).toBe(`[${FIRST_TEN.join(", ")}]`);
  });

  test.each([
    ["by its header", "/score", { "X-Pixels": "0-255" }, {}],
    ["by its query", "/score?pixels=0-255", {}, {}],
    ["by the service's option", "/score", {}, { pixels: "0-255" as const }],
  ])("takes pixels of 0-255 where asked to %s", async (_how, path, headers, options) => {
    const { url } = await serve(options);
    const body = json({ data: TEN.map((_, i) => image(i)) });
    expect((await ask(`${url}${path}`, { headers, body })).body).toBe(`[${FIRST_TEN.join(", ")}]`);
  });

  test("gives the same probabilities for pixels as for what they become, by header and query", async () => {
    const { url } = await serve();
    const rows = await ask(`${url}/score?probabilities=true`, { body: json({ data: TEN }) });
    const probabilities = JSON.parse(rows.body) as number[][];
    expect(probabilities.map((row) => row.indexOf(Math.max(...row)))).toEqual(FIRST_TEN);
    for (const row of probabilities) expect(row.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    const pixelRows = await ask(`${url}/score`, {
      headers: { "X-Probabilities": "true", "X-Pixels": "0-255" },
      body: json({ data: TEN.map((_, i) => image(i)) }),
    });
    expect(pixelRows.body).toBe(rows.body);
  });

  test.each([
    [
      '{"data": [[0, 1]]}',
      400,
      '"data" holds rows of 2, but must be a list of images, each a row of 784 numbers or 28 lines of 28',
    ],
    [
      '{"data": [0, 1]}',
      400,
      '"data" holds one row of numbers, but must be a list of images, each a row of 784 numbers or 28 lines of 28',
    ],
    ['{"data": []}', 400, '"data" holds no images'],
    ['{"data": "x"}', 400, '"data" must be a list of images, each a row of 784 numbers or 28 lines of 28'],
    ['{"date": [[0]]}', 400, '"data" must be a list of images, each a row of 784 numbers or 28 lines of 28'],
    ["[[0]]", 400, 'the body must be a JSON object such as {"data": [[…]]}'],
    [
      json({ data: [unit(0), [...unit(1).slice(1), null]] }),
      400,
      '"data": row 1, column 783 is null, but must be a number',
    ],
    [
      json({ data: [unit(0), unit(1).slice(1)] }),
      400,
      '"data": row 1 has 783 numbers, but those before it have 784',
    ],
  ])("refuses %.40s", async (body, status, message) => {
    const { url } = await serve();
    const answer = await ask(`${url}/score`, { body });
    expect(answer).toMatchObject({ status, body: json({ message }) });
  });

  test("names row and column of what is no pixel", async () => {
    const { url } = await serve();
    const data = [image(0), image(1).with(130, 256)];
    expect(await ask(`${url}/score?pixels=0-255`, { body: json({ data }) })).toMatchObject({
      status: 400,
      body: json({ message: "row 1, column 130 is 256, but pixels are whole numbers from 0 to 255" }),
    });
    expect((await ask(`${url}/score?pixels=no`, { body: json({ data }) })).body).toBe(
      json({ message: 'pixels is "no", but must be 0-1 or 0-255' }),
    );
    expect((await ask(`${url}/score?probabilities=no`, { body: json({ data }) })).body).toBe(
      json({ message: 'probabilities is "no", but must be true or false' }),
    );
  });

  test("hands whole numbers to a model that takes bytes as they come, and nothing else", async () => {
    const { url } = await serve({}, fakeEngine(undefined, { whole: true }));
    expect((await ask(`${url}/score`, { body: '{"data": [[2, 0, 0, 255]]}' })).body).toBe("[2]");
    expect((await ask(`${url}/score`, { body: '{"data": [[0.5, 0, 0, 0]]}' })).body).toBe(
      json({ message: "row 0, column 0 is 0.5, but the model takes whole numbers from 0 to 255" }),
    );
  });

  test("a model's failure is 500 without a word of it, which stands in the log under the request's id", async () => {
    const { url, logged } = await serve(
      {},
      fakeEngine(() => Promise.reject(new Error("secret path /model.onnx"))),
    );
    const answer = await ask(`${url}/score`, {
      headers: { "X-Request-Id": "r-1" },
      body: '{"data": [[0, 0, 0, 0]]}',
    });
    expect(answer).toMatchObject({
      status: 500,
      body: json({ message: "the model failed: its log has the reason under the request id r-1" }),
    });
    expect(answer.headers["x-ms-run-function-failed"]).toBe("True");
    const failures = logged().filter(({ level }) => level === "error");
    expect(failures).toMatchObject([
      { requestId: "r-1", error: expect.stringContaining("secret path /model.onnx") as string },
    ]);
  });

  test("scores that are no distribution are 500 for that request alone", async () => {
    const { url } = await serve(
      {},
      fakeEngine((rows, count) => {
        const scores = firstNumbers(rows, count);
        for (let row = 0; row < count; row++)
          if (rows[row * 4 + 1] === 9) scores.probabilities!.fill(NaN, row * 3, row * 3 + 3);
        return Promise.resolve(scores);
      }),
    );
    const [right, wrong] = await Promise.all([
      ask(`${url}/score`, { body: '{"data": [[1, 0, 0, 0]]}' }),
      ask(`${url}/score`, { body: '{"data": [[1, 0, 0, 0], [1, 9, 0, 0]]}' }),
    ]);
    expect(right.body).toBe("[1]");
    expect(wrong).toMatchObject({
      status: 500,
      body: json({ message: "the model gives no scores for row 1" }),
    });
  });
});

describe("an image without probabilities", () => {
  /** So far from any digit that the bundled model's own sums are 0. */
  const white = Array.from({ length: 784 }, () => 1);
  const two = [unit(0), white];

  test("has its label, and so have the others of its request", async () => {
    const { url } = await serve();
    const alone = JSON.parse((await ask(`${url}/score`, { body: json({ data: [white] }) })).body) as number[];
    const answer = await ask(`${url}/score`, { body: json({ data: two }) });
    expect(answer).toMatchObject({ status: 200, body: `[7, ${alone[0]}]` });
  });

  test("has null for each where they are asked for", async () => {
    const withoutScores = fakeEngine(
      (rows, count) => {
        const scores = firstNumbers(rows, count);
        scores.probabilities!.fill(NaN, 3, 6);
        return Promise.resolve(scores);
      },
      { ownLabels: true },
    );
    const { url } = await serve({}, withoutScores);
    const body = json({
      data: [
        [1, 0, 0, 0],
        [2, 0, 0, 0],
      ],
    });
    expect((await ask(`${url}/score?probabilities=1`, { body })).body).toBe(
      "[[0, 1, 0], [null, null, null]]",
    );
    const inputs = [{ name: "x", shape: [2, 4], datatype: "FP32", data: [1, 0, 0, 0, 2, 0, 0, 0] }];
    const infer = await ask(`${url}/v2/models/mnist/infer`, { body: json({ inputs }) });
    const { outputs } = JSON.parse(infer.body) as { outputs: Tensor[] };
    expect(outputs.map(({ data }) => data)).toEqual([
      [1, 2],
      [0, 1, 0, null, null, null],
    ]);
  });
});

describe("the other protocols", () => {
  test("KServe V1 takes instances or inputs", async () => {
    const { url } = await serve();
    const predict = `${url}/v1/models/mnist:predict`;
    expect((await ask(predict, { body: json({ instances: TEN }) })).body).toBe(
      `{"predictions":[${FIRST_TEN.join(",")}]}`,
    );
    expect((await ask(predict, { body: json({ inputs: TEN }) })).body).toBe(
      `{"predictions":[${FIRST_TEN.join(",")}]}`,
    );
    expect((await ask(`${url}/v1/models`)).body).toBe('{"models":["mnist"]}');
    expect((await ask(`${url}/v1/models/mnist`)).body).toBe('{"name":"mnist","ready":true}');
    const headers = { Accept: "application/json" };
    expect(await ask(`${url}/`, { headers })).toMatchObject({ status: 200, body: '{"status":"alive"}' });
    expect(await ask(`${url}/`, { headers: { Accept: "*/*" } })).toMatchObject({ body: "Healthy" });
    expect(await ask(`${url}/v1/models/nope:predict`, { body: json({ instances: TEN }) })).toMatchObject({
      status: 404,
      body: '{"error":"there is nothing at this path, or no model of this name"}',
    });
  });

  test("MLflow takes records of named columns, in whatever order the names stand", async () => {
    const { url } = await serve();
    const records = TEN.map((row, i) => Object.fromEntries(record(row, i)));
    const body = json({ dataframe_records: records });
    expect(await ask(`${url}/invocations`, { body })).toMatchObject({
      status: 200,
      body: `{"predictions": [${FIRST_TEN.join(", ")}]}`,
    });
    // Far more than the values that a body may have beside its numbers.
    const many = Array.from({ length: 50 }, (_, i) => Object.fromEntries(record(TEN[i % 10]!, 0)));
    const answer = await ask(`${url}/invocations`, { body: json({ dataframe_records: many }) });
    expect(answer.body).toBe(
      `{"predictions": [${Array.from({ length: 50 }, (_, i) => FIRST_TEN[i % 10]).join(", ")}]}`,
    );
  });

  test.each([
    ['[{"a": 1, "b": 2, "c": 3, "d": 4}, {"a": 1}]', "row 1 has 1 column, but those before it have 4"],
    ['[{"a": 1, "b": 2}, {"a": 1, "c": 2}]', 'row 1, column "b" is missing'],
    ['[{"a": 1, "b": 2}, {"a": 1, "b": "x"}]', 'row 1, column "b" must be a number'],
    ['[{"a": 1}, {"a": 3.5e38}]', 'row 1, column "a" is too large for float32'],
    ['[{"a": 1}, 5, {"a": 2}]', "a list of objects must hold nothing else"],
  ])("MLflow refuses records %s", async (records, message) => {
    const { url } = await serve({}, fakeEngine());
    expect(await ask(`${url}/invocations`, { body: `{"dataframe_records": ${records}}` })).toMatchObject({
      status: 400,
      body: json({ error_code: "BAD_REQUEST", message: `"dataframe_records": ${message}` }),
    });
  });

  test("MLflow takes one of inputs, instances and dataframe_split, and asks for probabilities in params", async () => {
    const { url } = await serve();
    const answers = [{ inputs: TEN }, { instances: TEN }, { dataframe_split: { columns: [0], data: TEN } }];
    for (const body of answers)
      expect((await ask(`${url}/invocations`, { body: json(body) })).body).toBe(
        `{"predictions": [${FIRST_TEN.join(", ")}]}`,
      );
    const { predictions } = JSON.parse(
      (await ask(`${url}/invocations`, { body: json({ inputs: TEN, params: { probabilities: true } }) }))
        .body,
    ) as { predictions: number[][] };
    expect(predictions.map((row) => row.length)).toEqual(Array.from({ length: 10 }, () => 10));
    expect(await ask(`${url}/invocations`, { body: json({ inputs: TEN, instances: TEN }) })).toMatchObject({
      status: 400,
      body: json({
        error_code: "BAD_REQUEST",
        message:
          "the body must have exactly one of inputs, instances, dataframe_split, dataframe_records, but has inputs and instances",
      }),
    });
    expect(await ask(`${url}/ping`)).toMatchObject({ status: 200, body: "\n" });
    expect(await ask(`${url}/version`)).toMatchObject({ status: 200, body: "0.1.0" });
  });

  test("Open Inference answers all outputs, or those that are asked for", async () => {
    const { url } = await serve();
    const infer = `${url}/v2/models/mnist/infer`;
    const inputs = [{ name: "pixels", shape: [10, 784], datatype: "FP32", data: TEN.flat() }];
    const all = JSON.parse((await ask(infer, { body: json({ id: "7", inputs }) })).body) as {
      id: string;
      outputs: Tensor[];
    };
    expect(all).toMatchObject({ model_name: "mnist", model_version: "1", id: "7" });
    expect(all.outputs.map(({ name, shape, datatype }) => ({ name, shape, datatype }))).toEqual([
      { name: "label", shape: [10], datatype: "INT64" },
      { name: "probabilities", shape: [10, 10], datatype: "FP32" },
    ]);
    expect(all.outputs[0]!.data).toEqual(FIRST_TEN);
    const one = await ask(`${url}/v2/models/mnist/versions/1/infer`, {
      body: json({ id: "8", inputs: [{ ...inputs[0], data: TEN }], outputs: [{ name: "label" }] }),
    });
    expect(JSON.parse(one.body)).toEqual({
      model_name: "mnist",
      model_version: "1",
      id: "8",
      outputs: [{ name: "label", shape: [10], datatype: "INT64", data: FIRST_TEN }],
    });
  });

  test("Open Inference takes and gives tensors as bytes: FP32 as numbers, UINT8 as pixels", async () => {
    const { url } = await serve();
    const tensors = {
      FP32: Buffer.from(Float32Array.from(TEN.flat()).buffer),
      FP64: Buffer.from(Float64Array.from(TEN.flat()).buffer),
      UINT8: Buffer.from(pixels.subarray(0, 7840)),
    };
    for (const [datatype, bytes] of Object.entries(tensors)) {
      const head = json({
        inputs: [
          { name: "pixels", shape: [10, 28, 28], datatype, parameters: { binary_data_size: bytes.length } },
        ],
        outputs: [{ name: "probabilities" }, { name: "label", parameters: { binary_data: true } }],
      });
      const answer = await ask(`${url}/v2/models/mnist/infer`, {
        headers: { "Inference-Header-Content-Length": String(Buffer.byteLength(head)) },
        body: Buffer.concat([Buffer.from(head), bytes]),
      });
      const end = Number(answer.headers["inference-header-content-length"]);
      const { outputs } = JSON.parse(answer.bytes.subarray(0, end).toString()) as { outputs: Tensor[] };
      expect(outputs[1]).toEqual({
        name: "label",
        shape: [10],
        datatype: "INT64",
        parameters: { binary_data_size: 80 },
      });
      const raw = answer.bytes.subarray(end);
      expect(Array.from({ length: 10 }, (_, i) => Number(raw.readBigInt64LE(i * 8)))).toEqual(FIRST_TEN);
    }
  });

  test.each([
    [{}, '"inputs" must hold one tensor, as {"inputs": [{"name": …, "shape": …, "datatype": …, "data": …}]}'],
    [
      { inputs: [{ datatype: "BYTES" }] },
      '"datatype" is BYTES, but must be one of FP32, FP64, UINT8, INT32, INT64',
    ],
    [
      { inputs: [{ datatype: "FP32", shape: [1, 10] }] },
      '"shape" is [1, 10], but must be [n, 784] or [n, 28, 28]',
    ],
    [
      { inputs: [{ datatype: "FP32", shape: [2, 784], data: unit(0) }] },
      '"data" holds 784 numbers, but "shape" says 1568',
    ],
    [
      {
        inputs: [{ name: "pixels", datatype: "FP32", shape: [1, 784], data: unit(0) }],
        outputs: [{ name: "zzz" }],
      },
      '"outputs" asks for "zzz", but the model gives label, probabilities',
    ],
    [
      { inputs: [{ name: "images", datatype: "FP32", shape: [1, 784], data: unit(0) }] },
      '"name" is "images", but the model\'s input is "pixels"',
    ],
    [
      { inputs: [{ datatype: "FP32", shape: [1, 784], data: unit(0) }] },
      '"name" is missing, but the model\'s input is "pixels"',
    ],
  ])("Open Inference refuses %.60j", async (body, error) => {
    const { url } = await serve();
    expect(await ask(`${url}/v2/models/mnist/infer`, { body: json(body) })).toMatchObject({
      status: 400,
      body: json({ error }),
    });
  });

  test("Open Inference tells of the model", async () => {
    const { url } = await serve();
    const get = async (path: string): Promise<unknown> => JSON.parse((await ask(`${url}${path}`)).body);
    expect(await get("/v2")).toEqual({
      name: "mnist-evaluate",
      version: "0.1.0",
      extensions: ["binary_tensor_data"],
    });
    expect(await get("/v2/models/mnist")).toEqual({
      name: "mnist",
      versions: ["1"],
      platform: "onnxruntime_onnx",
      inputs: [{ name: "pixels", datatype: "FP32", shape: [-1, 784] }],
      outputs: [
        { name: "label", datatype: "INT64", shape: [-1] },
        { name: "probabilities", datatype: "FP32", shape: [-1, 10] },
      ],
    });
    expect(await get("/v2/health/live")).toEqual({ live: true });
    expect(await get("/v2/health/ready")).toEqual({ ready: true });
    expect(await get("/v2/models/mnist/ready")).toEqual({ name: "mnist", ready: true });
  });
});

test("GET /swagger.json describes the service as Azure's server does", async () => {
  const { url } = await serve();
  const swagger = JSON.parse((await ask(`${url}/swagger.json`)).body) as Record<string, unknown>;
  expect(swagger).toMatchObject({
    swagger: "2.0",
    info: { title: "mnist", description: "API specification for the Azure Machine Learning service mnist" },
    definitions: { ServiceInput: { properties: { data: { items: { minItems: 784 } } } } },
  });
  expect(Object.keys(swagger["paths"] as object)).toEqual(["/", "/score"]);
});

test("a model that gives labels only is served without probabilities", async () => {
  const labelsOnly = fakeEngine(
    (rows, count) => Promise.resolve({ ...firstNumbers(rows, count), probabilities: null }),
    {
      hasProbabilities: false,
    },
  );
  const { url } = await serve({}, labelsOnly);
  const body = '{"data": [[2, 0, 0, 0]]}';
  expect((await ask(`${url}/score`, { body })).body).toBe("[2]");
  expect(await ask(`${url}/score?probabilities=1`, { body })).toMatchObject({
    status: 400,
    body: json({ message: "the model mnist gives labels only: ask without probabilities" }),
  });
});
