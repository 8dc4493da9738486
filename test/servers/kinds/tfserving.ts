import { imagesOf, InputError, readNested } from "../images.ts";
import type { Images } from "../images.ts";
import { JsonError, objectOf, parseJson } from "../json.ts";
import { ModelError, reasonOf } from "../service.ts";
import type { Deployment, Exchange, Reply, Request, Scores, Service } from "../service.ts";

/** TensorFlow Serving's REST API as its documentation and source have it. Mode `named`: the model has two outputs. */
export function tfserving(deployment: Deployment): Service {
  const { name } = deployment;
  const scorePaths = [`/v1/models/${name}:predict`, `/v1/models/${name}/versions/1:predict`];
  return {
    scorePaths,
    keepAliveMs: 60_000,
    handle: async (request, exchange) =>
      request.method === "POST" && scorePaths.includes(request.path)
        ? await predict(request, exchange, deployment)
        : other(request, deployment),
  };
}

function reply(status: number, body: string): Reply {
  return {
    status,
    reason: reasonOf(status),
    headers: [
      ["Content-Type", "application/json"],
      ["Date", new Date().toUTCString()],
      ["Content-Length", String(Buffer.byteLength(body))],
    ],
    body,
  };
}

const failure = (status: number, text: string): Reply =>
  reply(status, `{ "error": ${JSON.stringify(text)} }`);

const INPUT = "x";

/** Everything but scoring. */
function other({ method, path }: Request, deployment: Deployment): Reply {
  const asked = /^\/v1\/models\/([^/:]+)(?:\/versions\/(\d+))?(\/metadata|:predict)?$/.exec(path);
  if (asked === null || (method === "GET") === (asked[3] === ":predict")) {
    return failure(400, `Malformed request: ${method} ${path}`);
  }
  const [, model, version, what] = asked;
  if (model !== deployment.name || (version ?? "1") !== "1") {
    const which = version === undefined ? `Latest(${model})` : `Specific(${model}, ${version})`;
    if (what !== undefined) return failure(404, `Servable not found for request: ${which}`);
    return failure(404, `Could not find any versions of model ${model}`);
  }
  if (what === "/metadata") return reply(200, `${JSON.stringify(metadata(deployment), null, 1)}\n`);
  const status = { error_code: "OK", error_message: "" };
  const versions = { model_version_status: [{ version: "1", state: "AVAILABLE", status }] };
  return reply(200, `${JSON.stringify(versions, null, 1)}\n`);
}

function tensor(name: string, dtype: string, shape: readonly number[]): object {
  const dim = shape.map((size) => ({ size: String(size), name: "" }));
  return { dtype, tensor_shape: { dim, unknown_rank: false }, name };
}

function metadata(deployment: Deployment): object {
  const dtypes: Readonly<Record<string, string>> = { float64: "DT_DOUBLE", uint8: "DT_UINT8" };
  const shape = [-1, ...deployment.rowShape];
  const outputs = outputNames(deployment).map((name, i) => [
    name,
    name === "label"
      ? tensor(`StatefulPartitionedCall:${i}`, "DT_INT64", [-1])
      : tensor(`StatefulPartitionedCall:${i}`, "DT_FLOAT", [-1, deployment.classes]),
  ]);
  const signature = {
    inputs: {
      [INPUT]: tensor(`serving_default_${INPUT}:0`, dtypes[deployment.inputType] ?? "DT_FLOAT", shape),
    },
    outputs: Object.fromEntries(outputs) as object,
    method_name: "tensorflow/serving/predict",
  };
  return {
    model_spec: { name: deployment.name, signature_name: "", version: "1" },
    metadata: { signature_def: { signature_def: { serving_default: signature } } },
  };
}

function outputNames({ mode, output }: Deployment): string[] {
  if (mode === "named") return ["label", output === "logits" ? "logits" : "probabilities"];
  return [output === "labels" ? "label" : output];
}

