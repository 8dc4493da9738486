import { describe, expect, test } from "vitest";

import type { Form, Protocol } from "../../../src/scorer/protocols/protocol.ts";
import { PROTOCOLS } from "../../../src/scorer/protocols/table.ts";
import { requestBody } from "../../../src/scorer/request.ts";
import { ROWS, rowWriter } from "../../../src/scorer/rows.ts";
import { decoded, reply } from "./replies.ts";

const { azureml, mlflow, sagemaker, tfserving, torchserve } = PROTOCOLS;
const target = { root: "", model: "mnist", version: null };

/** Two images of 1×2 pixels. */
function written(protocol: Protocol, name: string): string {
  const form: Form = protocol.forms.find((one) => one.name === name)!;
  const image = ROWS[form.row].picture ? [1, 2] : [2];
  const raw = Array.from({ length: 256 }, (_, x) => x);
  const values = form.element === "uint8" ? Uint8Array.from(raw) : Float32Array.from(raw);
  const writer = rowWriter(form.row, values, image);
  return requestBody(
    form,
    { shape: [2, ...image], input: null, id: "1", output: null },
    writer,
    Uint8Array.of(0, 9, 8, 255),
  ).body.toString();
}

test.each([
  [azureml, "data", '{"data":[[0,9],[8,255]]}'],
  [azureml, "input_data", '{"input_data":[[0,9],[8,255]]}'],
  [azureml, "input_data columns", '{"input_data":{"columns":[0,1],"index":[0,1],"data":[[0,9],[8,255]]}}'],
  [azureml, "Inputs", '{"Inputs":{"data":[[0,9],[8,255]]},"GlobalParameters":{"method":"predict"}}'],
  [
    azureml,
    "Inputs predict_proba",
    '{"Inputs":{"data":[[0,9],[8,255]]},"GlobalParameters":{"method":"predict_proba"}}',
  ],
  [PROTOCOLS["kserve-v1"], "instances", '{"instances":[[0,9],[8,255]]}'],
  [tfserving, "inputs", '{"inputs":[[0,9],[8,255]]}'],
  [mlflow, "dataframe_split", '{"dataframe_split":{"columns":[0,1],"data":[[0,9],[8,255]]}}'],
  [sagemaker, "csv", "0,9\n8,255\n"],
  [sagemaker, "list", "[[0,9],[8,255]]"],
  [sagemaker, "features", '{"instances":[{"features":[0,9]},{"features":[8,255]}]}'],
] as const)("$title writes $1 %#", (protocol, name, expected) => {
  expect(written(protocol, name)).toBe(expected);
});

const list = (items: object) => ({ type: "array", items });
const swagger = (properties: object, example?: object) =>
  reply(
    JSON.stringify({
      info: {
        title: "mnist",
        description: "API specification for the Azure Machine Learning service mnist",
      },
      definitions: { ServiceInput: { type: "object", properties, example } },
    }),
  );

