import { describe, expect, test } from "vitest";

import { PROTOCOLS } from "../../../src/scorer/protocols/table.ts";
import { decoded, recorded } from "./replies.ts";

const { azureml, "kserve-v1": kserve, oip, mlflow } = PROTOCOLS;
const azure = recorded("azureml-1.5.1");
const kserveServer = recorded("kserve-0.20.0");
const mlserver = recorded("mlserver-1.7.0.dev0");
const mlflowServer = recorded("mlflow-3.3.2.dev0");

describe("azureml.decode(reply) of what the server answered", () => {
  test.each([
    ["mnist-score-1", "int64 [1] 7"],
    ["mnist-score-100", "int64 [100] 7,2,1"],
    ["mode-proba", "float64 [1, 10] 0.00048483700821775396,0.005003115143557893,0.00813709928956725"],
    ["mode-floats", "int64 [2] 7,7"],
    ["mode-strings", "string [2] 7,7"],
    ["mode-dumps", "int64 [2] 7,7"],
    ["mode-dumps_dict", "int64 [2] 7,7"],
    ["mode-amljson-200", "int64 [2] 7,7"],
    ["mode-nan", "float64 [2] NaN,Infinity"],
    ["mode-short", "int64 [1] 7"],
    ["mode-empty_list", "float64 [0]"],
    ["mode-none", "ReplyError: the service answered with nothing ({}): its run() returned no value"],
    [
      "mode-errdict",
      "ReplyError: the service answered with an error: Expecting value: line 1 column 1 (char 0)",
    ],
    [
      "mode-errstr",
      'ReplyError: the service answered with a text: "X has 10 features, but LogisticRegression is expecting 784 features as input."',
    ],
    ["mode-unicode", "ReplyError: the service answered with an error: 数字 é"],
    ["mode-aml-200", 'ReplyError: the service answered with no list: {"why":"bad"}'],
  ])("%s", (name, expected) => {
    expect(decoded(azureml, azure(name))).toBe(expected);
  });
});

describe("kserveV1.decode(reply) of what the server answered", () => {
  test.each([
    ["v1-predict-1", "int64 [1] 7"],
    ["v1-predict-100", "int64 [100] 7,2,1"],
    ["v1-mode-nan", "float64 [2] NaN,1"],
    [
      "infer-with-id",
      "ReplyError: the reply has no predictions: it is an object with model_name, model_version, id, parameters, outputs",
    ],
  ])("%s", (name, expected) => {
    expect(decoded(kserve, kserveServer(name))).toBe(expected);
  });
});

describe("oip.decode(reply) of what the servers answered", () => {
  test.each([
    ["kserve", kserveServer("infer-with-id"), "req-42", "output-0 int64 [1]"],
    ["kserve", kserveServer("infer-1-FP32"), "80a8b4c3-fb6f-488f-9362-8b638408c82c", "output-0 int64 [1]"],
    [
      "kserve",
      kserveServer("infer-binary-extension"),
      "463ac27e-93c4-4c5e-b603-093059275cf7",
      "output-0 int64 [2]",
    ],
    ["mlserver", mlserver("infer-with-id"), "req-42", "predict int64 [1, 1]"],
    [
      "mlserver",
      mlserver("infer-100-FP64"),
      "11f30e8f-fc26-4aaa-8d2a-10d73edf7cb5",
      "predict int64 [100, 1]",
    ],
    [
      "mlserver",
      mlserver("infer-outputs-both"),
      "e13514b5-92ee-432a-bb9d-2908b58918ef",
      "predict int64 [1, 1], predict_proba float64 [1, 10]",
    ],
    ["mlserver", mlserver("mode-nan"), "f59ac087-b2de-437b-8d8d-a38670c714f6", "predict float64 [3, 1]"],
  ])("%s %#", (_, received, id, expected) => {
    const answer = oip.decode(received, { id });
    const outputs = Object.entries(answer).map(
      ([name, { type, dims }]) => `${name} ${type} [${dims.join(", ")}]`,
    );
    expect(outputs.join(", ")).toBe(expected);
  });

  test("a reply to another request is none", () => {
    expect(decoded(oip, kserveServer("infer-1-FP32"))).toBe(
      "OtherReplyError: the reply is to another request: its id is 80a8b4c3-fb6f-488f-9362-8b638408c82c, not req-42",
    );
  });
});

