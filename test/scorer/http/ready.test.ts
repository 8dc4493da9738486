import { describe, expect, test } from "vitest";

import { ScorerError } from "../../../src/errors.ts";
import { HttpFailure, type FailureKind } from "../../../src/scorer/http/failure.ts";
import { waitUntilReady } from "../../../src/scorer/http/ready.ts";
import type { HttpReply } from "../../../src/scorer/http/transport.ts";

type Answer = number | HttpReply | HttpFailure;

const REFUSED = new HttpFailure("refused", "the connection was refused");

interface Heard {
  readonly asked: string[];
  readonly waits: string[];
  readonly pauses: number[];
}

/** Waits for a service that gives these answers to each path in turn, the last one for ever. */
async function wait(
  answers: Readonly<Record<string, readonly Answer[]>>,
  limitMs = 60_000,
  signal = new AbortController().signal,
): Promise<Heard> {
  const heard: Heard = { asked: [], waits: [], pauses: [] };
  let time = 0;
  const ask = async (path: string): Promise<HttpReply> => {
    heard.asked.push(path);
    const own = answers[path]!;
    const times = heard.asked.filter((asked) => asked === path).length;
    const answer = own[Math.min(times, own.length) - 1]!;
    if (answer instanceof Error) throw answer;
    return await Promise.resolve(typeof answer === "number" ? reply(answer) : answer);
  };
  await waitUntilReady(ask, Object.keys(answers), {
    limitMs,
    signal,
    onWait: (answer, waitedMs) => heard.waits.push(`${waitedMs}: ${answer}`),
    now: () => time,
    sleep: async (ms) => {
      heard.pauses.push(ms);
      time += ms;
      await Promise.resolve();
    },
  });
  return heard;
}

function reply(status: number, body = ""): HttpReply {
  return {
    status,
    headers: {},
    body: Buffer.from(body),
    elapsedMs: 1,
    bytesReceived: 0,
    redirected: null,
    withoutKey: false,
  };
}

describe("waitUntilReady(ask, paths, waiting)", () => {
  test("asks once where the service is ready", async () => {
    expect(await wait({ "/ready": [200], "/ping": [200] })).toEqual({
      asked: ["/ready"],
      waits: [],
      pauses: [],
    });
  });

  test("waits while it refuses, loads or fails, up to 2 s at a time", async () => {
    const { waits, pauses } = await wait({ "/ready": [REFUSED, REFUSED, 503, 400, 500, 502, 429, 204] });
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 2000, 2000]);
    expect(waits.slice(1, 4)).toEqual([
      "100: GET /ready: the connection was refused",
      "300: GET /ready: 503 Service Unavailable",
      "700: GET /ready: 400 Bad Request",
    ]);
  });

  test("asks the next path where one is not there, and does not come back to it", async () => {
    const { asked } = await wait({ "/v2/ready": [404], "/ready": [405], "/ping": [503, 200] });
    expect(asked).toEqual(["/v2/ready", "/ready", "/ping", "/ping"]);
  });

  test("takes TensorFlow Serving's 400 for a path that is not there", async () => {
    const malformed = reply(400, `{ "error": "Malformed request: GET /v2/ready" }`);
    expect((await wait({ "/v2/ready": [malformed], "/ready": [200] })).asked).toEqual([
      "/v2/ready",
      "/ready",
    ]);
  });

  test("takes any answer where no path is there", async () => {
    expect((await wait({ "/ready": [REFUSED, 404], "/ping": [501] })).asked).toEqual([
      "/ready",
      "/ready",
      "/ping",
    ]);
    expect((await wait({})).asked).toEqual([]);
  });

  test("takes the next path where one is redirected to another host, which says nothing of this one", async () => {
    const elsewhere = new HttpFailure("redirect", "to another host");
    expect((await wait({ "/": [elsewhere], "/ping": [503, 200] })).asked).toEqual(["/", "/ping", "/ping"]);
    expect((await wait({ "/": [elsewhere] })).waits).toEqual([]);
  });

  test.each([401, 403, 302, 418])("takes %i for ready", async (status) => {
    expect((await wait({ "/ready": [status] })).waits).toEqual([]);
  });

  test("takes 400 for ready but where MLServer says so that it loads", async () => {
    expect((await wait({ "/": [400] })).waits).toEqual([]);
  });

  test("says after the limit what the last answer was", async () => {
    await expect(wait({ "/ready": [REFUSED, 503] }, 1000)).rejects.toThrow(
      new ScorerError(
        "the service was not ready within 1 s, the last answer was GET /ready: 503 Service Unavailable. " +
          "Is it running, and is --endpoint right? A longer wait is set with --wait",
      ),
    );
    await expect(wait({ "/ready": [REFUSED] }, 0)).rejects.toThrow(
      new ScorerError(
        "the service was not ready within 0 s, the last answer was GET /ready: the connection was refused. " +
          "Is it running, and is --endpoint right? A longer wait is set with --wait",
      ),
    );
  });

  test("asks for the model where it is one that is not ready", async () => {
    await expect(wait({ "/v2/models/mnist/ready": [400] }, 0)).rejects.toThrow(
      new ScorerError(
        "the service was not ready within 0 s, the last answer was GET /v2/models/mnist/ready: 400 Bad Request. " +
          "Does it have the model mnist, and is --endpoint right? A longer wait is set with --wait",
      ),
    );
  });

  test("asks for the last time at the limit", async () => {
    expect((await wait({ "/ready": [503, 503, 503, 503, 200] }, 1000)).pauses).toEqual([100, 200, 400, 300]);
  });

  test.each([
    ["unreachable", "the host nowhere is not known", "ENOTFOUND"],
    ["unreachable", "the name of the host nowhere could not be looked up", "EAI_AGAIN"],
    ["unreachable", "the proxy answered 407 Proxy Authentication Required", "PROXY_407"],
    ["tls", "the certificate of a.test is self-signed", "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["malformed", "what came back is not HTTP/1.1", "NOT_HTTP"],
  ] as const)("does not wait where it is %s: %s", async (kind, message, code) => {
    const { error } = await ended(wait({ "/ready": [new HttpFailure(kind, message, { code })] }));
    expect(error).toEqual(new ScorerError(`the service cannot be used: ${message}`));
  });

  test.each(["unreachable", "reset", "closed", "timeout", "stalled", "malformed"] as const)(
    "waits where it is %s",
    async (kind: FailureKind) => {
      const { waits } = await wait({ "/ready": [new HttpFailure(kind, "in words"), 200] });
      expect(waits).toEqual(["0: GET /ready: in words"]);
    },
  );

  test("ends with the signal's reason, and with what is no failure of HTTP", async () => {
    const reason = new Error("Ctrl-C");
    await expect(wait({ "/ready": [503] }, 1000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const bug = new TypeError("bug") as unknown as HttpFailure;
    await expect(wait({ "/ready": [bug] })).rejects.toBe(bug);
  });
});

async function ended(waiting: Promise<unknown>): Promise<{ error: unknown }> {
  return await waiting.then(
    () => ({ error: null }),
    (error: unknown) => ({ error }),
  );
}
