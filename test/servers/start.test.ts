import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { get } from "node:https";
import type { IncomingMessage } from "node:http";
import { fileURLToPath } from "node:url";

import { expect, onTestFinished, test } from "vitest";

import { ask, LOGREG, pixelsOf, scoreLocally, unitRows } from "./scene.ts";
import type { SceneOptions } from "./scene.ts";
import { imageDigest, startServer } from "./start.ts";
import type { Kind, StartedServer } from "./start.ts";

const post = async (url: string, rows: number[][], headers: Record<string, string> = {}) =>
  await ask(url, JSON.stringify({ data: rows }), { "Content-Type": "application/json", ...headers });

/** A server in its own process, which is gone after the test. */
async function server(kind: Kind, options: SceneOptions = {}): Promise<StartedServer> {
  const started = await startServer(kind, { model: LOGREG, ...options });
  onTestFinished(async () => await started.stop());
  return started;
}

const name = (index: number): string => imageDigest(pixelsOf(index));
const scaled = (scale: (pixel: number) => number): number[][] => [Array.from(pixelsOf(7), scale)];

test("counts() tells requests, images by digest, bytes, headers and connections", async () => {
  const { scoreUrl, url, counts } = await server("azureml");
  await ask(`${url}/`, null, {});
  await post(scoreUrl, unitRows(3), { "User-Agent": "test/1", "X-Request-Id": "one" });
  await post(scoreUrl, unitRows(2), { Authorization: "Bearer secret" });
  const seen = await counts();
  expect(seen).toMatchObject({
    requests: 3,
    scoringRequests: 2,
    images: 5,
    received: { [name(0)]: 2, [name(1)]: 2, [name(2)]: 1 },
    answered: { [name(0)]: 2, [name(1)]: 2, [name(2)]: 1 },
    bytesReceived:
      JSON.stringify({ data: unitRows(3) }).length + JSON.stringify({ data: unitRows(2) }).length,
    bytesSent: "Healthy".length + "[7, 2, 1]".length + "[7, 2]".length,
    connections: 3,
    statuses: { "200": 3 },
    authorizations: 1,
  });
  expect(seen.headers["user-agent"]).toEqual(["test/1"]);
  expect(seen.log.map(({ requestId, images }) => [requestId, images])).toEqual([
    [null, 0],
    ["one", 3],
    [null, 2],
  ]);
  expect(JSON.stringify(seen)).not.toContain("secret");
});

test("the digest of an image is the same in every scale", async () => {
  const { scoreUrl, counts } = await server("azureml");
  await post(
    scoreUrl,
    scaled((pixel) => pixel),
  );
  await post(
    scoreUrl,
    scaled((pixel) => pixel / 127.5 - 1),
  );
  await post(
    scoreUrl,
    scaled((pixel) => Math.fround((pixel / 255 - 0.1307) / 0.3081)),
  );
  await post(scoreUrl, unitRows(1, 7));
  expect((await counts()).received).toEqual({ [imageDigest(pixelsOf(7))]: 4 });
});

test("with a key, others are answered 401 and nothing is scored", async () => {
  const { scoreUrl, counts } = await server("azureml", { key: "right" });
  expect(await post(scoreUrl, unitRows(1))).toMatchObject({
    status: 401,
    body: `{"message": "Unauthorized"}`,
  });
  expect((await post(scoreUrl, unitRows(1), { Authorization: "Bearer wrong" })).status).toBe(401);
  expect((await post(scoreUrl, unitRows(1), { Authorization: "Bearer right" })).body).toBe("[7]");
  expect(await counts()).toMatchObject({ unauthorized: 2, authorizations: 2, images: 1 });
});

test("readyAfterMs refuses connections until the model is there", async () => {
  const { scoreUrl } = await server("azureml", { readyAfterMs: 700 });
  await expect(post(scoreUrl, unitRows(1))).rejects.toThrow("ECONNREFUSED");
  await new Promise((resolve) => setTimeout(resolve, 900));
  expect((await post(scoreUrl, unitRows(1))).body).toBe("[7]");
});

test("workers: 1 lets the second request wait, and delayMs makes both slow", async () => {
  const { scoreUrl, counts } = await server("azureml", { workers: 1, delayMs: 200 });
  const start = performance.now();
  await Promise.all([post(scoreUrl, unitRows(1)), post(scoreUrl, unitRows(1))]);
  expect(performance.now() - start).toBeGreaterThan(380);
  expect(await counts()).toMatchObject({ peakConnections: 2, peakRequests: 2 });
});

test("maxBytes: 413 above", async () => {
  const { scoreUrl } = await server("azureml", { maxBytes: 10_000 });
  expect((await post(scoreUrl, unitRows(10))).status).toBe(413);
  expect((await post(scoreUrl, unitRows(1))).status).toBe(200);
});

test("the answers are onnxruntime's for 1,000 images", async () => {
  const { labels } = await scoreLocally(LOGREG, 1000);
  const { scoreUrl } = await server("azureml");
  expect((await post(scoreUrl, unitRows(1000))).body).toBe(`[${labels.join(", ")}]`);
});

test("tls: serves HTTPS with the certificate that it is given", async () => {
  const folder = fileURLToPath(new URL("../fixtures/tls/", import.meta.url));
  const tls = { key: `${folder}key.pem`, cert: `${folder}certificate.pem` };
  const { url } = await server("azureml", { tls });
  expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  const [reply] = (await once(get(`${url}/`, { ca: readFileSync(tls.cert) }), "response")) as [
    IncomingMessage,
  ];
  expect(reply.statusCode).toBe(200);
  reply.resume();
});

test("serve.mjs in a shell: the first line is the address, faults come by --fault, SIGTERM prints the counts", async () => {
  const serve = fileURLToPath(new URL("serve.mjs", import.meta.url));
  const fault = "429-seconds,rate=1,total=1,value=7";
  const child = spawn(process.execPath, [serve, "azureml", "--model", LOGREG, "--fault", fault]);
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  child.stdout.on("data", (data: Buffer) => void (output += data.toString()));
  await once(child.stdout, "data");
  const scoreUrl = output.trim();
  expect((await post(scoreUrl, unitRows(1))).headers).toContain("Retry-After: 7");
  expect((await post(scoreUrl, unitRows(1))).body).toBe("[7]");
  child.kill("SIGTERM");
  await once(child, "close");
  expect(JSON.parse(output.slice(scoreUrl.length))).toMatchObject({
    statuses: { "200": 1, "429": 1 },
    faults: { "429-seconds": 1 },
    distinctImages: { received: 1, answered: 1 },
  });
});
