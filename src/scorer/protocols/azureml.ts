import { jsonForm } from "./forms.ts";
import { jsonOf, parse } from "./json.ts";
import { objectIn, plainIn, targetIn } from "./paths.ts";
import { ReplyError, type Answer, type Finding, type Form, type Protocol, type Reply } from "./protocol.ts";
import { oneLine, quoted } from "./text.ts";
import { answerOf, isObject, type Fields } from "./values.ts";
import { serviceWords, wordsIn } from "./words.ts";
import { checkProbabilities, imagesOf, objectOf, probabilityRows } from "./images.ts";
import { JSON_TYPE, jsonReply, type Service, type ServiceReply } from "./service.ts";
import { swaggerOf } from "./swagger.ts";

const count = (n: number): string => Array.from({ length: n }, (_, i) => i).join(",");

/** As this program's own service takes it, which answers with labels otherwise. */
const WITH_PROBABILITIES = "data?probabilities=true";

/**
 * `data` is what a hand-written score.py takes. `input_data` is for MLflow models deployed without one: a list for models of
 * tensors, columns, index and data for models of tables. `Inputs` is AutoML's, whose generated scoring script has
 * predict as its default method and knows predict_proba.
 */
const FORMS: readonly Form[] = [
  jsonForm("data", ({ input }) => `{${JSON.stringify(input?.name ?? "data")}:[`, "]}"),
  jsonForm("input_data", () => '{"input_data":[', "]}"),
  jsonForm(
    "input_data columns",
    ({ shape: [n = 0, ...image] }) =>
      `{"input_data":{"columns":[${count(image.reduce((size, length) => size * length, 1))}],"index":[${count(n)}],"data":[`,
    "]}}",
  ),
  jsonForm(
    "Inputs predict_proba",
    () => '{"Inputs":{"data":[',
    ']},"GlobalParameters":{"method":"predict_proba"}}',
  ),
  jsonForm("Inputs", () => '{"Inputs":{"data":[', ']},"GlobalParameters":{"method":"predict"}}'),
  {
    ...jsonForm(WITH_PROBABILITIES, () => '{"data":[', "]}"),
    path: ({ root }) => `${root}/score?probabilities=true`,
    onlyWhereSaid: true,
  },
];

/** What a run() wraps its answer in. */
const WRAPPERS = [
  "result",
  "Results",
  "results",
  "Result",
  "predictions",
  "prediction",
  "outputs",
  "output",
] as const;
const MOST_WRAPPED = 4;

/**
 * Whatever run() returned: a list, an object around it, or either of them as JSON in a JSON string, for scripts that call
 * json.dumps. A script that catches its errors returns their text with status 200.
 */
function unwrapped(json: unknown, times = 0): Answer {
  if (times > MOST_WRAPPED) throw new ReplyError("the reply is wrapped in too many objects or strings");
  if (typeof json === "string") {
    const inner = parsed(json);
    if (inner === undefined) throw new ReplyError(`the service answered with a text: ${quoted(json)}`);
    return unwrapped(inner, times + 1);
  }
  if (!isObject(json)) {
    if (json === null)
      throw new ReplyError("the service answered with nothing (null): its run() returned no value");
    return answerOf(json);
  }
  const wrapper = WRAPPERS.find((name) => Object.hasOwn(json, name));
  const lists = Object.entries(json).filter(([, value]) => Array.isArray(value));
  // Labels under one name and probabilities under another: neither wraps the other.
  if (wrapper !== undefined && lists.length > 1) return answerOf(Object.fromEntries(lists));
  if (wrapper !== undefined) return unwrapped(json[wrapper], times + 1);
  return outputs(json);
}

/** JSON in a string; undefined for a text. */
function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function outputs(json: Fields): Answer {
  if (Object.keys(json).length === 0) {
    throw new ReplyError("the service answered with nothing ({}): its run() returned no value");
  }
  if (Object.values(json).every((value) => Array.isArray(value)) && !wordsIn(json)) return answerOf(json);
  const words = wordsIn(json);
  throw new ReplyError(
    words === null
      ? `the service answered with no list: ${oneLine(JSON.stringify(json), 100)}`
      : `the service answered with an error: ${oneLine(words)}`,
  );
}

/** The health route of Azure's inference server. */
function readHealth(reply: Reply): Finding | null {
  return plainIn(reply) === "Healthy" ? { says: "GET / answers Healthy" } : null;
}

