import { imagesOf, InputError, readNested } from "../images.ts";
import type { Nested } from "../images.ts";
import { JsonError, objectOf, parseJson, PYTHON, writeInts, writeRows } from "../json.ts";
import { ModelError } from "../service.ts";
import type { Deployment, Exchange, Reply, Request, Service } from "../service.ts";
import { sklearnMessage } from "./sklearn.ts";
import { NOT_ALLOWED, NOT_FOUND, redirect, uvicorn } from "./uvicorn.ts";

/** MLflow's scoring server 3.3. Mode `signature`: the model has one, which wrong shapes meet first. */
export function mlflow(deployment: Deployment): Service {
  return {
    scorePaths: ["/invocations"],
    keepAliveMs: 5_000,
    handle: async (request, exchange) => {
      const { method, path, headers } = request;
      if (path === "/ping" || path === "/health") return uvicorn(200, "\n");
      if (path === "/version") return uvicorn(200, "3.3.2.dev0");
      if (path === "/invocations/") return redirect(headers["host"] ?? "", path);
      if (path !== "/invocations") return NOT_FOUND();
      return method === "POST" ? await invocations(request, exchange, deployment) : NOT_ALLOWED();
    },
  };
}

const FIELDS = ["instances", "inputs", "dataframe_split", "dataframe_records"];
const FIELD_SET = `{${FIELDS.map((field) => `'${field}'`).join(", ")}}`;
const CHANGED =
  "IMPORTANT: The MLflow Model scoring protocol has changed in MLflow version 2.0. If you are seeing this error, you are likely using an outdated scoring request format. To resolve the error, either update your request format or adjust your MLflow Model's requirements file to specify an older version of MLflow (for example, change the 'mlflow' requirement specifier to 'mlflow==1.30.0'). If you are making a request using the MLflow client (e.g. via `mlflow.pyfunc.spark_udf()`), upgrade your MLflow client to a version >= 2.0 in order to use the new request format. For more information about the updated MLflow Model scoring protocol in MLflow 2.0, see https://mlflow.org/docs/latest/models.html#deploy-mlflow-models.";

function bad(message: string, code = "BAD_REQUEST"): Reply {
  return uvicorn(400, `{"error_code": "${code}", "message": ${JSON.stringify(message)}}`);
}

const TEXT = "text/plain; charset=utf-8";

/** 415 and 500 for what the body is said to be; null where it is read. */
function refusedType({ headers }: Request): Reply | null {
  const [type, ...parameters] = (headers["content-type"] ?? "").split(";").map((part) => part.trim());
  if (type === "" || headers["content-encoding"] === "gzip")
    return uvicorn(500, "Internal Server Error", TEXT);
  const unknown = parameters.filter((parameter) => !parameter.startsWith("charset="));
  if (unknown.length > 0) {
    const names = unknown.map((parameter) => parameter.replace(/=.*/, "")).join(", ");
    return uvicorn(415, `Unrecognized content type parameters: ${names}. ${CHANGED}`, TEXT);
  }
  if (parameters.some((parameter) => parameter.toLowerCase() !== "charset=utf-8")) {
    return uvicorn(415, "The scoring server only supports UTF-8", TEXT);
  }
  if (type === "application/json" || type === "text/csv") return null;
  const types = "Types: ['text/csv', 'application/json']";
  const text = `This predictor only supports the following content types: ${types}. Got '${type}'.`;
  return uvicorn(415, text, TEXT);
}

