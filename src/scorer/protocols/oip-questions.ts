import { jsonOf } from "./json.ts";
import { isText, modelPath, objectIn, textsIn } from "./paths.ts";
import type { Finding, Form, Question, Reply, Target, TensorSpec } from "./protocol.ts";
import { oneLine } from "./text.ts";
import { isObject } from "./values.ts";

// What services that speak the Open Inference Protocol tell of themselves and of their models.

export const MODELS = "/v2/models";
const REPOSITORY = "/v2/repository/index";

/** All whole numbers are written alike, so that the form for bytes serves models that take other integers, too. */
export const INTEGERS: readonly string[] = ["UINT8", "UINT16", "UINT32", "UINT64", "INT16", "INT32", "INT64"];

export const modelAt = (target: Target): string | null => modelPath(target, MODELS);

/** The forms for a model's datatype: none where there is no form for it. */
function formsFor(datatype: string, forms: readonly Form[]): readonly string[] {
  const names = forms.map(({ name }) => name);
  const exact = names.filter((name) => name.endsWith(datatype));
  const asBytes = INTEGERS.includes(datatype) && names.includes("UINT8") ? ["UINT8"] : [];
  return exact.length > 0 ? exact : asBytes;
}

export function readServer(reply: Reply): (Finding & { readonly extensions: readonly string[] }) | null {
  const { name, version, extensions } = objectIn(reply) ?? {};
  if (!isText(name) || !Array.isArray(extensions)) return null;
  const says = `GET /v2 names ${oneLine(isText(version) ? `${name} ${version}` : name, 100)}`;
  return { says, extensions: textsIn(extensions) };
}

/** KServe lists models here; the protocol does not ask for it. */
function readModels(reply: Reply): Finding | null {
  const models = textsIn(objectIn(reply)?.["models"]);
  return models.length === 0
    ? null
    : { says: `GET ${MODELS} lists ${models.slice(0, 5).join(", ")}`, models };
}

function tensors(specs: unknown): TensorSpec[] {
  if (!Array.isArray(specs)) return [];
  return specs.filter(isObject).map(({ name, datatype, shape }) => ({
    name: String(name),
    datatype: String(datatype),
    shape: Array.isArray(shape) && shape.every(Number.isInteger) ? (shape as number[]) : [],
  }));
}

/** Triton and MLServer list their models here: the protocol's model repository extension. */
function readRepository({ status, body }: Reply): Finding | null {
  if (status !== 200) return null;
  const models = textsIn(listIn(body).map((model) => (isObject(model) ? model["name"] : null)));
  return models.length === 0
    ? null
    : { says: `POST ${REPOSITORY} lists ${models.slice(0, 5).join(", ")}`, models };
}

function listIn(body: Buffer): readonly unknown[] {
  try {
    const json = jsonOf(body);
    return Array.isArray(json) ? json : [];
  } catch {
    return [];
  }
}

/** A server without signatures answers with empty lists, which say nothing. */
function readModel(forms: readonly Form[]): Question["read"] {
  return (reply) => {
    const json = objectIn(reply);
    const name = json?.["name"];
    if (!json || !isText(name) || !Array.isArray(json["inputs"])) return null;
    const inputs = tensors(json["inputs"]);
    const outputs = tensors(json["outputs"]);
    const input = inputs.length === 1 ? inputs[0]! : null;
    const named = input === null ? "knows the model" : `names its input ${input.name} ${input.datatype}`;
    return {
      says: `GET ${MODELS}/${name} ${named}`,
      models: [name],
      ...(input === null ? {} : { input, forms: formsFor(input.datatype, forms) }),
      ...(outputs.length > 0 ? { outputs } : {}),
    };
  };
}

export const modelQuestions = (forms: readonly Form[]): readonly Question[] => [
  { path: ({ root, model }) => (model === null ? `${root}${MODELS}` : null), read: readModels },
  {
    path: ({ root, model }) => (model === null ? `${root}${REPOSITORY}` : null),
    read: readRepository,
    more: true,
    post: true,
  },
  { path: modelAt, read: readModel(forms) },
];
