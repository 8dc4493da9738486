import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, onTestFinished, test } from "vitest";

import { ScorerError } from "../../src/errors.ts";

import { mnist } from "../train/mnist.ts";
import { residentMegabytes, start } from "./process.ts";
import { ask, fakeEngine, serve } from "./scene.ts";

const json = (value: unknown): string => JSON.stringify(value);
const ONE = '{"data": [[1, 0, 0, 0]]}';
const DIGIT = json({ data: [Array.from(mnist("test", 1).pixels, (x) => x / 255)] });

describe("memory in proportion to the body", () => {
  const spaces = " ".repeat(400_000);

  test.each([
    ["short lists in a mixed one", `{"data": ["x", ${"[1], ".repeat(18_999)}[1]]${spaces}}`],
    ["short lists in objects", `{"data": [${'{"a": [1]}, '.repeat(4_900)}{}]${spaces}}`],
  ])("%s", async (_what, body) => {
    const served = await start(["--log", "silent"]);
    expect(await ask(`${served.url}/score`, { body: DIGIT })).toMatchObject({ body: "[7]" });
    const before = residentMegabytes(served);
    expect((await ask(`${served.url}/score`, { body })).status).toBe(400);
    // Without /proc there is nothing to compare.
    expect((residentMegabytes(served) ?? 0) - (before ?? 0)).toBeLessThan(100);
  });
});

describe("fields beside the data", () => {
  test.each([
    "[1, 2, null]",
    '[["a", 1], [2]]',
    "[[1, 2], [3]]",
    '[1, {"a": [2, "b"]}]',
    "[[1, [2]], []]",
    "[1e999]",
  ])("%s does not matter", async (field) => {
    const { url } = await serve({}, fakeEngine());
    const body = `{"meta": ${field}, "data": [[1, 0, 0, 0]], "more": ${field}}`;
    expect(await ask(`${url}/score`, { body })).toMatchObject({ status: 200, body: "[1]" });
  });

  test("the data itself is still refused by row and column", async () => {
    const { url } = await serve({}, fakeEngine());
    const body = `{"meta": [1, "a"], "data": [[1, 0, 0, 0], [1, 0, "x", 0]]}`;
    expect(await ask(`${url}/score`, { body })).toMatchObject({
      status: 400,
      body: json({ message: '"data": row 1, column 2 is a string, but must be a number' }),
    });
  });
});

test("an output that is asked for 6,500 times is refused", async () => {
  const { url } = await serve({}, fakeEngine());
  const inputs = [{ name: "x", shape: [1, 4], datatype: "FP32", data: [1, 0, 0, 0] }];
  const outputs = Array.from({ length: 6_500 }, () => ({ name: "label" }));
  expect(await ask(`${url}/v2/models/mnist/infer`, { body: json({ inputs, outputs }) })).toMatchObject({
    status: 400,
    body: json({ error: '"outputs" asks for "label" twice' }),
  });
});

/** A connection that sends bytes, and collects what comes back while it is not paused. */
function speak(url: string, bytes: string, paused = false) {
  const { hostname, port } = new URL(url);
  const socket: Socket = connect(Number(port), hostname, () => socket.write(bytes));
  onTestFinished(() => void socket.destroy());
  let got = "";
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(got)));
  socket.on("error", () => {});
  socket.on("data", (piece) => (got += piece.toString("latin1")));
  if (paused) socket.pause();
  return { socket, closed, got: () => got };
}

const post = (length: number, body: string): string =>
  `POST /score?probabilities=1 HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n${body}`;

