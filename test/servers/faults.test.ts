import { describe, expect, test } from "vitest";

import { ask, pixelsOf, scoreLocally, LOGREG, server, unitRows } from "./scene.ts";
import type { Answered } from "./scene.ts";
import { imageDigest } from "./start.ts";
import type { Fault, FaultName, Kind, StartedServer } from "./start.ts";

const TEN = JSON.stringify({ data: unitRows(10) });
const { labels } = await scoreLocally(LOGREG, 10);
const RIGHT = `[${labels.join(", ")}]`;

async function faulty(...faults: Fault[]): Promise<StartedServer> {
  return await server("azureml", { faults });
}

/** The error's code, or the reply's status where there was none. */
async function outcome(asked: Promise<Answered>): Promise<string> {
  return await asked.then(
    ({ status }) => String(status),
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
}

const header = ({ headers }: Answered, name: string): string | undefined =>
  headers.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);

describe("a fault in place of the answer", () => {
  test.each([
    ["429", 429, `{"error": "Too many requests"}`],
    ["500", 500, ""],
    ["408", 408, "upstream request timeout"],
    ["424", 424, `{"message": "An unexpected error occurred in scoring script."}`],
    ["text-200", 200, `"'LogisticRegression' object has no attribute 'multi_class'"`],
  ] as const)("%s", async (name, status, body) => {
    const { scoreUrl } = await faulty({ name });
    expect(await ask(scoreUrl, TEN)).toMatchObject({ status, body });
  });

  test.each(["502", "503", "504"] as const)("%s is a page", async (name) => {
    const { scoreUrl } = await faulty({ name });
    const { status, body } = await ask(scoreUrl, TEN);
    expect(status).toBe(Number(name));
    expect(body).toMatch(/^<html>\r\n<head><title>50\d [A-Z]/);
  });

  test("Retry-After comes in seconds, as a date, or not at all", async () => {
    const { scoreUrl } = await faulty({ name: "429-seconds", value: 3 });
    expect(header(await ask(scoreUrl, TEN), "Retry-After")).toBe("3");
    const { scoreUrl: dated } = await faulty({ name: "429-date", value: 20 });
    const ahead = Date.parse(header(await ask(dated, TEN), "Retry-After") ?? "") - Date.now();
    expect(ahead).toBeGreaterThan(15_000);
    expect(ahead).toBeLessThanOrEqual(20_000);
    const { scoreUrl: silent } = await faulty({ name: "429" });
    expect(header(await ask(silent, TEN), "Retry-After")).toBeUndefined();
  });

  test("424 names the model's own status", async () => {
    const { scoreUrl } = await faulty({ name: "424", value: 400 });
    expect(header(await ask(scoreUrl, TEN), "ms-azureml-model-error-statuscode")).toBe("400");
  });

  test("redirect names another address, key-echo the key", async () => {
    const { scoreUrl } = await faulty({ name: "redirect", value: "http://127.0.0.1:9/score" });
    const { status, headers } = await ask(scoreUrl, TEN);
    expect([status, headers]).toEqual([307, expect.arrayContaining(["Location: http://127.0.0.1:9/score"])]);
    const echo = await server("azureml", { key: "s3cret", faults: [{ name: "key-echo" }] });
    const { body } = await ask(echo.scoreUrl, TEN, { Authorization: "Bearer s3cret" });
    expect(body).toBe(`{"error":"cannot verify the token \\"s3cret\\" of Bearer s3cret"}`);
  });

  test.each([
    ["reset-request", "ECONNRESET"],
    ["reset-before-reply", "ECONNRESET"],
    ["close-unanswered", "ECONNRESET"],
    ["reset-reply", "ECONNRESET"],
    ["truncated-length", "ECONNRESET"],
  ] as const)("%s breaks the connection", async (name, code) => {
    const { scoreUrl } = await faulty({ name });
    expect(await outcome(ask(scoreUrl, TEN))).toBe(code);
  });

  test("stall answers nothing, and the next request is answered", async () => {
    const { scoreUrl } = await faulty({ name: "stall", total: 1 });
    const signal = AbortSignal.timeout(300);
    await expect(fetch(scoreUrl, { method: "POST", body: TEN, signal })).rejects.toThrow(
      "The operation was aborted due to timeout",
    );
    expect((await ask(scoreUrl, TEN)).body).toBe(RIGHT);
  });

  test("big-body sends as many bytes as it is told", async () => {
    const { scoreUrl } = await faulty({ name: "big-body", value: 5_000_000 });
    const { status, bytes } = await ask(scoreUrl, TEN);
    expect([status, bytes.length]).toEqual([200, 5_000_000]);
  });

  test("restart refuses connections for a while, then answers on the same port", async () => {
    const { scoreUrl } = await faulty({ name: "restart", total: 1, value: 400 });
    expect(await outcome(ask(scoreUrl, TEN))).toBe("ECONNRESET");
    expect(await outcome(ask(scoreUrl, TEN))).toBe("ECONNREFUSED");
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect((await ask(scoreUrl, TEN)).body).toBe(RIGHT);
  });
});

