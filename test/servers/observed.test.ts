import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { ask, serverHere, settled, unitRows } from "./scene.ts";
import type { Kind, ServerOptions, StartedServer } from "./start.ts";

interface Case {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly bodyBytes?: number;
  };
  readonly reply: {
    readonly status: number;
    readonly reason: string;
    readonly headers: readonly string[];
    readonly body: string;
  };
}

type Body = string | Buffer;
type Bodies = Readonly<Record<string, Body>>;

function casesOf(kind: Kind): Case[] {
  const file = fileURLToPath(new URL(`../fixtures/servers-observed/${kind}.json`, import.meta.url));
  return JSON.parse(readFileSync(file, "utf8")) as Case[];
}

const ONE = unitRows(1)[0]!;
const SQUARE = Array.from({ length: 28 }, (_, row) => ONE.slice(row * 28, row * 28 + 28));
const zeros = (length: number): number[] => Array.from({ length }, () => 0);
const WITH_NULL = [null, ...ONE.slice(1)];
const WITH_TEXT = ["a", ...zeros(783)];
const RAGGED = [zeros(784), zeros(10)];

/** Bodies that are the same but for the key that holds the rows. */
function rowBodies(key: string, name: (what: string) => string): Bodies {
  const rows: Readonly<Record<string, unknown>> = {
    "28x28": [SQUARE],
    ragged: RAGGED,
    nulls: [WITH_NULL],
    "null-values": [WITH_NULL],
    strings: [WITH_TEXT],
    "single-flat-784": ONE,
    "flat-784": ONE,
  };
  return Object.fromEntries(
    Object.entries(rows).map(([what, data]) => [name(what), JSON.stringify({ [key]: data })]),
  );
}

const INVALID = Buffer.from([0xff, 0xfe]);
const azure = JSON.stringify({ data: [ONE] });
const tensor = (more: object, data: unknown = ONE, shape: readonly number[] = [1, 784]): object => ({
  name: "x",
  shape,
  datatype: "FP64",
  data,
  ...more,
});
const infer = (more: object = {}, ...inputs: object[]): string =>
  JSON.stringify({ ...more, inputs: inputs.length === 0 ? [tensor({})] : inputs });
const outputs = (...names: string[]): object => ({ outputs: names.map((name) => ({ name })) });
const PREDICT = "predict";
const PROBA = "predict_proba";

function binary(): Buffer {
  const bytes = 2 * 784 * 4;
  const shape = `"shape":[2,784],"datatype":"FP32"`;
  const json = `{"inputs":[{"name":"x",${shape},"parameters":{"binary_data_size":${bytes}}}]}`;
  const data = Buffer.from(new Float32Array(unitRows(2).flat()).buffer);
  return Buffer.concat([Buffer.from(json.padEnd(108)), data]);
}

const V2: Bodies = {
  "infer-3-nested-data": infer({}, tensor({}, unitRows(3), [3, 784])),
  "infer-bad-datatype": infer({}, tensor({ datatype: "FLOAT" })),
  "infer-binary-extension": binary(),
  "infer-gzip-request": gzipSync(infer()),
  "infer-missing-shape": JSON.stringify({ inputs: [{ name: "x", datatype: "FP64", data: zeros(784) }] }),
  "infer-nulls": infer({}, tensor({}, WITH_NULL)),
  "infer-outputs-both": infer(outputs(PREDICT, PROBA)),
  "infer-request-outputs-predict": infer(outputs(PREDICT), tensor({}, unitRows(2).flat(), [2, 784])),
  "infer-request-outputs-proba": infer(outputs(PROBA)),
  "infer-request-outputs-unknown": infer(outputs("zzz")),
  "infer-shape-data-mismatch": infer({}, tensor({}, ONE, [2, 784])),
  "infer-strings": infer({}, tensor({}, WITH_TEXT)),
  "infer-v1-shaped-body": JSON.stringify({ instances: [zeros(784)] }),
  "infer-with-id": infer({ id: "req-42" }),
  "": infer(),
};

interface Recorded {
  readonly kind: Kind;
  readonly bodies: Bodies;
  /** Cases of servers that are set up in another way. */
  readonly modes?: Readonly<Record<string, Partial<ServerOptions>>>;
}

