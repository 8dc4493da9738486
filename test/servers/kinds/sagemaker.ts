import { imagesOf, InputError, readNested } from "../images.ts";
import { JsonError, objectOf, parseJson, PYTHON, writeInts, writeRows } from "../json.ts";
import { ModelError, reasonOf } from "../service.ts";
import type { Deployment, Exchange, Reply, Request, Scores, Service } from "../service.ts";

/**
 * A container on SageMaker's contract: `/ping`, `/invocations`, formats by Content-Type and Accept. The mode is what
 * stands in it: `plain` (scikit-learn's container: a list of rows), `predictions` (TensorFlow's: instances), `builtin`
 * (SageMaker's own algorithms: instances of features, or a JSON object a line).
 */
export function sagemaker(deployment: Deployment): Service {
  return {
    scorePaths: ["/invocations"],
    keepAliveMs: 65_000,
    handle: async (request, exchange) => {
      if (request.path === "/ping") return reply(200, "", "text/html; charset=utf-8");
      if (request.path !== "/invocations") return page(404, "Not Found");
      if (request.method !== "POST") return page(405, "Method Not Allowed");
      return await invocations(request, exchange, deployment);
    },
  };
}

function reply(status: number, body: string, type: string): Reply {
  return {
    status,
    reason: reasonOf(status),
    headers: [
      ["Server", "nginx/1.14.0 (Ubuntu)"],
      ["Date", new Date().toUTCString()],
      ["Content-Type", type],
      ["Content-Length", String(Buffer.byteLength(body))],
      ["Connection", "keep-alive"],
    ],
    body,
  };
}

function page(status: number, title: string): Reply {
  const head = `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<title>${status} ${title}</title>`;
  return reply(status, `${head}\n<h1>${title}</h1>\n`, "text/html");
}

async function invocations(request: Request, exchange: Exchange, deployment: Deployment): Promise<Reply> {
  const [type = ""] = (request.headers["content-type"] ?? "application/json").split(";");
  if (!["application/json", "application/jsonlines", "text/csv"].includes(type)) {
    const text = `Content type ${type} is not supported by this framework.`;
    return reply(415, text, "text/html; charset=utf-8");
  }
  try {
    const rows = rowsOf(request.body.toString(), type, deployment.mode ?? "plain");
    const scores = await exchange.score(imagesOf(readNested(rows), deployment.rowShape));
    return answer(scores, request.headers["accept"] ?? "*/*", type, deployment);
  } catch (error) {
    if (error instanceof InputError || error instanceof JsonError || error instanceof ModelError) {
      return page(500, "Internal Server Error");
    }
    throw error;
  }
}

/** @throws JsonError */
function rowsOf(text: string, type: string, mode: string): unknown {
  const lines = (): string[] => text.trim().split(/\r?\n/);
  if (type === "text/csv") {
    return lines().map((line) => line.split(",").map((cell) => (cell.trim() === "" ? cell : Number(cell))));
  }
  if (type === "application/jsonlines") {
    return lines().map((line) => objectOf(parseJson(line, false))?.["features"]);
  }
  const body = parseJson(text, true);
  if (mode === "plain") return body;
  const instances = objectOf(body)?.["instances"];
  if (mode === "predictions" || !Array.isArray(instances)) return instances;
  return instances.map((instance) => objectOf(instance)?.["features"]);
}

function answer(scores: Scores, accept: string, type: string, { mode, output }: Deployment): Reply {
  const { labels, values, k } = scores;
  const isLabels = output === "labels";
  if (
    accept.includes("text/csv") ||
    (type === "text/csv" && !accept.includes("json") && mode !== "predictions")
  ) {
    const rows = isLabels
      ? writeInts(labels, { ...PYTHON, separator: "\n" })
      : writeRows(values, k, { ...PYTHON, separator: "," })
          .slice(1, -1)
          .replaceAll("],[", "\n");
    return reply(200, `${rows}\n`, "text/csv; charset=utf-8");
  }
  if (mode === "builtin") return builtin(scores, type === "application/jsonlines");
  const list = isLabels ? writeInts(labels, PYTHON) : writeRows(values, k, PYTHON);
  return reply(200, mode === "predictions" ? `{"predictions": [${list}]}` : `[${list}]`, "application/json");
}

/** An object an image: `predicted_label` and its scores. */
function builtin({ labels, values, k }: Scores, lines: boolean): Reply {
  const items = Array.from(labels, (label, row) => {
    const score = writeRows(values.subarray(row * k, (row + 1) * k), k, PYTHON);
    return `{"score": ${score === "" ? "[]" : score}, "predicted_label": ${PYTHON.float(label)}}`;
  });
  if (lines) return reply(200, `${items.join("\n")}\n`, "application/jsonlines");
  return reply(200, `{"predictions": [${items.join(", ")}]}`, "application/json");
}
