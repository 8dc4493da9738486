import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { ScorerError, UsageError } from "../../src/errors.ts";
import type { Engine } from "../../src/server/engine.ts";
import type { Scores } from "../../src/types.ts";
import { freePort } from "../ports.ts";
import { ask, fakeEngine, firstNumbers, serve, type Answer } from "./scene.ts";

const ONE = '{"data": [[1, 0, 0, 0]]}';
const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });
/** Headers that ask to be told to go on before so large a body. */
const head = (length: number): string =>
  `POST /score HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`;
const json = (value: unknown): string => JSON.stringify(value);

/** A model that answers when it is let. */
function heldEngine() {
  const waiting: (() => void)[] = [];
  const engine = fakeEngine(
    (rows, count) => new Promise<Scores>((resolve) => waiting.push(() => resolve(firstNumbers(rows, count)))),
  );
  return { engine, release: () => waiting.splice(0).forEach((go) => go()), held: () => waiting.length };
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition() && tries < 2000; tries++) await sleep(5);
  expect(condition()).toBe(true);
}

/** No request is counted as under way. */
async function expectNothingLeft(url: string): Promise<void> {
  const { body } = await ask(`${url}/metrics`);
  for (const reading of ["requests_in_flight 0", "pending_bytes 0", "queued_images 0"])
    expect(body).toContain(`\nmnist_evaluate_${reading}\n`);
}

/** What a server says to these bytes, until it closes. */
function raw(url: string, text: string, { end = false, afterMs = 0 } = {}): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let got = "";
    const socket = connect(Number(port), hostname, () => {
      socket.write(text);
      if (end) socket.end();
      if (afterMs > 0) setTimeout(() => socket.destroy(), afterMs);
    });
    socket.on("data", (piece) => (got += piece.toString()));
    socket.on("error", () => {});
    socket.on("close", () => resolve(got));
  });
}

