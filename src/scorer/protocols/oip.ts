import { jsonOf } from "./json.ts";
import { isText, JSON_HEADERS, targetIn } from "./paths.ts";
import {
  OtherReplyError,
  ReplyError,
  type Answer,
  type Form,
  type Protocol,
  type Reply,
  type RequestShape,
  type Target,
  type TensorSpec,
  type Values,
} from "./protocol.ts";
import { binaryValues } from "./tensors.ts";
import { oneLine } from "./text.ts";
import { isObject, numeric, valuesOf, type Fields } from "./values.ts";
import { serviceWords, withoutAnswer } from "./words.ts";
import { INTEGERS, modelAt, modelQuestions, MODELS, readServer } from "./oip-questions.ts";
import { BINARY_EXTENSION, BINARY_LENGTH, oipService } from "./oip-service.ts";

/** Where there is no metadata: KServe and MLServer, which have none, take any name. */
const INPUT_NAME = "input-0";

const inputName = (input: TensorSpec | null): string => JSON.stringify(input?.name ?? INPUT_NAME);
const inputFields = ({ shape, input }: RequestShape, datatype: string): string =>
  `"name":${inputName(input)},"shape":${JSON.stringify(shape)},"datatype":"${datatype}"`;

const outputFields = ({ output }: RequestShape): string =>
  output === null ? "" : `,"outputs":[{"name":${JSON.stringify(output)}}]`;

function jsonForm(datatype: string, element: Form["element"]): Form {
  return {
    name: datatype,
    row: "json-flat",
    element,
    head: (request) => {
      const taken = request.input?.datatype ?? datatype;
      const written = datatype === "UINT8" && INTEGERS.includes(taken) ? taken : datatype;
      const asked = `"id":${JSON.stringify(request.id)}${outputFields(request)}`;
      return `{${asked},"inputs":[{${inputFields(request, written)},"data":[`;
    },
    separator: ",",
    tail: "]}]}",
    headers: () => JSON_HEADERS,
    mostRows: Infinity,
    namesOutput: true,
  };
}

function binaryForm(datatype: string, element: "float32" | "uint8", bytes: number): Form {
  return {
    name: `binary ${datatype}`,
    row: element,
    element,
    head: (request) => {
      const size = request.shape.reduce((product, n) => product * n, bytes);
      const fields = inputFields(request, datatype);
      const asked = `"id":${JSON.stringify(request.id)}${outputFields(request)}`;
      return `{${asked},"inputs":[{${fields},"parameters":{"binary_data_size":${size}}}]}`;
    },
    separator: "",
    tail: "",
    headers: (headBytes) => ({
      "Content-Type": "application/octet-stream",
      [BINARY_LENGTH]: String(headBytes),
    }),
    mostRows: Infinity,
    namesOutput: true,
  };
}

const JSON_FORMS = [jsonForm("FP32", "float32"), jsonForm("FP64", "float64"), jsonForm("UINT8", "uint8")];
/** Fractions first: a service that tells no datatype may take bytes for a model of fractions, and answer them wrongly. */
const BINARY_FORMS = [binaryForm("FP32", "float32", 4), binaryForm("UINT8", "uint8", 1)];

/**
 * The outputs of a reply, whose binary part follows its JSON where a header gives the JSON's length.
 *
 * @throws ReplyError
 */
