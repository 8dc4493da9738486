import { jsonOf, parse } from "./json.ts";
import { plainIn, targetIn } from "./paths.ts";
import {
  ReplyError,
  type Answer,
  type Finding,
  type Form,
  type Protocol,
  type Reply,
  type RequestShape,
} from "./protocol.ts";
import { textOf } from "./text.ts";
import { answerOf, isObject, valuesOf } from "./values.ts";
import { answerUnder, serviceWords, withoutAnswer } from "./words.ts";

function jsonForm(name: string, head: string, separator: string, tail: string): Form {
  return {
    name,
    row: "json",
    element: "float32",
    head: () => head,
    separator,
    tail,
    headers: () => ({ "Content-Type": "application/json", Accept: "application/json" }),
    mostRows: Infinity,
  };
}

/**
 * A container takes what its author chose. CSV and JSON are what the framework containers take, `instances` TensorFlow's,
 * `features` the built-in algorithms': https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
 */
const FORMS: readonly Form[] = [
  jsonForm("instances", '{"instances":[', ",", "]}"),
  jsonForm("list", "[", ",", "]"),
  {
    name: "csv",
    row: "csv",
    element: "float32",
    head: () => "",
    separator: "\n",
    tail: "\n",
    headers: () => ({ "Content-Type": "text/csv", Accept: "application/json" }),
    mostRows: Infinity,
  },
  jsonForm("features", '{"instances":[{"features":', '},{"features":', "}]}"),
];

type Images = Partial<Pick<RequestShape, "shape">>;

function decode(reply: Reply, images: Images): Answer {
  const text = textOf(reply.body);
  const isCsv = /^text\/csv\b/i.test(reply.headers["content-type"] ?? "");
  const table = isCsv
    ? csvOf(text, images)
    : (jsonLines(text) ?? (looksLikeCsv(text) ? csvOf(text, images) : null));
  if (table !== null) return table;
  const json = jsonOf(reply.body);
  if (!isObject(json)) return answerOf(json);
  if (Object.hasOwn(json, "predictions")) return answerUnder(["predictions"], json);
  throw withoutAnswer(json, ["predictions"]);
}

/** One JSON object a line; null where the text is something else. */
function jsonLines(text: string): Answer | null {
  const lines = text.trim().split(/\r?\n/);
  if (lines.length < 2 || !lines.every((line) => /^\{.*\}\s*$/.test(line))) return null;
  try {
    return answerOf(lines.map(parse));
  } catch (error) {
    if (error instanceof ReplyError) throw error;
    return null;
  }
}

const NUMBER = /^[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf|infinity)$/i;

function looksLikeCsv(text: string): boolean {
  const [first = ""] = text.trim().split(/\r?\n/, 1);
  const cells = first.split(",");
  return (cells.length > 1 || /\n\s*\S/.test(text.trim())) && cells.every((cell) => NUMBER.test(cell.trim()));
}

/** A line an image; older containers write the answers of all images on one line. */
function csvOf(text: string, { shape }: Images): Answer {
  const rows = text
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(",").map((cell) => cellOf(cell.trim())));
  const images = shape?.[0];
  const [first] = rows;
  const oneLine = rows.length === 1 && images !== undefined && images > 1 && first!.length === images;
  return { "": oneLine || rows.every((row) => row.length === 1) ? valuesOf(rows.flat()) : valuesOf(rows) };
}

function cellOf(cell: string): number | string | null {
  if (!NUMBER.test(cell)) return cell.replace(/^"(.*)"$/, "$1");
  if (/nan/i.test(cell)) return null;
  return Number(/inf/i.test(cell) ? cell.replace(/inf(?:inity)?/i, "Infinity") : cell);
}

function readPing(reply: Reply): Finding | null {
  const text = plainIn(reply);
  return text !== null && text.length < 100 ? { says: "GET /ping answers 200" } : null;
}

/** The contract that Amazon SageMaker has with a container: `POST /invocations`, `GET /ping`. */
export const sagemaker: Protocol = {
  title: "SageMaker container",
  fromPath: (path) => targetIn(path, /^(?<root>.*)\/invocations\/?$/),
  scorePath: ({ root }) => `${root}/invocations`,
  readyPaths: ({ root }) => [`${root}/ping`],
  questions: [{ path: ({ root }) => `${root}/ping`, read: readPing }],
  forms: FORMS,
  decode,
  errorText: (reply) => serviceWords(reply),
};