describe("azureml", () => {
  test.each([
    ['{"Results": [7, 2]}', "int64 [2] 7,2"],
    ['"{\\"Results\\": [[0.5, 0.5]]}"', "float64 [1, 2] 0.5,0.5"],
    ['{"predictions": "[7]"}', "int64 [1] 7"],
    [
      '{"result": {"labels": [7], "probabilities": [[0.25, 0.75]]}}',
      "labels int64 [1] 7; probabilities float64 [1, 2] 0.25,0.75",
    ],
    [
      '{"result": [7], "probabilities": [[0.25, 0.75]], "version": "2"}',
      "result int64 [1] 7; probabilities float64 [1, 2] 0.25,0.75",
    ],
    ['[{"0": 7}, {"0": 2}]', "0 int64 [2] 7,2"],
    [
      "\"could not convert string to float: 'a'\"",
      `ReplyError: the service answered with a text: "could not convert string to float: 'a'"`,
    ],
    ['{"message": "boom"}', "ReplyError: the service answered with an error: boom"],
    ["null", "ReplyError: the service answered with nothing (null): its run() returned no value"],
    ['{"result": null}', "ReplyError: the service answered with nothing (null): its run() returned no value"],
    [
      '{"result": {"result": {"result": {"result": {"result": [7]}}}}}',
      "ReplyError: the reply is wrapped in too many objects or strings",
    ],
  ])("decode %s", (body, expected) => {
    expect(decoded(azureml, reply(body, { "content-type": "text/html; charset=utf-8" }))).toBe(expected);
  });

  test("reads from swagger.json which fields run() takes", () => {
    const [, question] = azureml.questions;
    expect(question!.path({ ...target, root: "/api/v1/service/m" })).toBe("/api/v1/service/m/swagger.json");
    expect(question!.read(swagger({ data: {} }), target)).toEqual({
      says: "GET /swagger.json names mnist",
      forms: ["data"],
    });
    const images = list(list(list({ type: "number", format: "double" })));
    expect(
      question!.read(
        swagger(
          { images },
          {
            images: [
              [
                [0, 0, 0],
                [0, 0, 0],
              ],
            ],
          },
        ),
        target,
      ),
    ).toEqual({
      says: "GET /swagger.json names mnist with the input images",
      forms: ["data"],
      input: { name: "images", datatype: "double", shape: [-1, 2, 3], example: true },
    });
    expect(question!.read(swagger({ Inputs: {}, GlobalParameters: {} }), target)!.forms).toEqual([
      "Inputs predict_proba",
      "Inputs",
    ]);
  });

  test("asks a service for probabilities whose swagger.json has a parameter for them", () => {
    const [, question] = azureml.questions;
    const parameters = [{ name: "probabilities", in: "query", type: "boolean" }];
    const json = JSON.parse(swagger({ data: {} }).body.toString()) as object;
    const body = Buffer.from(JSON.stringify({ ...json, paths: { "/score": { post: { parameters } } } }));
    const { forms } = question!.read({ status: 200, headers: {}, body }, target)!;
    expect(forms).toEqual(["data?probabilities=true"]);
    const form = azureml.forms.find(({ name }) => name === forms![0]);
    expect(form!.path!({ ...target, root: "/m" })).toBe("/m/score?probabilities=true");
  });

  test("keeps what stands before /score", () => {
    expect(azureml.fromPath("/api/v1/service/mnist/score")).toEqual({
      root: "/api/v1/service/mnist",
      model: null,
      version: null,
    });
  });
});

const tensor = (...sizes: string[]) => ({
  dtype: "DT_FLOAT",
  tensor_shape: { dim: sizes.map((size) => ({ size, name: "" })), unknown_rank: false },
  name: "t:0",
});

// Shapes of https://www.tensorflow.org/tfx/serving/api_rest
describe("tfserving", () => {
  test.each([
    ['{"predictions": [[0.1, 0.9], [NaN, Infinity]]}', "float64 [2, 2] 0.1,0.9,NaN"],
    [
      '{"predictions": [{"classes": 7, "probabilities": [0.5, 0.5]}]}',
      "classes int64 [1] 7; probabilities float64 [1, 2] 0.5,0.5",
    ],
    ['{"outputs": [[0.1, 0.9]]}', "float64 [1, 2] 0.1,0.9"],
    [
      '{"outputs": {"classes": [7], "probabilities": [[0.5, 0.5]]}}',
      "classes int64 [1] 7; probabilities float64 [1, 2] 0.5,0.5",
    ],
    [
      '{ "error": "Servable not found for request: Latest(half)" }',
      "ReplyError: the service answered with an error: Servable not found for request: Latest(half)",
    ],
  ])("decode %s", (body, expected) => {
    expect(decoded(tfserving, reply(body))).toBe(expected);
  });

  test("reads versions and tensors", () => {
    const [status, metadata] = tfserving.questions;
    const versions = { version: "123", state: "AVAILABLE", status: { error_code: "OK", error_message: "" } };
    expect(status!.read(reply(JSON.stringify({ model_version_status: [versions] })), target)).toEqual({
      says: "GET /v1/models/mnist has version 123",
      models: ["mnist"],
      version: "123",
    });
    expect(
      status!.read(
        reply(JSON.stringify({ model_version_status: [{ ...versions, state: "LOADING" }] })),
        target,
      ),
    ).toEqual({
      says: "GET /v1/models/mnist knows the model, without a version that is available",
      models: ["mnist"],
    });
    const signature = {
      inputs: { flat: tensor("-1", "784") },
      outputs: { probs: tensor("-1", "10") },
      method_name: "tensorflow/serving/predict",
    };
    const body = {
      model_spec: { name: "mnist", signature_name: "", version: "123" },
      metadata: { signature_def: { signature_def: { serving_default: signature } } },
    };
    expect(metadata!.path(target)).toBe("/v1/models/mnist/metadata");
    expect(metadata!.read(reply(JSON.stringify(body)), target)).toEqual({
      says: "GET /v1/models/mnist/metadata names its tensors",
      version: "123",
      input: { name: "flat", datatype: "DT_FLOAT", shape: [-1, 784] },
      outputs: [{ name: "probs", datatype: "DT_FLOAT", shape: [-1, 10] }],
    });
  });

  test("keeps the version in the path", () => {
    const found = tfserving.fromPath("/v1/models/mnist/versions/2:predict")!;
    expect(found).toEqual({ root: "", model: "mnist", version: "2" });
    expect(tfserving.scorePath(found)).toBe("/v1/models/mnist/versions/2:predict");
    expect(PROTOCOLS["kserve-v1"].fromPath("/v1/models/mnist/versions/2:predict")).toBeNull();
  });
});

