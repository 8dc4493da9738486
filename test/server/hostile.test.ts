import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "vitest";

import { seededRandom, type Random } from "../../src/random.ts";
import { mnist } from "../train/mnist.ts";
import { residentMegabytes, start } from "./process.ts";
import { ask } from "./scene.ts";

const REQUESTS = Number(process.env["HOSTILE_REQUESTS"] ?? 2000);
const SEED = Number(process.env["HOSTILE_SEED"] ?? 1);
const AT_ONCE = 16;
const ALLOWED_GROWTH = 1.2;
const KEY = "hostile-test-key-0123456789";

/** A real digit, because the model has no scores for what is nothing like one. */
const ROW = `[${[0.5, ...Array.from(mnist("test", 1).pixels.subarray(1), (x) => x / 255)].join(", ")}]`;
const SOUND = `{"data": [${ROW}]}`;
const AUTHORIZED = `Authorization: Bearer ${KEY}\r\n`;

/** A request as bytes, and the statuses that it may be answered with; none: the connection is closed without an answer. */
interface Hostile {
  readonly bytes: string | Buffer;
  readonly statuses: readonly number[];
  /** Bytes at a time, with a pause after each. */
  readonly drip?: number;
  /** The sender goes away after it has sent so many bytes. */
  readonly abortAfter?: number;
}

