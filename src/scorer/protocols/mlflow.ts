import { jsonForm } from "./forms.ts";
import { jsonOf, parse } from "./json.ts";
import { plainIn, targetIn } from "./paths.ts";
import type { Finding, Protocol, Reply } from "./protocol.ts";
import { isObject } from "./values.ts";
import { answerUnder, serviceWords } from "./words.ts";
import { checkProbabilities, imagesOf, objectOf, probabilityRows } from "./images.ts";
import {
  JSON_TYPE,
  jsonReply,
  Records,
  RequestError,
  type JsonObject,
  type Json,
  type Service,
} from "./service.ts";

/** For a model of tables: columns without names have numbers. */
function splitHead({ shape }: { readonly shape: readonly number[] }): string {
  const columns = shape.slice(1).reduce((size, n) => size * n, 1);
  return `{"dataframe_split":{"columns":[${Array.from({ length: columns }, (_, i) => i).join(",")}],"data":[`;
}

/** The content type is JSON's, the version is not. */
function readVersion(reply: Reply): Finding | null {
  const text = plainIn(reply);
  return text !== null && /^\d+\.\d+[\w.+-]*$/.test(text) ? { says: `GET /version answers ${text}` } : null;
}

/** Leaves out the input that a message repeats. */
function telling(message: string): string {
  const [said] = message.split(/\s+Input:\s/, 1);
  const failed = /^Failed to predict data '.*Error: ([^]*)$/s.exec(said!);
  return failed?.[1] ?? said!;
}

/** A model that fails says so in the last line of its stack trace only. */
function errorText(reply: Reply): string | null {
  const words = serviceWords(reply, telling);
  const reason = lastTraceLine(reply);
  if (words === null || reason === null) return words;
  return serviceWords({ ...reply, body: Buffer.from(`${reason} (${words})`) });
}

function lastTraceLine({ body }: Reply): string | null {
  try {
    const json = parse(body.toString("utf8"));
    const trace = isObject(json) ? json["stack_trace"] : null;
    if (typeof trace !== "string") return null;
    return (
      trace
        .trim()
        .split("\n")
        .findLast((line) => /^\S/.test(line)) ?? null
    );
  } catch {
    return null;
  }
}

const FIELDS = ["inputs", "instances", "dataframe_split", "dataframe_records"] as const;

/** The one field that holds the images. @throws RequestError */
function inputIn(body: JsonObject): { readonly name: string; readonly value: Json | undefined } {
  const given = FIELDS.filter((name) => body.has(name));
  if (given.length !== 1) {
    throw new RequestError(
      400,
      `the body must have exactly one of ${FIELDS.join(", ")}, but has ${given.join(" and ") || "none"}`,
    );
  }
  const [name] = given;
  const value = body.get(name!);
  if (name === "dataframe_records" && value instanceof Records)
    return { name: JSON.stringify(name), value: value.numbers };
  return name === "dataframe_split" && value instanceof Map
    ? { name: '"dataframe_split"."data"', value: (value as JsonObject).get("data") }
    : { name: JSON.stringify(name), value };
}

/** `params` may ask for probabilities, as MLflow hands them to a model. */
function wants(body: JsonObject): boolean {
  const params = body.get("params");
  return params instanceof Map && (params as JsonObject).get("probabilities") === true;
}

const service: Service = {
  scorePaths: () => ["/invocations"],
  jsonBytes: null,
  read({ json }, asked, model) {
    const body = objectOf(json, '{"inputs": [[…]]}');
    const { name, value } = inputIn(body);
    const { images, count } = imagesOf(value, name, model);
    const wanted = asked.probabilities || wants(body);
    checkProbabilities(wanted, model);
    return {
      images,
      count,
      pixels: asked.pixels,
      write({ labels, probabilities }) {
        const rows =
          wanted && probabilities
            ? probabilityRows(probabilities, model.classes.length, ", ")
            : `[${labels.join(", ")}]`;
        return { headers: JSON_TYPE, body: `{"predictions": ${rows}}` };
      },
    };
  },
  facts: [
    {
      paths: () => ["/ping", "/health"],
      health: true,
      reply: (_model, ready) => ({ status: ready ? 200 : 503, headers: JSON_TYPE, body: "\n" }),
    },
    {
      paths: () => ["/version"],
      health: false,
      reply: ({ server }) => ({ headers: { "Content-Type": "text/plain" }, body: server }),
    },
  ],
  ownPath: /^\/invocations/,
  error: (status, message) =>
    jsonReply({ error_code: status < 500 ? "BAD_REQUEST" : "INTERNAL_ERROR", message }, status),
};

/** MLflow's scoring server, `mlflow models serve`. */
export const mlflow: Protocol = {
  title: "MLflow",
  fromPath: (path) => targetIn(path, /^(?<root>.*)\/invocations\/?$/),
  scorePath: ({ root }) => `${root}/invocations`,
  readyPaths: ({ root }) => [`${root}/ping`, `${root}/health`],
  questions: [{ path: ({ root }) => `${root}/version`, read: readVersion }],
  forms: [
    jsonForm("inputs", () => '{"inputs":[', "]}"),
    jsonForm("instances", () => '{"instances":[', "]}"),
    jsonForm("dataframe_split", splitHead, "]}}"),
  ],
  decode: ({ body }) => answerUnder(["predictions"], jsonOf(body)),
  errorText,
  service,
};