describe("a spoilt answer", () => {
  const NAN = `[${labels.map((label, i) => (i % 3 === 0 ? "NaN" : `${label}.0`)).join(", ")}]`;
  test.each<[FaultName, string]>([
    ["truncated", RIGHT.slice(0, RIGHT.length >> 1)],
    ["double-encoded", JSON.stringify(RIGHT)],
    ["count-fewer", `[${labels.slice(0, -1).join(", ")}]`],
    ["count-more", `[${labels.join(", ")}, ${labels[0]}]`],
    ["nan", NAN],
    ["label-out-of-range", `[17, ${labels.slice(1).join(", ")}]`],
    ["drip", RIGHT],
    ["keep-alive-closed", RIGHT],
  ])("%s", async (name, body) => {
    const { scoreUrl } = await faulty({ name, ...(name === "drip" ? { value: 300 } : {}) });
    expect(await ask(scoreUrl, TEN)).toMatchObject({ status: 200, body });
  });

  test("drip takes its time", async () => {
    const { scoreUrl } = await faulty({ name: "drip", value: 500 });
    const start = performance.now();
    await ask(scoreUrl, TEN);
    expect(performance.now() - start).toBeGreaterThan(450);
  });
});

describe("NaN and ids, as each server writes them", () => {
  const rows = unitRows(2);
  const inputs = [{ name: "pixels", shape: [2, 784], datatype: "FP32", data: rows.flat() }];
  test.each<[Kind, string | undefined, object, string]>([
    ["kserve", undefined, { instances: rows }, `{"predictions":[null,2.0]}`],
    ["kserve", "v2", { inputs }, `"datatype":"FP64","parameters":null,"data":[null,2.0]`],
    [
      "mlserver",
      undefined,
      { inputs },
      `"datatype":"FP64","parameters":{"content_type":"np"},"data":[null,2.0]`,
    ],
    ["mlflow", undefined, { inputs: rows }, `{"predictions": [NaN, 2.0]}`],
    ["tfserving", undefined, { instances: rows }, `"predictions": [NaN, 2.0\n`],
    ["triton", undefined, { inputs }, `"datatype":"FP64","shape":[2],"data":[NaN,2]`],
    ["sagemaker", undefined, rows, "[NaN, 2.0]"],
  ])("%s %s: nan", async (kind, mode, body, part) => {
    const options = mode === undefined ? {} : { mode };
    const { scoreUrl } = await server(kind, { ...options, faults: [{ name: "nan" }] });
    expect((await ask(scoreUrl, JSON.stringify(body))).body).toContain(part);
  });

  test.each(["kserve", "mlserver", "triton"] as const)("%s: wrong-id", async (kind) => {
    const { scoreUrl } = await server(kind, { mode: "v2", faults: [{ name: "wrong-id" }] });
    const { body } = await ask(scoreUrl, JSON.stringify({ id: "mine", inputs }));
    expect(body).toContain(`"id":"not-mine"`);
  });
});

describe("which requests meet a fault", () => {
  const ONE = JSON.stringify({ data: unitRows(1) });

  async function statuses(faults: readonly Fault[], seed: number): Promise<string> {
    const { scoreUrl } = await server("azureml", { faults, seed });
    let seen = "";
    for (let i = 0; i < 60; i++) seen += (await ask(scoreUrl, ONE)).status === 200 ? "." : "x";
    return seen;
  }

  test("a seed decides, at about the rate", async () => {
    const [first, again, other] = [
      await statuses([{ name: "500", rate: 0.3 }], 1),
      await statuses([{ name: "500", rate: 0.3 }], 1),
      await statuses([{ name: "500", rate: 0.3 }], 2),
    ];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
    expect(first.replaceAll(".", "").length).toBeGreaterThan(8);
    expect(first.replaceAll(".", "").length).toBeLessThan(30);
  });

  test("after spares the first requests, total ends it, perImage lets a retry pass", async () => {
    expect(await statuses([{ name: "500", after: 3, total: 2 }], 0)).toBe(`...xx${".".repeat(55)}`);
    expect(await statuses([{ name: "500", perImage: 4 }], 0)).toBe(`xxxx${".".repeat(56)}`);
  });

  test("bad-image refuses what holds the image, each time", async () => {
    const value = imageDigest(pixelsOf(4));
    const { scoreUrl, counts } = await faulty({ name: "bad-image", value, status: 400 });
    const asked = async (rows: number[][]): Promise<number> =>
      (await ask(scoreUrl, JSON.stringify({ data: rows }))).status;
    expect(await asked(unitRows(10))).toBe(400);
    expect(await asked(unitRows(4))).toBe(200);
    expect(await asked(unitRows(1, 4))).toBe(400);
    expect((await counts()).faults).toEqual({ "bad-image": 2 });
  });

  test("413-abrupt looks at Content-Length alone", async () => {
    const { scoreUrl } = await faulty({ name: "413-abrupt", value: 20_000 });
    expect(["413", "ECONNRESET", "EPIPE"]).toContain(await outcome(ask(scoreUrl, TEN)));
    expect((await ask(scoreUrl, ONE)).status).toBe(200);
  });
});
