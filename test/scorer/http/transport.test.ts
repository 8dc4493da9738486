import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { packageVersions } from "../../../src/package.ts";
import { bodyOf, failed, failure, get, listening, NEVER, post, service, transport, wire } from "./service.ts";

const USER_AGENT = `mnist-evaluate/${packageVersions().version}`;

/** Connections that four requests take, 0.1, 0.8 and 1.9 s apart. */
async function connects(hint: string): Promise<number> {
  let connections = 0;
  const url = await wire((socket, count) => {
    if (count === 1) connections++;
    socket.write(`HTTP/1.1 200 OK\r\n${hint}Content-Length: 0\r\n\r\n`);
  });
  const opened = transport();
  for (const pauseMs of [0, 100, 800, 1900]) {
    await sleep(pauseMs);
    await opened.send(post(url), NEVER);
  }
  return connections;
}

describe("send(request, signal)", () => {
  test("sends method, path, query and body with the headers of everyone concerned, and gives the reply", async () => {
    let seen = {};
    const url = await service((request, response) => {
      void answer(request, response);
    }, "/score?v=1");
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const body = await bodyOf(request);
      const { host: _, ...headers } = request.headers;
      seen = { method: request.method, url: request.url, headers, body };
      response.setHeader("Set-Cookie", ["a=1", "b=2"]);
      response.setHeader("Content-Type", "application/json");
      response.end("[7]");
    };
    const reply = await transport({ headers: { "X-Team": "digits", Accept: "*/*" }, key: "K-1" }).send(
      post(url, { headers: { "Content-Type": "application/json" }, id: "abc" }),
      NEVER,
    );
    expect(seen).toEqual({
      method: "POST",
      url: "/score?v=1",
      headers: {
        accept: "*/*",
        "accept-encoding": "identity",
        authorization: "Bearer K-1",
        connection: "keep-alive",
        "content-length": "3",
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "x-request-id": "abc",
        "x-team": "digits",
      },
      body: "[1]",
    });
    expect(reply).toMatchObject({ status: 200, bytesReceived: 3, redirected: null });
    expect(reply.body.toString()).toBe("[7]");
    expect(reply.headers).toMatchObject({ "content-type": "application/json", "set-cookie": "a=1, b=2" });
    expect(reply.elapsedMs).toBeGreaterThan(0);
  });

  test("asks for JSON where the user names nothing else, and sends no length with a GET", async () => {
    const url = await service((request, response) => response.end(JSON.stringify(request.headers)));
    const reply = await transport().send(get(url), NEVER);
    const headers = JSON.parse(reply.body.toString()) as Record<string, string>;
    expect(headers["accept"]).toBe("application/json, */*");
    expect(headers).not.toHaveProperty("authorization");
    expect(headers).not.toHaveProperty("content-length");
  });

  test("sends a URL's user and password as Basic, unless there is a key", async () => {
    const url = await service((request, response) => response.end(request.headers.authorization));
    url.username = "us%20er";
    url.password = "p%40ss%";
    const basic = await transport().send(post(url), NEVER);
    expect(basic.body.toString()).toBe(`Basic ${Buffer.from("us er:p%40ss%").toString("base64")}`);
    const bearer = await transport({ key: "K" }).send(post(url), NEVER);
    expect(bearer.body.toString()).toBe("Bearer K");
  });

  test("gives error statuses as replies", async () => {
    const url = await service((_, response) => response.writeHead(503, { "Retry-After": "1" }).end("busy"));
    const reply = await transport().send(post(url), NEVER);
    expect({ ...reply, body: reply.body.toString() }).toMatchObject({ status: 503, body: "busy" });
  });

  test("passes over interim answers", async () => {
    const url = await wire((socket) =>
      socket.end("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"),
    );
    expect((await transport().send(post(url), NEVER)).status).toBe(200);
  });

  test("has no more requests under way than connections, and keeps them open", async () => {
    let [now, most, connections] = [0, 0, 0];
    const server = createServer((_, response) => {
      most = Math.max(most, ++now);
      setTimeout(() => response.end(String(now--)), 10);
    }).on("connection", () => connections++);
    const url = new URL("/score", await listening(server));
    const opened = transport({ connections: 3 });
    await Promise.all(Array.from({ length: 20 }, async () => await opened.send(post(url), NEVER)));
    expect({ most, connections }).toEqual({ most: 3, connections: 3 });
  });

  test("takes a connection as long idle after 1.5 s, or half a second before the server's own limit", async () => {
    const hints = ["Keep-Alive: timeout=1\r\n", "Keep-Alive: timeout=3\r\n", ""];
    const seen = await Promise.all(hints.map(connects));
    expect(seen).toEqual([3, 1, 2]);
  });
});