async function invocations(request: Request, exchange: Exchange, deployment: Deployment): Promise<Reply> {
  const refused = refusedType(request);
  if (refused !== null) return refused;
  let nested: Nested;
  try {
    const read = request.headers["content-type"]!.startsWith("text/csv")
      ? readCsv(request.body.toString())
      : rowsOf(request.body);
    if (!Array.isArray(read)) return read;
    nested = readNested(read);
  } catch (error) {
    if (error instanceof InputError) return bad(`Invalid input. ${sklearnMessage(error, 784)}`);
    throw error;
  }
  if (deployment.mode === "signature") {
    const [, ...row] = nested.shape;
    if (row.join() !== deployment.rowShape.join()) return wrongShape(nested, deployment);
  }
  try {
    const { labels, values, k } = await exchange.score(imagesOf(nested, deployment.rowShape));
    const list = deployment.output === "labels" ? writeInts(labels, PYTHON) : writeRows(values, k, PYTHON);
    return uvicorn(200, `{"predictions": [${list}]}`);
  } catch (error) {
    if (error instanceof InputError) return modelFailed(sklearnMessage(error, deployment.rowShape[0] ?? 0));
    if (error instanceof ModelError) return modelFailed(error.message);
    throw error;
  }
}

/** The rows of a JSON body in any of its formats, or what is said against it. */
function rowsOf(body: Buffer): unknown[] | Reply {
  const text = body.toString();
  let parsed: unknown;
  try {
    parsed = parseJson(text, true);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const quoted = [...body].map(pythonByte).join("");
    return bad(
      `Invalid input. Ensure that input is a valid JSON formatted string. Error: 'JSONDecodeError('${error.python()}')'\nInput: \nb'${quoted}'\n`,
    );
  }
  const object = objectOf(parsed);
  if (object === null) {
    const what = Array.isArray(parsed) ? "list" : typeof parsed;
    return bad(
      `Invalid input. The input must be a JSON dictionary with exactly one of the input fields ${FIELD_SET}. Received a ${what}.`,
    );
  }
  const given = Object.keys(object).filter((field) => FIELDS.includes(field));
  const [field] = given;
  if (field === undefined || given.length > 1) {
    const fields = `[${given.map((name) => `'${name}'`).join(", ")}]`;
    return bad(
      `The input must be a JSON dictionary with exactly one of the input fields ${FIELD_SET}. Received dictionary with input fields: ${fields}. ${CHANGED}`,
    );
  }
  const value = object[field];
  const rows = field === "dataframe_split" ? objectOf(value)?.["data"] : value;
  if (!Array.isArray(rows)) return bad(`Invalid input. Dataframe expected for ${field}.`);
  return field === "dataframe_records" ? rows.map((record) => Object.values(objectOf(record) ?? {})) : rows;
}

function pythonByte(byte: number): string {
  if (byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c) return String.fromCharCode(byte);
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}

/** Numbers by comma, a header line above. */
function readCsv(text: string): (number | string)[][] {
  const [, ...lines] = text.trimEnd().split(/\r?\n/);
  return lines.map((line) =>
    line.split(",").map((cell) => {
      const value = Number(cell);
      return Number.isNaN(value) ? cell : value;
    }),
  );
}

function wrongShape({ shape, values }: Nested, { rowShape }: Deployment): Reply {
  const data = `[[${Array.from(values.subarray(0, 10), (value) => (Number.isInteger(value) ? `${value}.` : String(value))).join(" ")}]]`;
  const expected = `(-1, ${rowShape.join(", ")})`;
  return bad(
    `Failed to predict data '${data}'. \nError: Failed to enforce schema of data '${data}' with schema '[Tensor('float64', ${expected})]'. Error: Shape of input (${shape.join(", ")}) does not match expected shape ${expected}.`,
    "INVALID_PARAMETER_VALUE",
  );
}

function modelFailed(message: string): Reply {
  const trace = `Traceback (most recent call last):\n  File "mlflow/pyfunc/scoring_server/__init__.py", line 367, in invocations\n    raw_predictions = model.predict(data, params=params)\nValueError: ${message}\n`;
  const what =
    "Encountered an unexpected error while evaluating the model. Verify that the serialized input Dataframe is compatible with the model for inference.";
  return uvicorn(
    400,
    `{"error_code": "BAD_REQUEST", "message": ${JSON.stringify(what)}, "stack_trace": ${JSON.stringify(trace)}}`,
  );
}
