import { createServer } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import type { HttpFailure } from "../../../src/scorer/http/failure.ts";
import { failed, failure, listening, NEVER, post, transport, wire } from "./service.ts";

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

  test("may still have given a reply before it took the whole request", async () => {
    const url = await wire(() => {});
    const early = createServer((request, response) => {
      request.once("data", () => response.writeHead(413, { Connection: "close" }).end("too large"));
    });
    url.port = new URL(await listening(early)).port;
    const body = Buffer.alloc(20_000_000);
    const opened = transport();
    const sent = opened.send(post(url, { body }), NEVER).then(
      ({ status }) => String(status),
      (error: unknown) => String(error),
    );
    expect(["413", "HttpFailure: the connection was reset before a reply"]).toContain(await sent);
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

  test.each(faults)(
    "is made anew where the request meets it %s, and whoever asks is told",
    async (kind, fault) => {
      let [connections, requests] = [0, 0];
      const url = await wire((socket, count) => {
        requests++;
        if (count === 1) connections++;
        // As if the close had been on its way when the request was sent.
        if (count === 2) fault(socket);
        else socket.write(OK);
      });
      const opened = transport();
      const resent: string[] = [];
      const request = { ...post(url), onResend: (lost: HttpFailure) => void resent.push(lost.kind) };
      for (let i = 0; i < 4; i++) expect((await opened.send(request, NEVER)).status).toBe(200);
      expect({ connections, requests }).toEqual({ connections: 4, requests: 7 });
      expect(resent).toEqual([kind, kind, kind]);
    },
  );

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

describe("a reply that is not HTTP", () => {
  test.each([
    ["text", "hello\r\n\r\n"],
    ["a TLS alert", "\u0015\u0003\u0001\u0000\u0002\u0002\u0016"],
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
