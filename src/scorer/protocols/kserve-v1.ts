import { jsonOf } from "./json.ts";
import { JSON_HEADERS, modelPath, objectIn, targetIn, textsIn } from "./paths.ts";
import type { Finding, Protocol, Reply } from "./protocol.ts";
import { answerUnder, serviceWords } from "./words.ts";

/** KServe knows no versions in this API: their path answers 404. */
const modelOf = (target: Parameters<typeof modelPath>[0]): string | null =>
  modelPath({ ...target, version: null }, "/v1/models");

function readModels(reply: Reply): Finding | null {
  const models = textsIn(objectIn(reply)?.["models"]);
  if (models.length === 0) return null;
  return { says: `GET /v1/models lists ${models.slice(0, 5).join(", ")}`, models };
}

/** Older servers write `ready` as a text. */
function readModel(reply: Reply): Finding | null {
  const { name, ready } = objectIn(reply) ?? {};
  if (typeof name !== "string" || !["true", "false"].includes(String(ready).toLowerCase())) return null;
  return { says: `GET /v1/models/${name} knows the model`, models: [name] };
}

/** KServe's first API: the instances and predictions of TensorFlow Serving without its metadata. */
export const kserveV1: Protocol = {
  title: "KServe V1",
  fromPath: (path) => targetIn(path, /^(?<root>.*)\/v1\/models(?:\/(?<model>[^/:]+)(?::predict)?)?\/?$/),
  scorePath: (target) => `${modelOf(target) ?? `${target.root}/v1/models`}:predict`,
  readyPaths: (target) => [...[modelOf(target) ?? []].flat(), `${target.root}/`],
  questions: [
    { path: ({ root }) => `${root}/v1/models`, read: readModels },
    { path: modelOf, read: readModel },
  ],
  forms: [
    {
      name: "instances",
      row: "json",
      element: "float32",
      head: () => '{"instances":[',
      separator: ",",
      tail: "]}",
      headers: () => JSON_HEADERS,
      mostRows: Infinity,
    },
  ],
  decode: ({ body }) => answerUnder(["predictions"], jsonOf(body)),
  errorText: (reply) => serviceWords(reply),
};