describe("slow senders", () => {
  test("four that announce 100 MB and send a byte keep nobody out, and are closed before the time-out", async () => {
    const { url } = await serve({ maxRequestBytes: 100_000_000 }, fakeEngine());
    const slow = Array.from({ length: 4 }, () => speak(url, post(100_000_000, "{")));
    await sleep(200);
    expect(await ask(`${url}/score`, { body: ONE })).toMatchObject({ status: 200, body: "[1]" });
    for (const { closed } of slow) {
      const said = await closed;
      expect(said).toMatch(/^HTTP\/1\.1 408 [^]*Retry-After: 1\r\n/);
      expect(said).toContain(json({ message: "the body came at less than 1000 bytes a second" }));
    }
    expect((await ask(`${url}/metrics`)).body).toContain("\nmnist_evaluate_pending_bytes 0\n");
  });

  test("who would hold more than all bodies may is refused when it does, and the others go on", async () => {
    const { url } = await serve({ maxRequestBytes: 1000 }, fakeEngine());
    const begun = ONE.slice(0, -1).padEnd(900);
    const four = Array.from({ length: 4 }, () => speak(url, post(901, begun)));
    await sleep(200);
    const chunk = `${(250).toString(16)}\r\n${begun.slice(0, 250)}\r\n`;
    const head = "POST /score HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    const fifth = speak(url, head + chunk);
    await sleep(200);
    expect(fifth.got()).toBe("");
    fifth.socket.write(`${(250).toString(16)}\r\n${" ".repeat(250)}\r\n`);
    while (fifth.got() === "") await sleep(10);
    expect(fifth.got()).toMatch(/^HTTP\/1\.1 429 [^]*Retry-After: 1\r\n/);
    for (const { socket, got } of four) {
      socket.write("}");
      while (got() === "") await sleep(10);
      expect(got()).toMatch(/^HTTP\/1\.1 200 /);
    }
  });
});

describe("a reply of 10 MB that is read slowly", () => {
  const images = 250_000;
  const body = `{"data": [${"[1,0,0,0],".repeat(images - 1)}[1,0,0,0]]}`;
  const row = "[0.333333343, 0.333333343, 0.333333343]";
  /** The service stops while the model is at it, and the reader takes nothing of the answer yet. */
  const stopping = async (timeoutMs: number) => {
    let [begin, release] = [(): void => {}, (): void => {}];
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const released = new Promise<void>((resolve) => (release = resolve));
    const engine = fakeEngine(async (_rows, count) => {
      begin();
      await released;
      return { labels: new Uint8Array(count), probabilities: new Float32Array(count * 3).fill(1 / 3) };
    });
    const scene = await serve({ maxRequestBytes: 20_000_000, timeoutMs }, engine);
    const reader = speak(scene.url, post(body.length, body), true);
    await begun;
    const stopped = scene.stop();
    release();
    return { reader, stopped, logged: () => scene.logged() };
  };

  test("is written to its end when the service stops", async () => {
    const { reader, stopped, logged } = await stopping(20_000);
    await sleep(1500);
    reader.socket.resume();
    await stopped;
    const said = await reader.closed;
    expect(said.length - said.indexOf("[[")).toBe((row.length + 2) * images);
    expect(logged().at(-1)).toMatchObject({ message: "stopped", requestsCut: 0 });
  });

  test("is cut once the request has taken too long, and counted", async () => {
    const { stopped, logged } = await stopping(6_000);
    await expect(stopped).rejects.toThrow(
      new ScorerError("1 request had no answer in time: allow more with --timeout"),
    );
    expect(logged().at(-1)).toMatchObject({ message: "stopped", requestsCut: 1 });
    expect(logged().find(({ path }) => path === "/score")).toMatchObject({ status: 499, cut: true });
  });
});

test("what a model's failure says is shown in the log, bidi overrides and line separators too", async () => {
  const text = "\u202egpj.exe\u2066\u2028::error::\u0007\ufeff";
  const { url, logText, logged } = await serve(
    {},
    fakeEngine(() => Promise.reject(new Error(text))),
  );
  await ask(`${url}/score`, { body: ONE });
  expect(logged().find(({ level }) => level === "error")).toMatchObject({
    error: expect.stringContaining(text) as string,
  });
  for (const line of logText().trimEnd().split("\n")) expect(line).toMatch(/^\{[\x20-\x7e]*\}$/);
});

test("a request with two Host headers is 400, and its connection is closed", async () => {
  const { url } = await serve({}, fakeEngine());
  const said = await speak(url, "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n").closed;
  expect(said).toMatch(/^HTTP\/1\.1 400 Bad Request/);
  expect(said).toContain(json({ message: "the request has two Host headers: send one" }));
});