const post = (
  body: string,
  { path = "/score", headers = "", length = Buffer.byteLength(body) } = {},
): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${AUTHORIZED}${headers}Content-Length: ${length}\r\n\r\n${body}`;
const pick = <T>(items: readonly T[], random: Random): T => items[random.below(items.length)]!;
const junk = (length: number, random: Random): Buffer =>
  Buffer.from(Array.from({ length }, () => random.below(256)));

const PATHS = ["/score", "/v1/models/mnist-logreg:predict", "/v2/models/mnist-logreg/infer", "/invocations"];
const NO_JSON = [
  "{",
  "[",
  '{"data"',
  '{"data":',
  "nul",
  "{]",
  '{"data": [[}',
  "\u0000",
  '"',
  "}{",
  "{'data': []}",
  "\uFEFF{}",
  "-",
  "1e",
  '{"a" "b"}',
  "[[[",
  "[1,,2]",
];
const NO_IMAGES = [
  "{}",
  "[]",
  "1",
  "null",
  '"x"',
  '{"data": {}}',
  '{"data": []}',
  '{"data": [[]]}',
  '{"data": [[[]]]}',
  '{"data": [1]}',
  '{"inputs": 1}',
  '{"instances": "x"}',
  '{"inputs": [{}]}',
  '{"inputs": [{"shape": [1e9, 784], "datatype": "FP32", "data": []}]}',
  '{"inputs": [{"shape": [-1], "datatype": "FP32"}]}',
  '{"__proto__": {"data": 1}}',
  '{"dataframe_split": []}',
];
const NO_NUMBERS = [
  "null",
  "true",
  '"0.5"',
  "NaN",
  "Infinity",
  "-Infinity",
  "1e999",
  "-1e999",
  "{}",
  "[]",
  "1e40",
  "9".repeat(400),
  "01",
  ".5",
  "+1",
  "0x10",
  "1_0",
  "--1",
  "\u0661",
];

/** A body with something wrong at a random place. */
function mutated(random: Random): string {
  const at = random.below(SOUND.length);
  const change = pick(["", "x", "[", "]", ",", "{", '"', "e", "-", "\u0000", "é", ":"], random);
  return SOUND.slice(0, at) + change + SOUND.slice(at + random.below(4));
}

const KINDS: readonly ((random: Random) => Hostile)[] = [
  (random) => ({ bytes: post(pick(NO_JSON, random), { path: pick(PATHS, random) }), statuses: [400] }),
  (random) => ({ bytes: post(pick(NO_IMAGES, random), { path: pick(PATHS, random) }), statuses: [400] }),
  (random) => ({ bytes: post(SOUND.replace("0.5", pick(NO_NUMBERS, random))), statuses: [400] }),
  (random) => ({
    bytes: post(mutated(random), { path: pick(PATHS.slice(0, 2), random) }),
    statuses: [200, 400],
  }),
  (random) => ({
    bytes: post(`{"data": [${`${ROW},`.repeat(random.below(5))}[${"0,".repeat(random.below(1600))}0]]}`),
    statuses: [200, 400],
  }),
  (random) => ({
    bytes: post(pick(["[", '{"a":', '{"data":[', "[[["], random).repeat(1 + random.below(20_000))),
    statuses: [400],
  }),
  (random) => ({
    bytes: post(`{"${"k".repeat(random.below(20_000))}": "${"v".repeat(random.below(20_000))}"}`),
    statuses: [400],
  }),
  (random) => ({ bytes: post(`[${'"",'.repeat(1 + random.below(40_000))}""]`), statuses: [400] }),
  (random) => ({ bytes: post(`{"data": [[${"1".repeat(1 + random.below(20_000))}]]}`), statuses: [400] }),
  (random) => ({
    bytes: post("", { length: pick([200_001, 2 ** 31, Number.MAX_SAFE_INTEGER], random) }),
    statuses: [413],
  }),
  (random) => ({
    bytes: post(SOUND, { headers: `Content-Encoding: ${pick(["deflate", "br", "x"], random)}\r\n` }),
    statuses: [415],
  }),
  (random) => ({ bytes: post(SOUND, { path: `/${junk(8, random).toString("hex")}` }), statuses: [404] }),
  (random) => ({
    bytes: post(SOUND, {
      path: pick(["/score?pixels=x", "/score?probabilities=2", "/score?pixels=0-255"], random),
    }),
    statuses: [400],
  }),
  (random) => ({
    bytes: post(SOUND, {
      path: pick(
        ["/%", "/%ff", "/../score", "//score", "/score/", "/v2/models/%2e%2e/infer", "http://x/score"],
        random,
      ),
    }),
    statuses: [200, 400, 404],
  }),
  (random) => ({
    bytes: post(SOUND).replace("POST", pick(["PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"], random)),
    statuses: [405],
  }),
  (random) => ({
    bytes: post(SOUND).replace(
      AUTHORIZED,
      pick(
        [
          "",
          "Authorization: Basic x\r\n",
          "Authorization: Bearer\r\n",
          `Authorization: Bearer ${KEY.slice(1)}\r\n`,
        ],
        random,
      ),
    ),
    statuses: [401],
  }),
  (random) => ({
    bytes: post(SOUND, { headers: `X-A: ${"x".repeat(17_000 + random.below(9000))}\r\n` }),
    statuses: [431],
  }),
  (random) => ({
    bytes: post(SOUND, {
      headers: pick(
        [
          "Bad Header: 1\r\n",
          "X: a\u0000b\r\n",
          "Content-Length: 5\r\n",
          "Transfer-Encoding: chunked\r\n",
          "Expect: nothing\r\n",
        ],
        random,
      ),
    }),
    statuses: [400, 417],
  }),
  (random) => ({
    bytes: Buffer.concat([junk(1 + random.below(200), random), Buffer.from("\r\n\r\n")]),
    statuses: [400],
  }),
  (random) => ({
    bytes: post(SOUND, {
      headers: `Inference-Header-Content-Length: ${pick(["-1", "x", "1e3", "999999999999", "99999"], random)}\r\n`,
      path: PATHS[2]!,
    }),
    statuses: [400],
  }),
  (random) => ({
    bytes: post(SOUND.slice(0, 1 + random.below(900))),
    abortAfter: 100 + random.below(900),
    statuses: [],
  }),
  (random) => ({ bytes: post(SOUND), drip: 500 + random.below(2000), statuses: [200] }),
  (random) => ({
    bytes: post(SOUND, {
      headers: "Expect: 100-continue\r\n",
      length: pick([SOUND.length, 300_000], random),
    }),
    statuses: [200, 413],
  }),
  () => ({ bytes: post(SOUND.slice(0, 500), { length: SOUND.length }), statuses: [408] }),
  () => ({ bytes: post(SOUND), statuses: [200] }),
];

/** The last status of what a server answers, null where it closes without an answer. */
function send(url: string, { bytes, drip, abortAfter }: Hostile): Promise<number | null> {
  const { hostname, port } = new URL(url);
  const all = Buffer.from(bytes as string);
  return new Promise((resolve) => {
    let got = "";
    const socket = connect(Number(port), hostname);
    socket.on("connect", () => {
      if (abortAfter !== undefined) socket.write(all.subarray(0, abortAfter), () => socket.destroy());
      else if (drip === undefined) socket.write(all);
      else void trickle();
    });
    const trickle = async (): Promise<void> => {
      for (let at = 0; at < all.length; at += drip!) {
        socket.write(all.subarray(at, at + drip!));
        await sleep(2);
      }
    };
    socket.on("data", (piece) => (got += piece.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => {
      const statuses = [...got.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
      resolve(statuses.findLast((status) => status !== 100) ?? null);
    });
  });
}

test(`${REQUESTS} hostile requests: each has the right status, nothing crashes, and memory comes back`, async () => {
  const served = await start(["--timeout", "1", "--max-request-bytes", "200000", "--api-key-env", "KEY"], {
    KEY,
  });
  const random = seededRandom(SEED);
  const headers = { Authorization: `Bearer ${KEY}` };
  const wrong: string[] = [];
  let sent = 0;
  const attack = async (requests: number): Promise<void> => {
    const last = sent + requests;
    const one = async (): Promise<void> => {
      while (sent < last) {
        const hostile = KINDS[sent++ % KINDS.length]!(random);
        const status = await send(served.url, hostile);
        const right = status === null ? hostile.statuses.length === 0 : hostile.statuses.includes(status);
        if (!right)
          wrong.push(
            `${status}, not ${hostile.statuses.join(" or ")}: ${hostile.bytes.toString("latin1").slice(0, 300)}`,
          );
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    // What was cut takes until its time-out to be given up.
    await sleep(1500);
  };
  // What any requests set aside once is no leak.
  await attack(Math.ceil(REQUESTS / 4));
  const before = residentMegabytes(served);
  await attack(REQUESTS);
  const after = residentMegabytes(served);
  expect(wrong).toEqual([]);
  expect(await ask(`${served.url}/score`, { headers, body: SOUND })).toMatchObject({ status: 200 });
  const metrics = (await ask(`${served.url}/metrics`, { headers })).body;
  for (const reading of ["requests_in_flight 0", "queued_images 0", "pending_bytes 0"])
    expect(metrics).toContain(`\nmnist_evaluate_${reading}\n`);
  console.log(`${REQUESTS} hostile requests: ${before?.toFixed(0)} MB before, ${after?.toFixed(0)} MB after`);
  // Without /proc there is nothing to compare.
  expect(after ?? 0).toBeLessThan((before ?? 1) * ALLOWED_GROWTH);
  served.child.kill("SIGTERM");
  expect(await served.ended).toBe(0);
  expect(served.stderr()).not.toContain(KEY);
  expect(served.stderr()).not.toContain('"level":"error"');
}, 900_000);