describe("mlflow.decode(reply) of what the server answered", () => {
  test.each([
    ["invocations-inputs-1", "int64 [1] 7"],
    ["invocations-instances-100", "int64 [100] 7,2,1"],
    ["dataframe_split-2", "int64 [2] 7,2"],
    ["modes-nan", "float64 [3] NaN,Infinity,1"],
    ["modes-dataframe", "label int64 [2] 1,2; p float64 [2] 0.5,0.25"],
    ["modes-series", "0 int64 [2] 3,4"],
    ["modes-dict", "a int64 [2] 1,2"],
    ["modes-string", 'ReplyError: the service answered with a text: "just a string"'],
    ["modes-none", "ReplyError: the service answered with nothing (null)"],
  ])("%s", (name, expected) => {
    expect(decoded(mlflow, mlflowServer(name))).toBe(expected);
  });
});

const FAILED =
  "Encountered an unexpected error while evaluating the model. Verify that the serialized input Dataframe is compatible with the model for inference.";

describe("errorText(reply) of what the servers answered", () => {
  test.each([
    [
      "azureml",
      azure,
      "mode-raise",
      "An unexpected error occurred in scoring script. Check the logs for more info.",
    ],
    [
      "azureml",
      azure,
      "mode-ndarray",
      "An unexpected internal error occurred. Check the logs for more info.",
    ],
    ["azureml", azure, "mode-sleep-3s-over-SCORING_TIMEOUT_MS-2000", "Scoring timeout after 2000 ms"],
    ["azureml", azure, "mode-aml-503", '{"why": "bad"}'],
    ["azureml", azure, "mode-systemexit", "Internal Server Error"],
    ["azureml", azure, "big-header-9k", "Request Header Fields Too Large"],
    [
      "azureml",
      azure,
      "score-gzip",
      "Input cannot be decoded as UTF-8: 'utf-8' codec can't decode byte 0x8b in position 1: invalid start byte",
    ],
    ["azureml", azure, "schema-missing-param", "A value is not provided for the 'data' parameter."],
    ["kserve-v1", kserveServer, "v1-mode-raise", "ValueError : boom with detail"],
    ["kserve-v1", kserveServer, "v1-empty-object", "'instances'"],
    ["kserve-v1", kserveServer, "v1-version-path", "Not Found"],
    [
      "oip",
      kserveServer,
      "infer-empty-object",
      "missing: Field required; bytes_type: Input should be a valid bytes",
    ],
    [
      "oip",
      kserveServer,
      "infer-request-outputs-predict",
      "Unexpected inference output 'predict' for model 'mnist'",
    ],
    ["oip", mlserver, "infer-malformed-json", "json_invalid: JSON decode error"],
    ["oip", mlserver, "infer-binary-extension", "Internal Server Error"],
    [
      "oip",
      mlserver,
      "infer-list-body",
      "model_attributes_type: Input should be a valid dictionary or object to extract fields from",
    ],
    [
      "oip",
      mlserver,
      "infer-wrong-features-10",
      "builtins.ValueError: X has 10 features, but LogisticRegression is expecting 784 features as input.",
    ],
    ["mlflow", mlflowServer, "modes-raise", `ValueError: boom with detail (${FAILED})`],
    [
      "mlflow",
      mlflowServer,
      "wrong-features-10",
      `ValueError: X has 10 features, but LogisticRegression is expecting 784 features as input. (${FAILED})`,
    ],
    [
      "mlflow",
      mlflowServer,
      "sig-wrong-shape",
      "Shape of input (1, 10) does not match expected shape (-1, 784).",
    ],
    [
      "mlflow",
      mlflowServer,
      "malformed-json",
      "Invalid input. Ensure that input is a valid JSON formatted string. Error: 'JSONDecodeError('Expecting value: line 1 column 17 (char 16)')'",
    ],
    ["mlflow", mlflowServer, "modes-sleep3-timeout2", "Request processing time exceeded limit"],
    ["mlflow", mlflowServer, "no-content-type", "Internal Server Error"],
  ] as const)("%s %#", (protocol, server, name, expected) => {
    expect(PROTOCOLS[protocol].errorText(server(name))).toBe(expected);
  });

  test("a long message is cut to one line of 300 characters", () => {
    const words = oip.errorText(mlserver("infer-nulls"))!;
    expect(words).toHaveLength(300);
    expect(words.slice(0, 80)).toBe(
      "builtins.ValueError: Input X contains NaN. LogisticRegression does not accept mi",
    );
    expect(words.at(-1)).toBe("…");
  });
});

