import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";

import { describe, expect, onTestFinished, test } from "vitest";

import { memory, scene } from "./scene.ts";

const { bare, path } = scene();

/** Requests until it is understood. */
const TRIAL = 5;
/** 60 MB of rows such as are asked for. */
const ROWS = Buffer.from(`[${"[0,1,2,3,4,5,6,7,8,9],".repeat(2_700_000)}[]]`);

/** A service that labels everything 0, until it has been asked so often: then it answers as a test says. */
async function turning(hostile: (response: ServerResponse) => void, after = TRIAL): Promise<string> {
  let requests = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.method === "GET") response.end("Healthy");
      else if (++requests > after) hostile(response);
      else {
        const { data } = JSON.parse(Buffer.concat(chunks).toString()) as { readonly data: unknown[] };
        response.end(JSON.stringify(data.map(() => 0)));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/score`;
}

const raw = (text: string) => (response: ServerResponse) => void response.socket!.end(text);
const packed = (encoding: string, body: Buffer) => (response: ServerResponse) =>
  void response.setHeader("Content-Encoding", encoding).end(body);
const text = (body: string) => (response: ServerResponse) => void response.end(body);

const ATTACKS: readonly (readonly [string, (response: ServerResponse) => void, RegExp])[] = [
  [
    "60 MB of JSON",
    (response) => void response.end(ROWS),
    /too large: [\d,]+ bytes where at most [\d,]+ bytes are read/,
  ],
  ["60 MB in a gzip", packed("gzip", gzipSync(ROWS)), /too large: [\d,]+ bytes of gzip unpack to more than/],
  [
    "60 MB in a deflate",
    packed("deflate", deflateSync(ROWS)),
    /too large: [\d,]+ bytes of deflate unpack to/,
  ],
  [
    "60 MB in a br",
    packed("br", brotliCompressSync(ROWS, { params: { 1: 1 } })),
    /too large: [\d,]+ bytes of br/,
  ],
  [
    "lists 100,000 deep",
    text(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)},"b":1}`),
    /nested more than 64 deep/,
  ],
  [
    "objects 20,000 deep",
    text(`${'{"message":'.repeat(20_000)}1${"}".repeat(20_000)}`),
    /nested more than 64 deep/,
  ],
  [
    "an object of 12,000 fields",
    text(`{${Array.from({ length: 12_000 }, (_, i) => `"k${i}":${i}`).join(",")}}`),
    /an object of more than 10,000 fields/,
  ],
  ["a label of 50,000 characters", text(JSON.stringify(["x".repeat(50_000)])), /the service.s label “x/],
  ["a status of 099", raw("HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\n[]"), /no reply has its status/],
  [
    "Content-Length twice",
    raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n[]"),
    /its Content-Length is not/,
  ],
  [
    "Content-Length with chunks",
    raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"),
    /its Content-Length is not/,
  ],
];

describe("a service that turns to", () => {
  test.each(ATTACKS)("%s is told for what it is, in little memory, with 4", async (_, hostile, reason) => {
    const { env, peakMb } = memory(path("memory"));
    const url = await turning(hostile);
    const { code, stderr } = await bare(["--endpoint", url, "--limit", "100", "--retries", "1"], { env });
    expect({ code, stderr }).toEqual({ code: 4, stderr: expect.stringMatching(reason) as string });
    expect(peakMb()).toBeLessThan(200);
  });
});

const GO_ON = "run the same command again: it goes on from there";

/** A byte of a reply every 50 ms, without an end. */
function drip(response: ServerResponse): void {
  response.writeHead(200);
  const dripping = setInterval(() => response.write(" "), 50);
  response.on("close", () => clearInterval(dripping));
}

describe.each([
  ["from its first image on", 0],
  ["after some answers", TRIAL],
])("a hopeless service, %s,", (_, after) => {
  test.each<readonly [string, (response: ServerResponse) => void, RegExp]>([
    ["that answers a byte at a time", drip, /\d+ × stalled/],
    ["that never answers", () => {}, /\d+ × timeout/],
    ["that is always full", (response) => void response.writeHead(429).end(), /\d+ × 429/],
  ])("%s ends the run soon, with what was seen", async (_name, hostile, seen) => {
    const url = await turning(hostile, after);
    const limits = ["--timeout", "0.5", "--wait", "1.5", "--retries", "100", "--batch-size", "10"];
    const { code, stderr } = await bare(["--endpoint", url, "--limit", "200", ...limits]);
    expect({ code, stderr }).toEqual({
      code: 4,
      stderr: expect.stringMatching(
        new RegExp(
          `^mnist-evaluate: no request has been answered for [\\d.]+ s: ${seen.source}; the last reason was: .*\\. ` +
            `Once the service answers again, ${GO_ON}\\. A run without an answer goes on for longer with --wait\n$`,
        ),
      ) as string,
    });
  });

  test("that asks for 31 years ends it at once", async () => {
    let asked = 0;
    const url = await turning((response) => {
      asked++;
      response.writeHead(429, { "Retry-After": "999999999" }).end();
    }, after);
    const { code, stderr } = await bare(["--endpoint", url, "--limit", "200", "--concurrency", "1"]);
    expect({ code, stderr }).toEqual({
      code: 4,
      stderr:
        "mnist-evaluate: the service asks to wait for 999,999,999 s (429 Too Many Requests), but a run ends after 60 s without an answer: " +
        `${GO_ON} once that time is over, or with a longer --wait\n`,
    });
    expect(asked).toBe(1);
  });
});