describe("a reply's body", () => {
  const encodings = [
    ["gzip", gzipSync],
    ["x-gzip", gzipSync],
    ["deflate", deflateSync],
    ["deflate", deflateRawSync],
    ["br", brotliCompressSync],
    ["identity", (body: Buffer) => body],
    ["Identity", (body: Buffer) => body],
    ["X-GZip", gzipSync],
    ["gzip, br", (body: Buffer) => brotliCompressSync(gzipSync(body))],
  ] as const;

  test.each(encodings)("is decoded where it comes as %s unasked", async (name, encode) => {
    const encoded = encode(Buffer.from("[7, 2]"));
    const url = await service((_, response) => response.setHeader("Content-Encoding", name).end(encoded));
    const reply = await transport().send(post(url), NEVER);
    expect(reply.body.toString()).toBe("[7, 2]");
    expect(reply.bytesReceived).toBe(encoded.length);
  });

  test("is malformed in an encoding that is not known, or in another one than it says", async () => {
    const url = await service((request, response) =>
      response.setHeader("Content-Encoding", request.url!.slice(1)).end("plain"),
    );
    const opened = transport();
    expect(await failure(opened.send(post(new URL("/zstd", url)), NEVER))).toBe(
      "malformed: the reply's body is encoded as zstd: gzip, deflate and br are understood",
    );
    for (const name of ["gzip", "deflate", "br"])
      expect(await failure(opened.send(post(new URL(`/${name}`, url)), NEVER))).toBe(
        `malformed: the reply's body is not the ${name} that it is said to be`,
      );
  });

  test("may not unpack to more than is read", async () => {
    const bomb = gzipSync(Buffer.alloc(5_000_000));
    const url = await service((_, response) => response.setHeader("Content-Encoding", "gzip").end(bomb));
    expect(await failure(transport().send(post(url), NEVER))).toBe(
      `too-large: the reply's body is too large: ${bomb.length.toLocaleString("en")} bytes of gzip unpack to more than 1,000,000`,
    );
  });

  test("that says it is too large is not read at all, and one that does not is read up to the limit", async () => {
    let [written, closed] = [0, 0];
    const url = await service((request, response) => {
      if (request.url === "/said") response.setHeader("Content-Length", 100_000_000);
      const chunk = Buffer.alloc(100_000);
      const more = () => {
        while (written < 100_000_000 && !response.destroyed && response.write(chunk)) written += chunk.length;
      };
      response.on("drain", more).on("close", () => closed++);
      more();
    });
    const opened = transport();
    const said = await failed(opened.send(post(new URL("/said", url)), NEVER));
    expect([said.kind, said.message, said.bytesReceived]).toEqual([
      "too-large",
      "the reply's body is too large: 100,000,000 bytes where at most 1,000,000 bytes are read",
      0,
    ]);
    const hidden = await failed(opened.send(post(new URL("/hidden", url)), NEVER));
    expect([hidden.kind, hidden.message]).toEqual([
      "too-large",
      "the reply's body is too large: more where at most 1,000,000 bytes are read",
    ]);
    expect(hidden.bytesReceived).toBeLessThan(1_100_000);
    await expect.poll(() => closed).toBe(2);
    expect(written).toBeLessThan(40_000_000);
  });

  test("of exactly the limit is read", async () => {
    const url = await service((_, response) => response.end(Buffer.alloc(1_000_000, "7")));
    expect((await transport().send(post(url), NEVER)).body.length).toBe(1_000_000);
  });
});
