import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { sendProcess } from "./process.ts";
import { failed, failure, get, NEVER, post, service, transport, wire } from "./service.ts";

describe("a request that is out of time", () => {
  test("without a reply is a timeout, by the settings' limit or its own", async () => {
    const url = await service(() => {});
    const opened = transport({ timeoutMs: 150 });
    expect(await failure(opened.send(post(url), NEVER))).toBe("timeout: no reply within 0.15 s");
    expect(await failure(opened.send(post(url, { timeoutMs: 50 }), NEVER))).toBe(
      "timeout: no reply within 0.05 s",
    );
  });

  test("has stalled where the reply drips on", async () => {
    const url = await service((_, response) => {
      response.setHeader("Content-Length", 1000);
      const drip = setInterval(() => response.write("7"), 20);
      response.on("close", () => clearInterval(drip));
    });
    const error = await failed(transport({ timeoutMs: 200 }).send(post(url), NEVER));
    expect(error.kind).toBe("stalled");
    expect(error.message).toMatch(/^the reply was not complete within 0\.2 s: \d+ of 1,000 bytes came$/);
    expect(error.bytesReceived).toBeGreaterThan(2);
  });

  test("has stalled where the reply's head is there, and nothing else", async () => {
    const url = await service((_, response) => response.flushHeaders());
    expect(await failure(transport({ timeoutMs: 100 }).send(get(url), NEVER))).toBe(
      "stalled: the reply was not complete within 0.1 s: 0 bytes came",
    );
  });

  test("is unreachable where no connection came about", async () => {
    // An address that is set aside for documentation: packets to it are lost, or refused on the way.
    const url = new URL("http://192.0.2.1/score");
    const error = await failed(transport({ timeoutMs: 100 }).send(post(url), NEVER));
    expect(["unreachable", "refused", "reset", "closed"]).toContain(error.kind);
  });

  test("leaves a connection that works for the next one", async () => {
    const url = await service((request, response) => {
      if (request.url !== "/stall") response.end("[]");
    });
    const opened = transport({ connections: 1 });
    await opened.send(post(url), NEVER);
    await failed(opened.send(post(new URL("/stall", url), { timeoutMs: 50 }), NEVER));
    expect((await opened.send(post(url), NEVER)).status).toBe(200);
  });

  test("is not out of time where this process was busy while the reply came", async () => {
    const url = await service((_, response) => response.end("[]"));
    const child = transport({ timeoutMs: 300 });
    await child.send(post(url), NEVER);
    const sent = child.send(post(url), NEVER);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    const until = performance.now() + 400;
    while (performance.now() < until);
    expect((await sent).status).toBe(200);
  });
});

describe("an abort", () => {
  test("rejects at once with its reason, before, while and after the request is sent", async () => {
    const url = await service((request, response) => {
      if (request.url === "/head") response.flushHeaders();
    });
    const opened = transport({ connections: 1 });
    const reason = new Error("Ctrl-C");
    await expect(opened.send(post(url), AbortSignal.abort(reason))).rejects.toBe(reason);
    for (const path of ["/nothing", "/head"]) {
      const controller = new AbortController();
      const sent = [1, 2].map(async () => await opened.send(post(new URL(path, url)), controller.signal));
      const results = Promise.allSettled(sent);
      await sleep(50);
      controller.abort(reason);
      expect(await results).toEqual([
        { status: "rejected", reason },
        { status: "rejected", reason },
      ]);
    }
  });

  test("of many requests on one signal is no reason for a warning", async () => {
    const url = await service(() => {});
    const warnings: string[] = [];
    const hear = (warning: Error) => void warnings.push(warning.message);
    process.on("warning", hear);
    const controller = new AbortController();
    const opened = transport({ connections: 30 });
    const sent = Array.from({ length: 40 }, async () => await opened.send(post(url), controller.signal));
    const results = Promise.allSettled(sent);
    await sleep(20);
    controller.abort(new Error("enough"));
    await results;
    await sleep(20);
    process.off("warning", hear);
    expect(warnings).toEqual([]);
  });

  test("while it connects rejects at once", async () => {
    const controller = new AbortController();
    const reason = new Error("Ctrl-C");
    const sent = transport().send(post(new URL("http://192.0.2.1/score")), controller.signal);
    controller.abort(reason);
    await expect(sent).rejects.toBe(reason);
  });
});

test("close() ends what is under way", async () => {
  const url = await service(() => {});
  const opened = transport();
  const sent = failure(opened.send(post(url), NEVER));
  await sleep(50);
  await opened.close();
  expect(await sent).toBe("closed: given up");
});

describe("a process that has sent requests", () => {
  const run = sendProcess();

  test("ends by itself after every fault, closed or not", async () => {
    const silent = await service(() => {});
    const dripping = await service((_, response) => void response.writeHead(200).write("["));
    const breaking = await wire((socket) => socket.resetAndDestroy());
    const large = await service((_, response) => response.end(Buffer.alloc(2000)));
    const good = await service((_, response) => response.end("[]"));
    const lost = new URL("http://192.0.2.1/score");
    const urls = [silent, dripping, breaking, large, good, good, lost];
    for (const close of [true, false]) {
      const startedAt = performance.now();
      const output = await run(urls, {}, { timeoutMs: 300, close });
      expect(output.slice(0, 6)).toEqual([
        "HttpFailure: no reply within 0.3 s",
        "HttpFailure: the reply was not complete within 0.3 s: 1 bytes came",
        "HttpFailure: the connection was reset before a reply",
        "HttpFailure: the reply's body is too large: 2,000 bytes where at most 1,000 bytes are read",
        "200 []",
        "200 []",
      ]);
      expect(output.at(-1)).toBe("exit 0");
      expect(performance.now() - startedAt).toBeLessThan(5000);
    }
  });
});
