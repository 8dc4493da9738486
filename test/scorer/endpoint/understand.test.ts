import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { openEndpoint, type EndpointOptions, type OpenedEndpoint } from "../../../src/scorer/endpoint.ts";
import type { Batch, PixelChoice, Scorer } from "../../../src/types.ts";

interface Asked {
  readonly rows: readonly (readonly number[])[];
  readonly id: string | null;
}
interface Answered {
  readonly status?: number;
  readonly body: unknown;
}

const light = (row: readonly number[]): number => (row.reduce((a, b) => a + b, 0) > row.length / 2 ? 1 : 0);

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** A service that answers with what a function gives; every GET is 404. */
async function service(
  answer: (asked: Asked, body: string) => Answered,
): Promise<{ url: URL; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      if (request.method === "GET") return response.writeHead(404).end();
      const json = JSON.parse(body) as {
        data?: number[][];
        id?: string;
        inputs?: { shape: number[]; data: number[] }[];
      };
      const tensor = json.inputs?.[0];
      const width = tensor === undefined ? 0 : tensor.data.length / tensor.shape[0]!;
      const rows =
        json.data ??
        Array.from({ length: tensor?.shape[0] ?? 0 }, (_, i) =>
          tensor!.data.slice(i * width, (i + 1) * width),
        );
      const one = { rows, id: json.id ?? null };
      asked.push(one);
      const { status = 200, body: reply } = answer(one, body);
      return response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(reply));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/score`), asked };
}

/** Dark and light images of four pixels in turn. */
function images(count: number): Batch {
  return {
    indices: Uint32Array.from({ length: count }, (_, i) => i),
    labels: Uint8Array.from({ length: count }, (_, i) => i % 2),
    pixels: Uint8Array.from({ length: count * 4 }, (_, i) =>
      (i >> 2) % 2 === 0 ? i % 101 : 255 - (i % 101),
    ),
  };
}

const never = new AbortController().signal;
const UNIT: PixelChoice = { scale: "unit", invert: false, transpose: false };

async function opened(url: URL, probe: Batch, changes: Partial<EndpointOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-endpoint-"));
  const options: EndpointOptions = {
    url,
    protocol: "auto",
    model: null,
    layout: "auto",
    output: null,
    headers: {},
    key: null,
    secrets: [],
    requestImages: 20,
    maxRequestBytes: 1_000_000,
    concurrency: 2,
    timeoutMs: 5_000,
    retries: 1,
    waitMs: 1_000,
    seed: 1,
    journalFolder: folder,
    ...changes,
  };
  const endpoint = await openEndpoint(
    options,
    { shape: [2, 2], classes: ["dark", "light"] },
    probe,
    { onWait: () => {} },
    never,
  );
  onTestFinished(async () => {
    await endpoint.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return endpoint;
}

/** Until it is observed, ways to feed pixels are only tried. */
function mainRun(endpoint: OpenedEndpoint): Scorer {
  const scorer = endpoint.scorer(UNIT);
  scorer.traffic?.observe(() => {});
  return scorer;
}

const labels = ({ rows }: Asked): Answered => ({ body: rows.map(light) });

const oip = (id: string | null, rows: Asked["rows"]): Answered => ({
  body: {
    id,
    outputs: [{ name: "label", datatype: "INT64", shape: [rows.length], data: rows.map(light) }],
  },
});
const atModel = (url: URL): URL => new URL("/v2/models/m/infer", url);

describe("openEndpoint()", () => {
  test("understands a service that takes numbers between 0 and 1 only", async () => {
    const { url } = await service((asked) =>
      asked.rows.flat().every((number) => number >= 0 && number <= 1)
        ? labels(asked)
        : { status: 400, body: { message: "numbers must lie between 0 and 1" } },
    );
    const endpoint = await opened(url, images(40));
    const scores = await endpoint.scorer(UNIT).score(images(100), never);
    expect([...scores.labels]).toEqual([...images(100).labels]);
    expect(scores.failed).toBeUndefined();
  });

  test("understands a service that takes whole numbers only", async () => {
    const { url } = await service((asked, body) =>
      body.includes(".")
        ? { status: 422, body: { detail: "value is not a valid integer" } }
        : { body: asked.rows.map((row) => light(row.map((number) => number / 255))) },
    );
    const endpoint = await opened(url, images(40));
    const scores = await endpoint.scorer({ ...UNIT, scale: "raw" }).score(images(100), never);
    expect([...scores.labels]).toEqual([...images(100).labels]);
  });

  test("asks for no image twice that it has an answer for", async () => {
    const { url, asked } = await service(labels);
    const endpoint = await opened(url, images(40));
    const before = asked.length;
    await endpoint.scorer(UNIT).score(images(40), never);
    expect(asked.length).toBe(before);
    await endpoint.scorer(UNIT).score(images(60), never);
    expect(asked.slice(before).map(({ rows }) => rows.length)).toEqual([20]);
  });

  test("says of an image that is always refused that it has no answer, and with which request", async () => {
    const bad = [...images(60).pixels.subarray(200, 204)].map((pixel) => Math.fround(pixel / 255));
    const { url } = await service((asked) =>
      asked.rows.some((row) => row.every((number, i) => Math.fround(number) === bad[i]))
        ? { status: 400, body: { message: "a bad image" } }
        : labels(asked),
    );
    const endpoint = await opened(url, images(40));
    const { failed, labels: got } = await mainRun(endpoint).score(images(60), never);
    expect([...(failed ?? [])].map(([row, { reason }]) => [row, reason])).toEqual([
      [50, "400 Bad Request: a bad image"],
    ]);
    expect(failed?.get(50)?.request).toMatch(/^[0-9a-f-]{36}-\d+$/);
    expect([...got].filter((_, row) => row !== 50)).toEqual(
      [...images(60).labels].filter((_, row) => row !== 50),
    );
  });

  test("understands a service that refuses the very first image, and says so of that image alone", async () => {
    const bad = [...images(1).pixels].map((pixel) => Math.fround(pixel / 255));
    const { url } = await service((asked) => {
      const isBad = asked.rows.some(
        (row) => row.length !== 4 || row.every((number, i) => [bad[i], i].includes(Math.fround(number))),
      );
      return isBad ? { status: 400, body: { message: "a bad image" } } : labels(asked);
    });
    const endpoint = await opened(url, images(40));
    const { failed, labels: got } = await mainRun(endpoint).score(images(60), never);
    expect([...(failed ?? [])].map(([row, { reason }]) => [row, reason])).toEqual([
      [0, "400 Bad Request: a bad image"],
    ]);
    expect([...got.subarray(1)]).toEqual([...images(60).labels.subarray(1)]);
  });

  test("asks no other image of a service that is not there, or takes no POST", async () => {
    const { url, asked } = await service(() => ({ status: 405, body: { message: "no" } }));
    await expect(opened(url, images(40))).rejects.toThrow("405 Method Not Allowed");
    // Those of the first image, which is the darkest.
    const sent = asked.flatMap(({ rows }) => rows.flat(Infinity) as number[]);
    expect(Math.max(...sent)).toBeLessThanOrEqual(3);
  });

  test("asks for single images where the service takes no more", async () => {
    const { url } = await service((asked) =>
      asked.rows.length === 1 ? labels(asked) : { status: 400, body: { message: "one image at a time" } },
    );
    const endpoint = await opened(url, images(12));
    const { labels: got } = await endpoint.scorer(UNIT).score(images(12), never);
    expect([...got]).toEqual([...images(12).labels]);
  });

  test("says in which ways it tried in vain", async () => {
    const { url } = await service(() => ({ status: 400, body: { message: "no" } }));
    await expect(opened(url, images(12))).rejects.toThrow(
      `${url.href} takes no images: 400 Bad Request: no. Name how it takes them with --protocol, --layout or ` +
        "--model-name, and check that the URL is that of the model. They were sent as azureml data, azureml input_data, " +
        "azureml input_data columns, azureml Inputs predict_proba, azureml Inputs",
    );
  });

  test("takes the replies of a service that gives identities of its own", async () => {
    let count = 0;
    const { url } = await service(({ rows }) => oip(`own-${(count += 1)}`, rows));
    const endpoint = await opened(atModel(url), images(40));
    expect([...(await endpoint.scorer(UNIT).score(images(60), never)).labels]).toEqual([
      ...images(60).labels,
    ]);
  });

  test("takes no reply to another request where the service gives identities back", async () => {
    let mixed = false;
    const { url } = await service(({ id, rows }) => oip(mixed ? "another" : id, rows));
    const endpoint = await opened(atModel(url), images(40));
    mixed = true;
    const { failed } = await mainRun(endpoint).score(images(42), never);
    expect(
      [...(failed ?? [])].map(([row, { reason }]) => [row, reason.replace(/not [0-9a-f-]+-\d+/, "not ID")]),
    ).toEqual(
      [40, 41].map((row) => [
        row,
        "the reply is to another request: its id is another, not ID (after 2 attempts)",
      ]),
    );
  });
});