describe("before the model is loaded", () => {
  test("health is 503 and so are scores; then both are 200", async () => {
    const opening: ((engine: Engine) => void)[] = [];
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const starting = serve({ port }, () => new Promise((resolve) => opening.push(resolve)));
    await until(() => opening.length === 1);
    expect(await ask(`${url}/`)).toMatchObject({ status: 503, body: "Unhealthy" });
    expect(await ask(`${url}/v2/health/ready`)).toMatchObject({ status: 503, body: '{"ready":false}' });
    expect(await ask(`${url}/v2/health/live`)).toMatchObject({ status: 200 });
    expect(await ask(`${url}/v1/models/mnist`)).toMatchObject({
      status: 503,
      body: '{"name":"mnist","ready":false}',
    });
    const early = await ask(`${url}/score`, { body: ONE });
    expect(early).toMatchObject({
      status: 503,
      body: json({ message: "the model is being loaded: try again" }),
    });
    expect(early.headers["retry-after"]).toBe("1");
    opening[0]!(await fakeEngine()());
    await starting;
    expect(await ask(`${url}/`)).toMatchObject({ status: 200, body: "Healthy" });
    expect(await ask(`${url}/`, { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
    expect((await ask(`${url}/score`, { body: ONE })).body).toBe("[1]");
  });

  test("a model that cannot be opened ends the service with its error, and the port is free again", async () => {
    const port = await freePort();
    const failing = serve({ port }, () =>
      Promise.reject(new ScorerError("no.onnx is empty: copy or download it again")),
    );
    await expect(failing).rejects.toThrow(new ScorerError("no.onnx is empty: copy or download it again"));
    await serve({ port }, fakeEngine());
  });

  test("a port that is in use is the command line's fault", async () => {
    const { url } = await serve({}, fakeEngine());
    const port = Number(new URL(url).port);
    await expect(serve({ port }, fakeEngine())).rejects.toThrow(
      new UsageError(`port ${port} is in use: name another with --port, or stop what uses it`),
    );
  });
});

describe("bodies", () => {
  const over = {
    message:
      "the body is larger than 1000 bytes: send fewer images a request, or serve with a larger --max-request-bytes",
  };

  test("413 by what is announced, before any of it is read", async () => {
    const { url } = await serve({ maxRequestBytes: 1000 }, fakeEngine());
    expect(await ask(`${url}/score`, { body: " ".repeat(1001) })).toMatchObject({
      status: 413,
      body: json(over),
    });
    expect(await ask(`${url}/score`, { body: ONE.padEnd(1000) })).toMatchObject({ status: 200 });
  });

  test("413 by what comes where nothing is announced", async () => {
    const { url } = await serve({ maxRequestBytes: 1000 }, fakeEngine());
    const chunked = { headers: { "Transfer-Encoding": "chunked" }, body: `{"data": ${" ".repeat(2000)}` };
    expect(await ask(`${url}/score`, chunked)).toMatchObject({ status: 413, body: json(over) });
  });

  test("who waits for 100 Continue is told to go on, or told no before it has sent anything", async () => {
    const { url } = await serve({ maxRequestBytes: 1000 }, fakeEngine());
    expect(await raw(url, head(5000))).toMatch(/^HTTP\/1\.1 413 /);
    const told = raw(url, `${head(ONE.length)}${ONE}`);
    expect(await told).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
  });

  const gzip = { "Content-Encoding": "gzip" };

  test("gzip is taken", async () => {
    const { url, logged } = await serve({}, fakeEngine());
    const body = `{"data": [${"[2, 0, 0, 0], ".repeat(2000)}[1, 0, 0, 0]]}`;
    const answer = await ask(`${url}/score`, { headers: gzip, body: gzipSync(body) });
    expect(answer).toMatchObject({ status: 200, body: `[${"2, ".repeat(2000)}1]` });
    expect(logged().at(-1)).toMatchObject({ images: 2001, bytes: body.length });
  });

  test("gzip of bytes behind the JSON is taken", async () => {
    const { url } = await serve({}, fakeEngine());
    const head = json({
      inputs: [{ name: "x", shape: [1, 4], datatype: "UINT8", parameters: { binary_data_size: 4 } }],
      outputs: [{ name: "label" }],
    });
    const answer = await ask(`${url}/v2/models/mnist/infer`, {
      headers: { ...gzip, "Inference-Header-Content-Length": String(head.length) },
      body: gzipSync(Buffer.concat([Buffer.from(head), Buffer.from([0, 255, 0, 0])])),
    });
    expect(JSON.parse(answer.body)).toMatchObject({ outputs: [{ name: "label", data: [0] }] });
  });

  test("413 by what gzip holds, as it is decompressed", async () => {
    const { url } = await serve({ maxRequestBytes: 1000 }, fakeEngine());
    const bomb = gzipSync(`{"data": ${" ".repeat(500_000)}`);
    expect(bomb.length).toBeLessThan(1000);
    expect(await ask(`${url}/score`, { headers: gzip, body: bomb })).toMatchObject({
      status: 413,
      body: json(over),
    });
    await expectNothingLeft(url);
  });

  test.each([
    ["no gzip", Buffer.from(ONE)],
    ["cut off", gzipSync(ONE).subarray(0, -4)],
    ["empty", Buffer.alloc(0)],
  ])("400 for gzip that is %s", async (_what, body) => {
    const { url } = await serve({}, fakeEngine());
    const answer = await ask(`${url}/score`, { headers: gzip, body });
    expect(answer.status).toBe(400);
    await expectNothingLeft(url);
  });

  test("other encodings are 415, with what is taken", async () => {
    const { url } = await serve({}, fakeEngine());
    const answer = await ask(`${url}/score`, { headers: { "Content-Encoding": "br" }, body: ONE });
    expect(answer).toMatchObject({
      status: 415,
      body: json({ message: "the body's Content-Encoding is br: send it as gzip, or as it is" }),
    });
    expect(answer.headers["accept-encoding"]).toBe("gzip");
  });

  test("408 where the body does not come in time, with the connection closed after it", async () => {
    const { url } = await serve({ timeoutMs: 300 }, fakeEngine());
    const said = await raw(url, "POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
    expect(said).toMatch(/^HTTP\/1\.1 408 /);
    expect(said).toContain(
      json({ message: "the request took more than 0.3 s: its body did not come in time" }),
    );
  });

  test("408 where not even the headers come", async () => {
    const { url } = await serve({ timeoutMs: 300 }, fakeEngine());
    expect(await raw(url, "POST /score HTTP/1.1\r\nHos")).toMatch(/^HTTP\/1\.1 408 Request Timeout/);
  });

  test("a sender that goes away leaves nothing behind", async () => {
    const { url, logged } = await serve({}, fakeEngine());
    await raw(url, "POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", { afterMs: 100 });
    await until(() => logged().some(({ status }) => status === 499));
    expect(logged().at(-1)).toMatchObject({ path: "/score", status: 499 });
    await expectNothingLeft(url);
  });
});

describe("load", () => {
  test("429 and Retry-After above the concurrency, and health goes on", async () => {
    const { engine, release, held } = heldEngine();
    const { url } = await serve({ concurrency: 2, batchSize: 1 }, engine);
    const first = ask(`${url}/score`, { body: ONE });
    const second = ask(`${url}/score`, { body: ONE });
    await until(() => held() === 1);
    await sleep(50);
    const third = await ask(`${url}/score`, { body: ONE });
    expect(third).toMatchObject({
      status: 429,
      body: json({ message: "too many requests at once: try again later" }),
    });
    expect(third.headers["retry-after"]).toBe("1");
    expect((await ask(`${url}/`)).status).toBe(200);
    release();
    await until(() => held() === 1);
    release();
    expect(await Promise.all([first, second])).toMatchObject([{ body: "[1]" }, { body: "[1]" }]);
    const fourth = ask(`${url}/score`, { body: ONE });
    await until(() => held() === 1);
    release();
    expect((await fourth).status).toBe(200);
  });

  test("429 where bodies under way would hold too much memory", async () => {
    const { engine, release, held } = heldEngine();
    const { url } = await serve({ maxRequestBytes: 1000, batchSize: 1 }, engine);
    const large = ONE.padEnd(1000);
    const four = Array.from({ length: 4 }, () => ask(`${url}/score`, { body: large }));
    await until(() => held() === 1);
    await sleep(50);
    expect((await ask(`${url}/score`, { body: ONE })).status).toBe(429);
    for (let i = 0; i < 4; i++) {
      await until(() => held() === 1);
      release();
    }
    for (const answer of await Promise.all(four)) expect(answer.status).toBe(200);
  });

  test("503 where a request is not scored in time, and the next one is", async () => {
    const { engine, release, held } = heldEngine();
    const { url } = await serve({ timeoutMs: 200 }, engine);
    expect(await ask(`${url}/score`, { body: ONE })).toMatchObject({
      status: 503,
      body: json({ message: "the request took more than 0.2 s: it was not scored in time" }),
    });
    release();
    const next = ask(`${url}/score`, { body: ONE });
    await until(() => held() === 1);
    release();
    expect((await next).body).toBe("[1]");
    await expectNothingLeft(url);
  });
});

describe("keys", () => {
  const keys = ["first-key-0123456789", "second-key-012345678"];
  test("any of several keys is let in; none and a wrong one are 401", async () => {
    const { url } = await serve({ keys }, fakeEngine());
    for (const key of keys)
      expect((await ask(`${url}/score`, { headers: bearer(key), body: ONE })).body).toBe("[1]");
    const wrong = [
      {},
      bearer("wrong"),
      bearer(`${keys[0]}x`),
      bearer(keys[0]!.slice(0, -1)),
      { Authorization: keys[0]! },
      bearer(keys.join(" ")),
    ];
    for (const headers of wrong) {
      const answer = await ask(`${url}/score`, { headers, body: ONE });
      expect(answer).toMatchObject({
        status: 401,
        body: json({ message: "a key is needed: send Authorization: Bearer KEY" }),
      });
      expect(answer.headers["www-authenticate"]).toBe("Bearer");
    }
  });

  test("all but health needs a key", async () => {
    const { url } = await serve({ keys }, fakeEngine());
    const status = async (path: string): Promise<number> => (await ask(`${url}${path}`)).status;
    const free = [
      "/",
      "/ping",
      "/health",
      "/v2/health/live",
      "/v2/health/ready",
      "/v2/models/mnist/ready",
      "/v1/models/mnist",
    ];
    for (const path of free) expect([path, await status(path)]).toEqual([path, 200]);
    for (const path of ["/swagger.json", "/metrics", "/v2", "/v2/models/mnist", "/v1/models", "/version"])
      expect([path, await status(path)]).toEqual([path, 401]);
  });

  test("no key in a log or an answer, wherever it was sent", async () => {
    const { url, logText } = await serve({ keys }, fakeEngine());
    const [key = ""] = keys;
    const answers: Answer[] = [
      await ask(`${url}/score?key=${key}`, { headers: bearer(key), body: ONE }),
      await ask(`${url}/${key}`, { headers: bearer(key) }),
      await ask(`${url}/score`, { headers: { ...bearer(key), "X-Pixels": "x" }, body: key }),
      await ask(`${url}/score`, { headers: { ...bearer("wrong-key") }, body: ONE }),
    ];
    for (const { body, headers } of answers) expect(body + json(headers)).not.toContain(key);
    await ask(`${url}/score`, { headers: { "X-Request-Id": key, ...bearer(key) }, body: ONE });
    expect(logText()).not.toContain(key);
    expect(logText()).not.toContain("wrong-key");
    expect(logText()).toContain('"path":"/[key]"');
  });

  test("no key in the log of a failure, nor the rest of a key that starts with another", async () => {
    const failing = fakeEngine(() => Promise.reject(new Error(`no ${keys[0]}-and-more here`)));
    const { url, logText } = await serve({ keys: [keys[0]!, `${keys[0]}-and-more`] }, failing);
    await ask(`${url}/score`, { headers: { ...bearer(keys[0]!), "X-Request-Id": keys[0]! }, body: ONE });
    expect(logText()).not.toContain(keys[0]);
    expect(logText()).toContain("Error: no [key] here");
  });

  test("a key of one letter garbles neither ids nor paths, and is warned about", async () => {
    const { url, logText, logged } = await serve({ keys: ["a"] }, fakeEngine());
    const headers = { ...bearer("a"), "X-Request-Id": "trace-a1b2-banana" };
    expect((await ask(`${url}/banana/a`, { headers })).headers["x-request-id"]).toBe("trace-a1b2-banana");
    expect(logged().at(-1)).toMatchObject({ requestId: "trace-a1b2-banana", path: "/banana/[key]" });
    const alone = await ask(`${url}/`, { headers: { "X-Request-Id": "a" } });
    expect(alone.headers["x-request-id"]).toMatch(/^[\da-f-]{36}$/);
    expect(logged().at(-1)).toMatchObject({ requestId: alone.headers["x-request-id"] });
    expect(logText()).toContain("a key of fewer than 8 characters is soon guessed: take a longer one");
  });
});

describe("headers", () => {
  test("X-Request-Id comes back where it is sound, and a new one where it is not", async () => {
    const { url } = await serve({}, fakeEngine());
    const id = async (given: string): Promise<unknown> =>
      (await ask(`${url}/score`, { headers: { "X-Request-Id": given }, body: ONE })).headers["x-request-id"];
    expect(await id("abc-123.4:5~6/7+8=@")).toBe("abc-123.4:5~6/7+8=@");
    for (const given of ["a b", "x".repeat(101), '"', "é"]) expect(await id(given)).toMatch(/^[\da-f-]{36}$/);
  });

  test("CORS is off, and on for the origins that are named", async () => {
    const headers = { Origin: "https://a.test" };
    const closed = await serve({}, fakeEngine());
    expect(
      (await ask(`${closed.url}/score`, { headers, body: ONE })).headers["access-control-allow-origin"],
    ).toBeUndefined();
    expect((await ask(`${closed.url}/score`, { headers, method: "OPTIONS" })).status).toBe(405);
    const { url } = await serve({ corsOrigins: ["https://a.test"], keys: ["k"] }, fakeEngine());
    const asked = await ask(`${url}/score`, { method: "OPTIONS", headers });
    expect(asked.status).toBe(204);
    expect(asked.headers).toMatchObject({
      "access-control-allow-origin": "https://a.test",
      vary: "Origin",
      "access-control-allow-methods": "GET, POST",
    });
    expect((await ask(`${url}/score`, { headers, body: ONE })).headers["access-control-allow-origin"]).toBe(
      "https://a.test",
    );
    const other = await ask(`${url}/score`, { method: "OPTIONS", headers: { Origin: "https://b.test" } });
    expect(other.status).toBe(405);
    expect(other.headers["access-control-allow-origin"]).toBeUndefined();
  });

  test("what is not there is 404, and a wrong method 405 with those that are right", async () => {
    const { url } = await serve({}, fakeEngine());
    expect(await ask(`${url}/nothing`)).toMatchObject({ status: 404 });
    const wrong = await ask(`${url}/score`, { method: "PUT", body: ONE });
    expect(wrong).toMatchObject({
      status: 405,
      body: json({ message: "PUT is not allowed here: use POST" }),
    });
    expect(wrong.headers.allow).toBe("POST");
  });

  test("headers that are too large are 431, and what is no HTTP 400", async () => {
    const { url } = await serve({}, fakeEngine());
    expect(await raw(url, `GET / HTTP/1.1\r\nHost: x\r\nA: ${"x".repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(await raw(url, "what is this\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
  });
});

test("GET /metrics counts requests, latency, images and runs", async () => {
  const { url } = await serve({}, fakeEngine());
  await ask(`${url}/score`, { body: '{"data": [[1, 0, 0, 0], [2, 0, 0, 0]]}' });
  await ask(`${url}/score`, { body: "{" });
  const { body, headers } = await ask(`${url}/metrics`);
  expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  for (const line of [
    'mnist_evaluate_requests_total{route="/score",status="200"} 1',
    'mnist_evaluate_requests_total{route="/score",status="400"} 1',
    'mnist_evaluate_request_seconds_count{route="/score"} 2',
    "mnist_evaluate_images_total 2",
    'mnist_evaluate_run_images_bucket{le="1"} 0',
    'mnist_evaluate_run_images_bucket{le="2"} 1',
    'mnist_evaluate_run_images_bucket{le="+Inf"} 1',
    "mnist_evaluate_run_images_sum 2",
    "mnist_evaluate_queued_images 0",
    "mnist_evaluate_ready 1",
    `mnist_evaluate_model_info{name="mnist",sha256="${"0".repeat(64)}"} 1`,
  ])
    expect(`\n${body}`).toContain(`\n${line}\n`);
  // Prometheus' text format: comments, and lines of a name, labels and a value.
  for (const line of body.trimEnd().split("\n"))
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)*\})? -?[\d.e+-]+)$/);
});