async function predict(request: Request, exchange: Exchange, deployment: Deployment): Promise<Reply> {
  const text = request.body.toString();
  if (text === "") return failure(400, "JSON Parse error: The document is empty");
  try {
    const body = objectOf(parseJson(text, true));
    if (body === null) return failure(400, `JSON Value: ${text.slice(0, 1000)} Is not object`);
    const { instances, inputs } = body;
    if (instances === undefined && inputs === undefined) {
      return failure(400, "Missing 'inputs' or 'instances' key");
    }
    if (instances !== undefined && inputs !== undefined) {
      return failure(400, "Not expecting 'instances' and 'inputs' keys to exist");
    }
    const images = imagesIn(instances ?? inputs, instances !== undefined, deployment);
    const scores = await exchange.score(images);
    const names = outputNames(deployment);
    return reply(200, instances === undefined ? columns(scores, names) : rows(scores, names));
  } catch (error) {
    if (error instanceof JsonError) {
      return failure(400, `JSON Parse error: Invalid value. at offset: ${error.position}`);
    }
    if (error instanceof InputError) return failure(400, inputProblem(error, deployment));
    if (error instanceof ModelError) return failure(500, error.message);
    throw error;
  }
}

/** Rows as they are, or each under the input's name; all rows under it. */
function imagesIn(value: unknown, rowwise: boolean, { rowShape }: Deployment): Images {
  const list = Array.isArray(value) ? (value as unknown[]) : null;
  const named = rowwise && objectOf(list?.[0]) !== null;
  const unnamed = named ? list?.map((row) => objectOf(row)?.[INPUT]) : (objectOf(value)?.[INPUT] ?? value);
  return imagesOf(readNested(unnamed), rowShape);
}

function inputProblem({ kind, shape }: InputError, { rowShape }: Deployment): string {
  if (kind === "strings") return `JSON Value: "a" Type: String is not of expected type: float`;
  if (kind === "missing") return "JSON Value: null Type: Null is not of expected type: float";
  if (kind === "shape") {
    return `Matrix size-incompatible: In[0]: [${shape.join(",")}], In[1]: [${rowShape.join(",")},10]\n\t [[{{node dense/MatMul}}]]`;
  }
  return "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: Expecting tensor";
}

const isLabel = (name: string): boolean => name === "label";

/** As %g with six digits where that reads back as the same float, with nine where not; NaN is no JSON, but written. */
function decimal(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  const float = Math.fround(value);
  const six = general(float, 6);
  const text = Math.fround(Number(six)) === float ? six : general(float, 9);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** printf's %g. */
function general(value: number, digits: number): string {
  if (value === 0) return "0";
  const [mantissa = "", power = "0"] = value.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < digits) return String(Number(value.toPrecision(digits)));
  const sign = exponent < 0 ? "-" : "+";
  return `${Number(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

function elements({ labels, values, k }: Scores, name: string): string[] {
  if (isLabel(name)) {
    const spoilt = labels.some(Number.isNaN);
    return Array.from(labels, (label) => (spoilt ? decimal(label) : String(label)));
  }
  return Array.from({ length: values.length / k }, (_, row) => {
    const numbers = Array.from(values.subarray(row * k, (row + 1) * k), decimal);
    return `[${numbers.join(", ")}]`;
  });
}

/** `predictions`: for more than one output, an object a row. Indented as rapidjson does it. */
function rows(scores: Scores, names: readonly string[]): string {
  const of = names.map((name) => elements(scores, name));
  if (of.length === 1) return `{\n    "predictions": [${of[0]!.join(", ")}\n    ]\n}`;
  const objects = Array.from({ length: scores.n }, (_, row) => {
    const fields = names.map((name, i) => `            "${name}": ${of[i]![row]}`);
    return `        {\n${fields.join(",\n")}\n        }`;
  });
  return `{\n    "predictions": [\n${objects.join(",\n")}\n    ]\n}`;
}

/** `outputs`: for more than one output, an object of them. */
function columns(scores: Scores, names: readonly string[]): string {
  const array = (name: string, indent: string): string => {
    const inner = elements(scores, name).map((element) => `${indent}    ${element}`);
    return `[\n${inner.join(",\n")}\n${indent}]`;
  };
  if (names.length === 1) return `{\n    "outputs": ${array(names[0]!, "    ")}\n}`;
  const fields = names.map((name) => `        "${name}": ${array(name, "        ")}`);
  return `{\n    "outputs": {\n${fields.join(",\n")}\n    }\n}`;
}
