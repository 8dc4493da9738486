import { jsonOf } from "./json.ts";
import { JSON_HEADERS, objectIn, targetIn } from "./paths.ts";
import type { Answer, Finding, Protocol, Reply, Target } from "./protocol.ts";
import { answerOf, isObject } from "./values.ts";
import { answerUnder, serviceWords, withoutAnswer } from "./words.ts";

function predictionsPath({ root, model, version }: Target): string {
  const parts = [model, version].flatMap((part) => (part === null ? [] : [encodeURIComponent(part)]));
  return [`${root}/predictions`, ...parts].join("/");
}

const kservePath = ({ root, model }: Target): string =>
  `${root}/v1/models/${encodeURIComponent(model ?? "")}:predict`;

/** An image's classes with their scores, as the image classifier's handler gives its five best. */
function isScores(row: unknown): row is Readonly<Record<string, number>> {
  if (!isObject(row)) return false;
  const values = Object.values(row);
  return values.length > 0 && values.every((value) => typeof value === "number");
}

/** The best class of each image; where the handler gives all classes 0, 1, 2, …, their scores too. */
function scoresAnswer(rows: readonly Readonly<Record<string, number>>[]): Answer {
  const label = rows.map(
    (row) => Object.entries(row).reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0],
  );
  const data: Answer = { label: { type: "string", dims: [rows.length], data: label } };
  const names = Object.keys(rows[0]!);
  const all = names.length > 1 && names.every((name, i) => name === String(i));
  if (!all || !rows.every((row) => Object.keys(row).join() === names.join())) return data;
  return { ...data, probabilities: answerOf(rows)[""]! };
}

/** One image's reply is what the handler gave for it: a class, a list of scores, or classes with scores. */
function decodeOne(json: unknown): Answer {
  if (isScores(json)) return scoresAnswer([json]);
  if (Array.isArray(json) && json.length > 0 && json.every(isScores)) return scoresAnswer(json);
  if (isObject(json)) throw withoutAnswer(json, ["predictions"]);
  // A list of more than one number is one image's scores, not a class for each of many images.
  if (
    Array.isArray(json) &&
    json.length > 1 &&
    !json.some((node) => typeof node === "object" && node !== null)
  ) {
    return answerOf([json]);
  }
  return answerOf(json);
}

function decode({ body }: Reply): Answer {
  const json = jsonOf(body);
  if (!isObject(json) || !Object.hasOwn(json, "predictions")) return decodeOne(json);
  const { predictions } = json;
  if (Array.isArray(predictions) && predictions.length > 0 && predictions.every(isScores)) {
    return scoresAnswer(predictions);
  }
  return answerUnder(["predictions"], json);
}

function readPing(reply: Reply): Finding | null {
  const status = objectIn(reply)?.["status"];
  return status === "Healthy" ? { says: "GET /ping answers Healthy" } : null;
}

/** TorchServe: its own route takes one image a request, that of KServe's envelope as many as fit. */
export const torchserve: Protocol = {
  title: "TorchServe",
  fromPath: (path) =>
    targetIn(path, /^(?<root>.*)\/predictions\/(?<model>[^/:]+)(?:\/(?<version>[^/:]+))?\/?$/) ??
    targetIn(path, /^(?<root>.*)\/v1\/models\/(?<model>[^/:]+):predict\/?$/),
  scorePath: predictionsPath,
  readyPaths: ({ root }) => [`${root}/ping`],
  questions: [{ path: ({ root }) => `${root}/ping`, read: readPing }],
  forms: [
    {
      name: "instances",
      row: "png-base64",
      element: "uint8",
      head: () => '{"instances":[{"data":"',
      separator: '"},{"data":"',
      tail: '"}]}',
      headers: () => JSON_HEADERS,
      mostRows: Infinity,
      path: kservePath,
    },
    {
      name: "image",
      row: "png",
      element: "uint8",
      head: () => "",
      separator: "",
      tail: "",
      headers: () => ({ "Content-Type": "image/png" }),
      mostRows: 1,
    },
  ],
  decode,
  errorText: (reply) => serviceWords(reply),
};
