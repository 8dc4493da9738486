import { createServer } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { failed, failure, get, listening, NEVER, post, service, transport, wire } from "./service.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";

async function unusedPort(): Promise<URL> {
  const server = createServer();
  const url = new URL("/score", await listening(server));
  await new Promise((resolve) => server.close(resolve));
  return url;
}

describe("a connection that breaks", () => {
  test("is refused where nobody listens", async () => {
    const error = await failed(transport().send(post(await unusedPort()), NEVER));
    expect([error.kind, error.message, error.code]).toEqual([
      "refused",
      "the connection was refused",
      "ECONNREFUSED",
    ]);
  });

  test("is refused at every address of a name", async () => {
    const url = await unusedPort();
    url.hostname = "localhost";
    expect(await failure(transport().send(post(url), NEVER))).toBe("refused: the connection was refused");
  });

  test("does not come about for a host that is not known", async () => {
    const error = await failed(transport().send(post(new URL("http://nowhere.invalid/score")), NEVER));
    expect(error.kind).toBe("unreachable");
    expect(error.message).toMatch(
      /^the host nowhere\.invalid is not known$|^the name of the host nowhere\.invalid could not be looked up$/,
    );
    expect(["ENOTFOUND", "EAI_AGAIN"]).toContain(error.code);
  });

  test("was closed without a reply, on a new connection", async () => {
    let requests = 0;
    const url = await wire((socket) => {
      requests++;
      socket.end();
    });
    expect(await failure(transport().send(post(url), NEVER))).toBe(
      "closed: the connection was closed without a reply",
    );
    expect(requests).toBe(1);
  });

  test("was reset before a reply", async () => {
    const url = await wire((socket) => socket.resetAndDestroy());
    expect(await failure(transport().send(post(url), NEVER))).toBe(
      "reset: the connection was reset before a reply",
    );
  });

  test("was reset while a large request was on its way", async () => {
    const server = createServer((request) => request.once("data", () => request.socket.resetAndDestroy()));
    const url = new URL("/score", await listening(server));
    const body = Buffer.alloc(20_000_000);
    expect(await failure(transport().send(post(url, { body }), NEVER))).toBe(
      "reset: the connection was reset before a reply",
    );
  });

  const cuts = [
    ["with a length", "Content-Length: 1000\r\n\r\n0123456789", "10 of 1,000 bytes"],
    [
      "with a length and Connection: close",
      "Connection: close\r\nContent-Length: 20\r\n\r\n01234",
      "5 of 20 bytes",
    ],
    ["in chunks", "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n", "5 bytes"],
    [
      "in chunks and Connection: close",
      "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n",
      "5 bytes",
    ],
    ["within a chunk", "Transfer-Encoding: chunked\r\n\r\n10\r\n01234", "5 bytes"],
  ] as const;

  describe.each([
    ["closed", (socket: Socket): void => void socket.end()],
    ["reset", (socket: Socket): void => void setTimeout(() => socket.resetAndDestroy(), 30)],
  ] as const)("%s in the reply", (_, cut) => {
    test.each(cuts)("%s is reset, with what came", async (_, head, came) => {
      const url = await wire((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${head}`);
        cut(socket);
      });
      const error = await failed(transport().send(post(url), NEVER));
      expect([error.kind, error.message]).toEqual([
        "reset",
        `the connection broke off in the reply: ${came} came`,
      ]);
      expect(error.bytesReceived).toBe(Number(came.split(" ")[0]));
    });
  });

  test("ends a reply without a length where it is closed, but not where it is reset", async () => {
    const url = await wire((socket, _, request) => {
      socket.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[7]");
      if (request.includes("/closed")) socket.end();
      else setTimeout(() => socket.resetAndDestroy(), 30);
    });
    const opened = transport();
    const reply = await opened.send(post(new URL("/closed", url)), NEVER);
    expect(reply.body.toString()).toBe("[7]");
    expect(await failure(opened.send(post(new URL("/reset", url)), NEVER))).toBe(
      "reset: the connection broke off in the reply: 3 bytes came",
    );
  });
});

describe("a connection that the server closes while it is idle", () => {
  const faults = [
    ["closed", (socket: Socket): void => void socket.end()],
    ["reset", (socket: Socket): void => void socket.resetAndDestroy()],
  ] as const;

  test.each(faults)("is made anew where the request meets it %s", async (_, fault) => {
    let [connections, requests] = [0, 0];
    const url = await wire((socket, count) => {
      requests++;
      if (count === 1) connections++;
      // As if the close had been on its way when the request was sent.
      if (count === 2) fault(socket);
      else socket.write(OK);
    });
    const opened = transport();
    for (let i = 0; i < 4; i++) expect((await opened.send(post(url), NEVER)).status).toBe(200);
    expect({ connections, requests }).toEqual({ connections: 4, requests: 7 });
  });

  test("is `closed` where the new one is closed, too", async () => {
    let requests = 0;
    const url = await wire((socket) => {
      if (++requests === 1) socket.write(OK);
      else socket.end();
    });
    const opened = transport();
    await opened.send(post(url), NEVER);
    expect(await failure(opened.send(post(url), NEVER))).toBe(
      "closed: the connection was closed without a reply",
    );
    expect(requests).toBe(3);
  });

  test("is no failure where it was closed some time ago", async () => {
    const url = await wire((socket) => {
      socket.write(OK);
      setTimeout(() => socket.destroy(), 20);
    });
    const opened = transport();
    for (let i = 0; i < 3; i++) {
      expect((await opened.send(post(url), NEVER)).status).toBe(200);
      await sleep(50);
    }
  });

  test("does not have its request sent again once a reply began", async () => {
    let requests = 0;
    const url = await wire((socket, count) => {
      requests++;
      if (count === 1) socket.write(OK);
      else socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[");
    });
    const opened = transport();
    await opened.send(post(url), NEVER);
    expect(await failure(opened.send(post(url), NEVER))).toBe(
      "reset: the connection broke off in the reply: 1 of 9 bytes came",
    );
    expect(requests).toBe(2);
  });
});

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

describe("a reply that is not HTTP", () => {
  test.each([
    ["text", "hello\r\n\r\n"],
    ["a TLS alert", "\u0015\u0003\u0001\u0000\u0002\u0002\u0016"],
    ["a chunk without a size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\nx\r\n"],
    ["a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"],
  ])("such as %s is malformed", async (_, text) => {
    const url = await wire((socket) => socket.end(text, "latin1"));
    expect(await failure(transport().send(post(url), NEVER))).toBe(
      "malformed: what came back is not HTTP/1.1: is it an https:// service?",
    );
  });

  test("because its headers have no end is malformed", async () => {
    const url = await wire((socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${"a".repeat(100_000)}`));
    expect(await failure(transport().send(post(url), NEVER))).toBe(
      "malformed: the reply's headers are too large",
    );
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