const KINDS: readonly Recorded[] = [
  {
    kind: "azureml",
    bodies: {
      ...rowBodies("data", (what) => `score-${what}`),
      "mode-dumps": JSON.stringify({ data: [ONE, ONE] }),
      "schema-bad-utf8": INVALID,
      "schema-list-body": JSON.stringify([ONE]),
      "schema-missing-param": JSON.stringify({ inputs: [ONE] }),
      "schema-ok": JSON.stringify({ data: [ONE, ONE, ONE] }),
      "score-gzip": gzipSync(azure),
      "score-invalid-utf8": Buffer.concat([INVALID, Buffer.from('{"data":[]}')]),
      "score-no-data-key": JSON.stringify({ inputs: [ONE] }),
      "score-utf8-bom": `\ufeff${azure}`,
      "": azure,
    },
    modes: {
      "mode-dumps": { mode: "string" },
      "mode-proba": { output: "probabilities" },
      ...Object.fromEntries(
        casesOf("azureml")
          .filter(({ name }) => name.startsWith("schema-"))
          .map(({ name }) => [name, { mode: "schema" }]),
      ),
    },
  },
  {
    kind: "kserve",
    bodies: {
      ...V2,
      ...rowBodies("instances", (what) => `v1-${what}`),
      "v1-gzip": gzipSync(JSON.stringify({ instances: [ONE] })),
      "v1-invalid-utf8": INVALID,
      "v1-data-key": JSON.stringify({ data: unitRows(2) }),
      "v1-inputs-key": JSON.stringify({ inputs: unitRows(2) }),
      "v1-extra-keys": JSON.stringify({ instances: [ONE], signature_name: "x" }),
      "v1-list-body": JSON.stringify([ONE]),
      ...Object.fromEntries(
        ["v1-explain", "v1-no-content-type", "v1-predict-1", "v1-text-plain"].map((name) => [
          name,
          JSON.stringify({ instances: [ONE] }),
        ]),
      ),
    },
  },
  { kind: "mlserver", bodies: V2 },
  {
    kind: "mlflow",
    bodies: {
      ...rowBodies("inputs", (what) => what),
      "csv-3": csv(3),
      "csv-charset": csv(3),
      "data-key": JSON.stringify({ data: [ONE] }),
      "dataframe_records-1": JSON.stringify({ dataframe_records: [Object.fromEntries(ONE.entries())] }),
      "dataframe_split-2": JSON.stringify({
        dataframe_split: { columns: [...ONE.keys()], data: unitRows(2) },
      }),
      gzip: gzipSync(JSON.stringify({ inputs: [ONE] })),
      "invalid-utf8": INVALID,
      "list-body": JSON.stringify([ONE]),
      "params-key": JSON.stringify({ inputs: [ONE], params: {} }),
      "sig-ok-inputs": JSON.stringify({ inputs: unitRows(2) }),
      "sig-ok-instances": JSON.stringify({ instances: unitRows(2) }),
      "two-keys": JSON.stringify({ inputs: [ONE], instances: [ONE] }),
      "": JSON.stringify({ inputs: [ONE] }),
    },
    modes: { "sig-wrong-shape": { mode: "signature" } },
  },
];

function csv(count: number): string {
  return [[...ONE.keys()], ...unitRows(count)].map((row) => `${row.join(",")}\n`).join("");
}

/** What may differ: times and ids, how echoed numbers are written, the place of a traceback, probabilities of another model. */
function comparable(text: string): string {
  return settled(text)
    .replace(/(\d)\.0\b/g, "$1")
    .replace(/Traceback.*\\n([A-Za-z]+Error: )/s, "Traceback … $1")
    .replace(/(?<=[[,] ?)(?:0|\d\.\d+|\d(?:\.\d+)?e-\d+)(?=[,\]])/g, "P");
}

describe.each(KINDS)("$kind answers as the real one did", ({ kind, bodies, modes = {} }) => {
  const servers = new Map<string, Promise<StartedServer>>();
  const serverFor = async (options: Partial<ServerOptions>): Promise<StartedServer> => {
    const key = JSON.stringify(options);
    const started = servers.get(key) ?? serverHere(kind, options);
    servers.set(key, started);
    return await started;
  };
  beforeAll(async () => void (await serverFor({})));
  afterAll(async () => {
    for (const server of servers.values()) await (await server).stop();
  });

  test.each(casesOf(kind))("$name", async ({ name, request, reply }) => {
    const { url } = await serverFor(modes[name] ?? {});
    const body = request.bodyBytes === undefined ? null : (request.body ?? bodies[name] ?? bodies[""] ?? "");
    const answered = await ask(url + request.path, body, request.headers, request.method);
    expect([answered.status, answered.reason]).toEqual([reply.status, reply.reason]);
    const cut = reply.body.endsWith("…") ? 120 : undefined;
    expect(comparable(answered.body).slice(0, cut)).toBe(comparable(reply.body).slice(0, cut));
    const inexact = cut !== undefined || /stack_trace|"detail"|0\.\d{6}/.test(reply.body);
    // The server of the schema cases had been told to send CORS headers.
    const apart = inexact
      ? /^(?:content-length|access-control|vary: origin)/i
      : /^(?:access-control|vary: origin)/i;
    const headers = (lines: readonly string[]): string[] =>
      lines.filter((line) => !apart.test(line)).map((line) => settled(line));
    expect(headers(answered.headers).sort()).toEqual(headers(reply.headers).sort());
  });
});