function decode({ headers, body }: Reply, { id }: { readonly id: string | null }): Answer {
  const length = headers[BINARY_LENGTH.toLowerCase()];
  const jsonBytes = length === undefined ? body.length : Number(length);
  if (!Number.isInteger(jsonBytes) || jsonBytes < 0 || jsonBytes > body.length) {
    throw new ReplyError(
      `the reply's ${BINARY_LENGTH} is ${oneLine(length!, 50)}, but it has ${body.length} bytes`,
    );
  }
  const json = jsonOf(body.subarray(0, jsonBytes));
  if (!isObject(json) || !Array.isArray(json["outputs"])) throw withoutAnswer(json, ["outputs"]);
  const answered = json["id"];
  if (id !== null && isText(answered) && answered !== id) {
    throw new OtherReplyError(
      `the reply is to another request: its id is ${oneLine(answered, 100)}, not ${id}`,
    );
  }
  let rest = body.subarray(jsonBytes);
  const outputs = json["outputs"].map((output: unknown): [string, Values] => {
    if (!isObject(output) || !isText(output["name"]))
      throw new ReplyError("the reply has an output without a name");
    const name = output["name"];
    const dims = shapeOf(name, output["shape"]);
    const size = isObject(output["parameters"]) ? output["parameters"]["binary_data_size"] : undefined;
    if (size === undefined) return [name, jsonValues(name, dims, output)];
    if (!Number.isInteger(size) || (size as number) < 0 || (size as number) > rest.length) {
      throw new ReplyError(`the reply's output ${name} has no ${JSON.stringify(size)} bytes of data`);
    }
    const bytes = rest.subarray(0, size as number);
    rest = rest.subarray(size as number);
    return [name, binaryValues(name, String(output["datatype"]), dims, bytes)];
  });
  return Object.fromEntries(outputs);
}

function shapeOf(name: string, shape: unknown): readonly number[] {
  if (Array.isArray(shape) && shape.every((n) => Number.isInteger(n) && n >= 0)) return shape as number[];
  throw new ReplyError(`the reply's output ${name} has no shape`);
}

/** Data is flat, or in lists as its shape; either way it is as much as the shape says. */
function jsonValues(name: string, dims: readonly number[], { data }: Fields): Values {
  if (!Array.isArray(data)) throw new ReplyError(`the reply's output ${name} has no data`);
  const values = valuesOf(data);
  const expected = dims.reduce((size, n) => size * n, 1);
  if (values.data.length !== expected) {
    throw new ReplyError(
      `the reply's output ${name} has ${values.data.length} values where its shape says ${expected}`,
    );
  }
  if (values.type === "string") return { ...values, dims };
  return numeric(dims, values.data as Float64Array);
}

const SHARED = {
  fromPath: (path: string): Target | null =>
    targetIn(
      path,
      /^(?<root>.*)\/v2\/models\/(?<model>[^/]+)(?:\/versions\/(?<version>[^/]+))?(?:\/infer|\/ready)?\/?$/,
    ) ?? targetIn(path, /^(?<root>.*)\/v2(?:\/models|\/health\/ready|\/health\/live)?\/?$/),
  scorePath: (target: Target): string => `${modelAt(target) ?? `${target.root}${MODELS}`}/infer`,
  readyPaths: (target: Target): readonly string[] => {
    const model = modelAt(target);
    return [...(model === null ? [] : [`${model}/ready`]), `${target.root}/v2/health/ready`];
  },
  decode,
  errorText: (reply: Reply): string | null => serviceWords(reply),
};

/** The Open Inference Protocol (KServe V2), https://github.com/kserve/open-inference-protocol, with its tensors as JSON. */
export const oip: Protocol = {
  title: "Open Inference Protocol",
  ...SHARED,
  questions: [
    {
      path: ({ root }) => `${root}/v2`,
      read: (reply) => {
        const server = readServer(reply);
        return server && { says: server.says };
      },
    },
    ...modelQuestions(JSON_FORMS),
  ],
  forms: JSON_FORMS,
  service: oipService,
};

/** Its binary extension: tensors as bytes behind the JSON, for servers that say that they know it. */
export const oipBinary: Protocol = {
  title: "Open Inference Protocol with binary tensors",
  ...SHARED,
  questions: [
    {
      path: ({ root }) => `${root}/v2`,
      read: (reply) => {
        const server = readServer(reply);
        if (!server?.extensions.includes(BINARY_EXTENSION)) return null;
        return {
          says: `${server.says} with ${BINARY_EXTENSION}`,
          forms: BINARY_FORMS.map(({ name }) => name),
        };
      },
    },
    ...modelQuestions(BINARY_FORMS).map((question) => ({ ...question, more: true })),
  ],
  forms: BINARY_FORMS,
};
