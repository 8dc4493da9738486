import { describe, expect, test } from "vitest";

import type { Evaluation } from "../../src/types.ts";
import type { Fault, Kind } from "../servers/start.ts";
import {
  distance,
  LOGREG,
  metricsOf,
  predictionsOf,
  scene,
  server,
  type Predictions,
  type TestEnd,
  type TestServerOptions,
} from "./scene.ts";

const { bare, local } = scene();

const RATE = Number(process.env["FAULT_RATE"] ?? 0.1);
/** At 10,000, each fault is met as often as it would be in a whole run. */
const IMAGES = Number(process.env["FAULT_IMAGES"] ?? 600);
const MORE = IMAGES > 600;
const TABLE = process.env["FAULT_TABLE"] === "1";
/** Answers with labels, with scores as JSON, and as bytes. */
const ALL_SERVERS: readonly (readonly [Kind, TestServerOptions])[] = [
  ["azureml", { output: "labels" }],
  ["kserve", { output: "probabilities", mode: "v2" }],
  ["triton", { output: "probabilities" }],
];

interface Trouble {
  readonly fault: Fault;
  /** What is in a reply, which each protocol reads in its own way. */
  readonly inReply?: true;
  readonly args?: readonly string[];
}

/** What costs the client a second each time is met a few times only. */
const seldom = (fault: Fault): Fault => ({ ...fault, total: MORE ? 15 : 3 });
const SHORT = ["--timeout", "0.5"];
const TROUBLES: readonly Trouble[] = [
  { fault: { name: "429" } },
  { fault: seldom({ name: "429-seconds", value: 1 }) },
  { fault: seldom({ name: "429-date", value: 1 }) },
  { fault: { name: "500" } },
  { fault: { name: "502" } },
  { fault: { name: "503" } },
  { fault: { name: "504" } },
  { fault: { name: "408" } },
  { fault: { name: "424", value: 500 } },
  { fault: { name: "424", value: 429 } },
  { fault: { name: "413-abrupt", value: 60_000 } },
  { fault: { name: "reset-request" } },
  { fault: { name: "reset-before-reply" } },
  { fault: { name: "reset-reply" } },
  { fault: { name: "close-unanswered" } },
  { fault: seldom({ name: "stall" }), args: SHORT },
  { fault: { name: "drip", value: 200 } },
  { fault: seldom({ name: "drip", value: 5000 }), args: SHORT },
  { fault: { name: "truncated" }, inReply: true },
  { fault: { name: "truncated-length" } },
  { fault: { name: "html-200" }, inReply: true },
  { fault: { name: "text-200" }, inReply: true },
  { fault: { name: "double-encoded" }, inReply: true },
  { fault: { name: "big-body", rate: RATE / 5 } },
  { fault: { name: "keep-alive-closed" } },
  { fault: { name: "restart", rate: RATE / 5, value: 300 } },
  { fault: { name: "count-fewer" }, inReply: true },
  { fault: { name: "count-more" }, inReply: true },
  { fault: { name: "nan" }, inReply: true },
  { fault: { name: "label-out-of-range" }, inReply: true },
  { fault: { name: "wrong-id" }, inReply: true },
  { fault: { name: "key-echo" } },
];

interface Row {
  readonly fault: string;
  readonly kind: Kind;
  readonly evaluation: Evaluation;
  readonly met: number;
  readonly seconds: number;
}

function print({ fault, kind, evaluation, met, seconds }: Row): void {
  if (!TABLE) return;
  const { latency, failures } = evaluation;
  const retries = Object.entries(latency?.retries ?? {}).map(([reason, count]) => `${reason} ${count}`);
  const cells = [fault, kind, met, latency?.requests, retries.join(", "), failures.count, seconds.toFixed(1)];
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}

/** Each image either has local scoring's prediction or is in `failures` with its reason and request. */
function expectNothingWrong(evaluation: Evaluation, own: Predictions, reference: Predictions): void {
  const { failures, dataset } = evaluation;
  const { images, differing, largest } = distance(own, reference);
  expect({ images: images + failures.count, differing }).toEqual({ images: IMAGES, differing: [] });
  expect(largest ?? 0).toBeLessThan(1e-6);
  expect(dataset.scored).toBe(images);
  for (const { index, reason, request } of failures.images) {
    expect(own.labels.has(index)).toBe(false);
    expect(reason).not.toBe("");
    expect(request).toMatch(/^[0-9a-f-]{36}-\d+$/);
  }
}

function serversFor({ inReply }: Trouble): typeof ALL_SERVERS {
  if (MORE) return ALL_SERVERS;
  return ALL_SERVERS.slice(0, inReply === true ? 2 : 1);
}

const limit = ["--limit", String(IMAGES)];

async function meet(
  [kind, options]: (typeof ALL_SERVERS)[number],
  { fault, args = [] }: Trouble,
  end: TestEnd,
): Promise<number> {
  const faulty = { ...options, faults: [{ rate: RATE, ...fault }], seed: 7 };
  const { scoreUrl, counts } = await server(kind, faulty, end);
  const start = performance.now();
  const tolerant = ["--batch-size", "20", "--max-failures", "100%"];
  const { code, stderr, out } = await bare(["--endpoint", scoreUrl, ...tolerant, ...limit, ...args]);
  const seconds = (performance.now() - start) / 1000;
  expect({ kind, code, stderr }).toMatchObject({ kind, code: 0 });
  const evaluation = metricsOf(out);
  const { faults } = await counts();
  const met = faults[fault.name] ?? 0;
  print({ fault: [fault.name, fault.value].join(" ").trim(), kind, evaluation, met, seconds });
  expectNothingWrong(evaluation, predictionsOf(out), await local(LOGREG, ...limit));
  return met;
}

describe(`evaluate --endpoint, where ${RATE * 100} % of the requests meet`, () => {
  // Most of their time is waiting.
  test.concurrent.for(TROUBLES)(
    "$fault.name $fault.value: no prediction is wrong or missing",
    async (trouble, end) => {
      const met = await Promise.all(serversFor(trouble).map((one) => meet(one, trouble, end)));
      expect(Math.min(...met)).toBeGreaterThan(0);
    },
  );
});