describe("questions of what the servers answered", () => {
  const target = { root: "", model: "mnist", version: null };
  test.each([
    ["azureml", "/", azure("readiness"), { says: "GET / answers Healthy" }],
    ["azureml", "/swagger.json", azure("swagger-default"), { says: "GET /swagger.json names ML service" }],
    ["azureml", "/", kserveServer("get_"), null],
    ["azureml", "/", mlflowServer("get_"), null],
    [
      "kserve-v1",
      "/v1/models",
      kserveServer("get_v1_models"),
      { says: "GET /v1/models lists mnist, mnist-modes", models: ["mnist", "mnist-modes"] },
    ],
    [
      "kserve-v1",
      "/v1/models/mnist",
      kserveServer("get_v1_models_mnist"),
      { says: "GET /v1/models/mnist knows the model", models: ["mnist"] },
    ],
    ["kserve-v1", "/v1/models/mnist", kserveServer("get_v1_models_nope"), null],
    ["tfserving", "/v1/models/mnist", kserveServer("get_v1_models_mnist"), null],
    ["oip", "/v2", kserveServer("get_v2"), { says: "GET /v2 names kserve 0.20.0" }],
    ["oip", "/v2", mlserver("get_v2"), { says: "GET /v2 names mlserver 1.7.0.dev0" }],
    ["oip-binary", "/v2", kserveServer("get_v2"), null],
    ["oip-binary", "/v2", mlserver("get_v2"), null],
    [
      "oip",
      "/v2/models/mnist",
      mlserver("get_v2_models_mnist"),
      { says: "GET /v2/models/mnist knows the model", models: ["mnist"] },
    ],
    ["oip", "/v2/models/mnist", mlserver("get_v2_models_nope"), null],
    ["mlflow", "/version", mlflowServer("get_version"), { says: "GET /version answers 3.3.2.dev0" }],
    ["mlflow", "/version", mlflowServer("get_"), null],
    ["sagemaker", "/ping", mlflowServer("get_ping"), { says: "GET /ping answers 200" }],
    ["torchserve", "/ping", mlflowServer("get_ping"), null],
  ] as const)("%s GET %s %#", (protocol, path, received, expected) => {
    const question = PROTOCOLS[protocol].questions.find((asked) => asked.path(target) === path)!;
    expect(question.read(received, target)).toEqual(expected);
  });

  test("oip asks for the list of models only while none is known", () => {
    const paths = oip.questions.map((question) => question.path({ ...target, model: null }));
    expect(paths).toEqual(["/v2", "/v2/models", "/v2/repository/index", null]);
    const [, models, repository] = oip.questions;
    expect(repository!.read(mlserver("repository-index"), target)).toEqual({
      says: "POST /v2/repository/index lists mnist-modes, mnist",
      models: ["mnist-modes", "mnist"],
    });
    expect(models!.read(kserveServer("get_v2_models"), target)).toEqual({
      says: "GET /v2/models lists mnist, mnist-modes",
      models: ["mnist", "mnist-modes"],
    });
  });
});
