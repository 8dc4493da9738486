import { jsonForm } from "./forms.ts";
import { jsonOf } from "./json.ts";
import { modelPath, objectIn, targetIn, textsIn } from "./paths.ts";
import type { Finding, Protocol, Reply } from "./protocol.ts";
import { answerUnder, serviceWords } from "./words.ts";
import { checkProbabilities, imagesOf, objectOf, probabilityRows } from "./images.ts";
import { JSON_TYPE, jsonReply, type Service } from "./service.ts";

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

const placeOf = ({ name }: { readonly name: string }): string => `/v1/models/${name}`;

/** `inputs` is taken too, as KServe does. */
const service: Service = {
  scorePaths: (model) => [`${placeOf(model)}:predict`],
  jsonBytes: null,
  read({ json }, asked, model) {
    const body = objectOf(json, '{"instances": [[…]]}');
    const name = body.has("inputs") && !body.has("instances") ? "inputs" : "instances";
    const { images, count } = imagesOf(body.get(name), JSON.stringify(name), model);
    checkProbabilities(asked.probabilities, model);
    return {
      images,
      count,
      pixels: asked.pixels,
      write({ labels, probabilities }) {
        const rows =
          asked.probabilities && probabilities
            ? probabilityRows(probabilities, model.classes.length, ",")
            : `[${labels.join(",")}]`;
        return { headers: JSON_TYPE, body: `{"predictions":${rows}}` };
      },
    };
  },
  facts: [
    { paths: () => ["/v1/models"], health: false, reply: ({ name }) => jsonReply({ models: [name] }) },
    {
      paths: (model) => [placeOf(model)],
      health: true,
      reply: ({ name }, ready) => jsonReply({ name, ready }, ready ? 200 : 503),
    },
  ],
  ownPath: /^\/v1\//,
  error: (status, error) => jsonReply({ error }, status),
};

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
  forms: [jsonForm("instances", () => '{"instances":[', "]}")],
  decode: ({ body }) => answerUnder(["predictions"], jsonOf(body)),
  errorText: (reply) => serviceWords(reply),
  service,
};
