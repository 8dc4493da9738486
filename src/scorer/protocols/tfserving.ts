import { jsonForm } from "./forms.ts";
import { jsonOf } from "./json.ts";
import { isText, modelPath, objectIn, targetIn } from "./paths.ts";
import type { Finding, Form, Protocol, Reply, Target, TensorSpec } from "./protocol.ts";
import { isObject, type Fields } from "./values.ts";
import { answerUnder, serviceWords } from "./words.ts";

const MODELS = "/v1/models";

const form = (name: string): Form => jsonForm(name, () => `{"${name}":[`, "]}");

function readStatus(reply: Reply, { model }: Target): Finding | null {
  const versions = objectIn(reply)?.["model_version_status"];
  if (!Array.isArray(versions) || model === null) return null;
  const available = versions.filter((entry) => isObject(entry) && entry["state"] === "AVAILABLE") as Fields[];
  const numbers = available.map((entry) => String(entry["version"]));
  const says =
    numbers.length === 0
      ? `GET ${MODELS}/${model} knows the model, without a version that is available`
      : `GET ${MODELS}/${model} has version ${numbers.join(", ")}`;
  // Without a version in the path the newest is asked for: the status lists it first.
  return numbers.length === 0 ? { says, models: [model] } : { says, models: [model], version: numbers[0]! };
}

/** The signature that is used where a request names none. */
function readMetadata(reply: Reply, { model }: Target): Finding | null {
  const json = objectIn(reply);
  const spec = json?.["model_spec"];
  const signatures = inside(json, "metadata", "signature_def", "signature_def");
  if (!isObject(spec) || signatures === null) return null;
  const signature =
    inside(signatures, "serving_default") ?? inside(signatures, Object.keys(signatures)[0] ?? "");
  const inputs = tensors(signature?.["inputs"]);
  const outputs = tensors(signature?.["outputs"]);
  return {
    says: `GET ${MODELS}/${model ?? ""}/metadata names its tensors`,
    ...(isText(spec["version"]) ? { version: spec["version"] } : {}),
    ...(inputs.length === 1 ? { input: inputs[0]! } : {}),
    ...(outputs.length > 0 ? { outputs } : {}),
  };
}

function inside(json: Fields | null | undefined, ...names: readonly string[]): Fields | null {
  let node: unknown = json;
  for (const name of names) node = isObject(node) && Object.hasOwn(node, name) ? node[name] : null;
  return isObject(node) ? node : null;
}

/** 64-bit numbers are texts in protobuf's JSON. */
function tensors(specs: unknown): TensorSpec[] {
  if (!isObject(specs)) return [];
  return Object.entries(specs).map(([name, spec]) => {
    const dims = inside(isObject(spec) ? spec : null, "tensor_shape")?.["dim"];
    const sizes = Array.isArray(dims) ? dims.map((dim) => (isObject(dim) ? Number(dim["size"]) : NaN)) : [];
    const datatype = isObject(spec) ? String(spec["dtype"]) : "";
    return { name, datatype, shape: sizes.every(Number.isInteger) ? sizes : [] };
  });
}

/** TensorFlow Serving's REST API, https://www.tensorflow.org/tfx/serving/api_rest. */
export const tfserving: Protocol = {
  title: "TensorFlow Serving",
  fromPath: (path) =>
    targetIn(
      path,
      /^(?<root>.*)\/v1\/models\/(?<model>[^/:]+)(?:\/versions\/(?<version>[^/:]+))?(?::predict|\/metadata)?\/?$/,
    ),
  scorePath: (target) => `${modelPath(target, MODELS) ?? `${target.root}${MODELS}`}:predict`,
  readyPaths: (target) => [modelPath(target, MODELS) ?? []].flat(),
  questions: [
    { path: (target) => modelPath(target, MODELS), read: readStatus },
    {
      path: (target) => {
        const path = modelPath(target, MODELS);
        return path === null ? null : `${path}/metadata`;
      },
      read: readMetadata,
    },
  ],
  forms: [form("instances"), form("inputs")],
  decode: ({ body }) => answerUnder(["predictions", "outputs"], jsonOf(body)),
  errorText: (reply) => serviceWords(reply),
};
