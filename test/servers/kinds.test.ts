import { afterAll, describe, expect, test } from "vitest";

import { ask, LENET, LOGREG, scoreLocally, serverHere } from "./scene.ts";
import type { Answered } from "./scene.ts";
import type { Kind, ServerOptions, StartedServer } from "./start.ts";
import { at, dataOf, json, LABELS, list, N, PICTURES, png, rawOf } from "./ways.ts";
import type { Numbers, Way } from "./ways.ts";

const logreg = await scoreLocally(LOGREG, N);
const lenet = await scoreLocally(LENET, N);

const csvNumbers = ({ body }: Answered): Numbers => body.trim().split(/[\n,]/).map(Number);
const shaped = (key: string): string => JSON.stringify({ [key]: PICTURES });

const started = new Map<string, Promise<StartedServer>>();

/** One server for all ways that it is asked in. */
async function serverFor(kind: Kind, options: Partial<ServerOptions>): Promise<StartedServer> {
  const key = JSON.stringify([kind, options]);
  const starting = started.get(key) ?? serverHere(kind, options);
  started.set(key, starting);
  return await starting;
}

afterAll(async () => {
  for (const starting of started.values()) await (await starting).stop();
});

async function answered({ kind, options = {}, body, headers }: Way): Promise<Answered> {
  const { scoreUrl } = await serverFor(kind, options);
  const reply = await ask(scoreUrl, body, headers ?? { "Content-Type": "application/json" });
  expect([reply.status, reply.status === 200 ? "" : reply.body]).toEqual([200, ""]);
  return reply;
}

describe("labels of 100 images are onnxruntime's", () => {
  test.each(LABELS)("$kind: $name", async (way) => {
    expect(way.read(await answered(way))).toEqual(logreg.labels);
  });

  test("torchserve: a picture a request", async () => {
    const { scoreUrl } = await serverFor("torchserve", {});
    const labels: number[] = [];
    for (let i = 0; i < N; i++) labels.push(Number((await ask(scoreUrl, png(i), {})).body));
    expect(labels).toEqual(logreg.labels);
  });
});

describe("probabilities and logits of 100 images are onnxruntime's", () => {
  const PROBABILITIES: readonly Way[] = LABELS.flatMap((way) => {
    if (way.options?.mode === "builtin" || way.options?.mode === "named") return [];
    const options = { ...way.options, output: "probabilities" as const };
    if (way.kind === "triton" && way.name.includes("reply")) return [];
    if (way.kind === "triton") {
      return [{ ...way, options, read: way.name.includes("both") ? rawOf(1) : dataOf(1) }];
    }
    if (way.name === "csv" && way.kind === "sagemaker") {
      return [{ ...way, options, read: csvNumbers }];
    }
    const read = (reply: Answered): Numbers => list(way.read(reply));
    return [{ ...way, options, read }];
  });

  test.each(PROBABILITIES)("$kind: $name", async (way) => {
    expect(way.read(await answered(way)).map((value) => Math.fround(value!))).toEqual(logreg.scores);
  });

  test.each<Way>([
    { name: "data", kind: "azureml", body: shaped("data"), read: (reply) => list(json(reply)) },
    { name: "instances", kind: "kserve", body: shaped("instances"), read: at("predictions") },
    { name: "inputs", kind: "mlflow", body: shaped("inputs"), read: at("predictions") },
    { name: "instances", kind: "tfserving", body: shaped("instances"), read: at("predictions") },
  ])("$kind: logits of a model of pictures", async (way) => {
    const reply = await answered({ ...way, options: { model: LENET, output: "logits" } });
    expect(way.read(reply).map((value) => Math.fround(value!))).toEqual(lenet.scores);
  });

  test("probabilities of a model with logits are their softmax", async () => {
    const body = JSON.stringify({ data: PICTURES.slice(0, 1) });
    const way: Way = { name: "", kind: "azureml", body, read: (reply) => list(json(reply)) };
    const read = way.read(await answered({ ...way, options: { model: LENET, output: "probabilities" } }));
    const exp = lenet.scores.slice(0, 10).map(Math.exp);
    const sum = exp.reduce((total, value) => total + value, 0);
    read.forEach((value, i) => expect(value).toBeCloseTo(exp[i]! / sum, 12));
  });
});