// Shapes of https://pytorch.org/serve/inference_api.html and of its image classifier
describe("torchserve", () => {
  test.each([
    ["7", "int64 [1] 7"],
    ["[7]", "int64 [1] 7"],
    ["[0.1, 0.9]", "float64 [1, 2] 0.1,0.9"],
    ["[[0.1, 0.9]]", "float64 [1, 2] 0.1,0.9"],
    ['{"seven": 0.75, "two": 0.25}', "label string [1] seven"],
    ['{"0": 0.25, "1": 0.75}', "label string [1] 1; probabilities float64 [1, 2] 0.25,0.75"],
    ['{"predictions": [7, 2]}', "int64 [2] 7,2"],
    ['{"predictions": [{"7": 0.75, "1": 0.25}, {"2": 1.0, "0": 0.0}]}', "label string [2] 7,2"],
    [
      '{"code": 503, "type": "ServiceUnavailableException", "message": "Model \\"m\\" has no worker"}',
      'ReplyError: the service answered with an error: Model "m" has no worker',
    ],
  ])("decode %s", (body, expected) => {
    expect(decoded(torchserve, reply(body))).toBe(expected);
  });

  test("sends pictures in base64 to KServe's route, and one as it is to its own", () => {
    const { instances } = JSON.parse(written(torchserve, "instances")) as { instances: { data: string }[] };
    expect(instances.map(({ data }) => Buffer.from(data, "base64").toString("latin1", 1, 4))).toEqual([
      "PNG",
      "PNG",
    ]);
    const [many, one] = torchserve.forms;
    expect(many!.path!({ ...target, root: "/r" })).toBe("/r/v1/models/mnist:predict");
    expect([one!.path, one!.mostRows]).toEqual([undefined, 1]);
    expect(torchserve.scorePath({ ...target, version: "2.0" })).toBe("/predictions/mnist/2.0");
  });

  test("GET /ping", () => {
    expect(torchserve.questions[0]!.read(reply('{"status": "Healthy"}'), target)).toEqual({
      says: "GET /ping answers Healthy",
    });
    expect(torchserve.questions[0]!.read(reply('{"status": "Unhealthy"}'), target)).toBeNull();
  });
});

// Shapes of https://docs.aws.amazon.com/sagemaker/latest/dg/LL-in-formats.html
describe("sagemaker", () => {
  test.each([
    [
      '{"predictions": [{"score": [0.1, 0.9], "predicted_label": 1}]}',
      1,
      "score float64 [1, 2] 0.1,0.9; predicted_label int64 [1] 1",
    ],
    [
      '{"score": [0.1, 0.9], "predicted_label": 1}\n{"score": [0.8, 0.2], "predicted_label": 0}\n',
      2,
      "score float64 [2, 2] 0.1,0.9,0.8; predicted_label int64 [2] 1,0",
    ],
    ["[7, 2]", 2, "int64 [2] 7,2"],
    ["7\n2\n", 2, "int64 [2] 7,2"],
    ["7.0,2.0", 2, "int64 [2] 7,2"],
    ["0.1,0.9", 1, "float64 [1, 2] 0.1,0.9"],
    ["0.1,0.9\r\nnan,inf\r\n", 2, "float64 [2, 2] 0.1,0.9,NaN"],
    ["0.1,0.9\n0.5", 2, "ReplyError: the reply's lists are of different lengths"],
    ['{"message": "no"}', 1, "ReplyError: the service answered with an error: no"],
  ])("decode %j", (body, images, expected) => {
    expect(decoded(sagemaker, reply(body), images)).toBe(expected);
  });

  test.each([
    ["7\n2", "int64 [2] 7,2"],
    ["7", "int64 [1] 7"],
    ['"seven"\n"two"', "string [2] seven,two"],
  ])("decode %j as text/csv", (body, expected) => {
    expect(decoded(sagemaker, reply(body, { "content-type": "text/csv; charset=utf-8" }), 2)).toBe(expected);
  });

  test("a page is no ping", () => {
    expect(sagemaker.questions[0]!.read(reply("<html><title>x</title>"), target)).toBeNull();
    expect(sagemaker.questions[0]!.read({ ...reply(""), status: 404 }, target)).toBeNull();
  });
});