/** A scoring script with a schema names the fields that its run() takes. */
function readSwagger(reply: Reply): Finding | null {
  const swagger = objectIn(reply);
  const info = swagger?.["info"];
  if (!isObject(info) || !/Azure Machine Learning/.test(String(info["description"]))) return null;
  const { properties, example } = fieldsOf(fieldsOf(swagger!["definitions"])["ServiceInput"]);
  const says = `GET /swagger.json names ${oneLine(String(info["title"]), 100)}`;
  if (offersProbabilities(swagger!["paths"])) return { says, forms: [WITH_PROBABILITIES] };
  const fields = Object.entries(fieldsOf(properties));
  const [list, ...others] = fields.filter(([, type]) => fieldsOf(type)["type"] === "array");
  if (list !== undefined && others.length === 0) {
    const [name, type] = list;
    const shape = shapeOf(fieldsOf(example)[name]);
    const named = name === "data" ? "" : ` with the input ${oneLine(name, 100)}`;
    const input = { name, datatype: datatypeIn(type), shape, example: true } as const;
    return { says: `${says}${named}`, forms: ["data"], input };
  }
  const names = fields.map(([name]) => name);
  const forms = FORMS.map(({ name }) => name).filter((name) => names.includes(name.split(" ")[0]!));
  return forms.length === 0 ? { says } : { says, forms };
}

const fieldsOf = (json: unknown): Fields => (isObject(json) ? json : {});

function offersProbabilities(paths: unknown): boolean {
  const { parameters } = fieldsOf(fieldsOf(fieldsOf(paths)["/score"])["post"]);
  return (
    Array.isArray(parameters) &&
    parameters.some(
      (field) => isObject(field) && field["name"] === "probabilities" && field["in"] === "query",
    )
  );
}

/** The format of a schema's innermost numbers, as `double`; empty where it names none. */
function datatypeIn(type: unknown): string {
  const { items, format } = fieldsOf(type);
  if (isObject(items)) return datatypeIn(items);
  return typeof format === "string" ? format : "";
}

/** [-1, …] of an example for any number of images; empty where there is none. */
function shapeOf(example: unknown): readonly number[] {
  const dims: number[] = [];
  for (let node: unknown = example; Array.isArray(node); node = node[0]) dims.push(node.length);
  return dims.length < 2 ? [] : [-1, ...dims.slice(1)];
}

/** As the real server marks whose fault it was. */
function marked(failed: boolean, reply: ServiceReply): ServiceReply {
  return {
    ...reply,
    headers: { ...reply.headers, "x-ms-run-function-failed": failed ? "True" : "False" },
  };
}

/** KServe V1 has its liveness at the same path as Azure its health: who wants JSON there is the former's client. */
const kserveAlive = jsonReply({ status: "alive" });

/** The tutorial's web service: a bare list of labels, written as Python's json.dumps does. */
const service: Service = {
  scorePaths: () => ["/score"],
  jsonBytes: null,
  read({ json }, asked, model) {
    const { images, count } = imagesOf(objectOf(json, '{"data": [[…]]}').get("data"), '"data"', model);
    checkProbabilities(asked.probabilities, model);
    return {
      images,
      count,
      pixels: asked.pixels,
      write: ({ labels, probabilities }) =>
        marked(false, {
          headers: JSON_TYPE,
          body:
            asked.probabilities && probabilities
              ? probabilityRows(probabilities, model.classes.length, ", ")
              : `[${labels.join(", ")}]`,
        }),
    };
  },
  facts: [
    {
      paths: () => ["/"],
      health: true,
      reply: (_model, ready, accept) =>
        /\bapplication\/json\b/.test(accept)
          ? kserveAlive
          : {
              status: ready ? 200 : 503,
              headers: { "Content-Type": "text/html; charset=utf-8" },
              body: ready ? "Healthy" : "Unhealthy",
            },
    },
    { paths: () => ["/swagger.json"], health: false, reply: (model) => swaggerOf(model) },
  ],
  ownPath: /^\/score/,
  error: (status, message) =>
    marked(status >= 500, { status, headers: JSON_TYPE, body: JSON.stringify({ message }) }),
};

/** Azure Machine Learning: a scoring script behind `/score`, in ACI, AKS, a managed endpoint or the local server. */
export const azureml: Protocol = {
  title: "Azure Machine Learning",
  fromPath: (path) => targetIn(path, /^(?<root>.*)\/score\/?$/),
  scorePath: ({ root }) => `${root}/score`,
  readyPaths: ({ root }) => [`${root}/`],
  questions: [
    { path: ({ root }) => `${root}/`, read: readHealth },
    { path: ({ root }) => `${root}/swagger.json`, read: readSwagger },
  ],
  forms: FORMS,
  decode: ({ body }) => unwrapped(jsonOf(body)),
  errorText: (reply) => serviceWords(reply),
  service,
};
