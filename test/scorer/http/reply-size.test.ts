import { createServer, type ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { failed, failure, get, listening, NEVER, post, service, transport } from "./service.ts";

const most = { maxReplyBytes: 1000 };

/** Writes for as long as somebody reads. */
function endless(response: ServerResponse): void {
  const more = (): void => {
    while (!response.destroyed && response.write("x".repeat(1000)));
  };
  response.on("drain", more);
  more();
}

describe("a reply that is longer than what was asked for", () => {
  test("is a failure to a POST of status 200, whether or not it says how long it is", async () => {
    const url = await service((request, response) => {
      if (request.url === "/said") response.end("x".repeat(1001));
      else endless(response);
    });
    const opened = transport();
    const said = await failed(opened.send(post(new URL("/said", url), most), NEVER));
    expect([said.kind, said.message, said.bytesReceived]).toEqual([
      "too-large",
      "the reply's body is too large: 1,001 bytes where at most 1,000 bytes are read",
      0,
    ]);
    expect(await failure(opened.send(post(new URL("/more", url), most), NEVER))).toBe(
      "too-large: the reply's body is too large: more where at most 1,000 bytes are read",
    );
  });

  test.each([
    ["an error", post, 503],
    ["a GET", get, 200],
  ])("is cut, and its end not waited for, in the reply to %s", async (_, request, status) => {
    let closed = 0;
    const server = createServer((asked, response) => {
      response.on("close", () => closed++);
      response.writeHead(status, { "Retry-After": "7" });
      if (asked.url === "/short") response.end("short");
      else endless(response);
    });
    const url = new URL("/long", await listening(server));
    const opened = transport();
    const reply = await opened.send(request(url, most), NEVER);
    expect([reply.status, reply.headers["retry-after"], reply.body.toString()]).toEqual([
      status,
      "7",
      "x".repeat(1000),
    ]);
    await expect.poll(() => closed).toBe(1);
    expect((await opened.send(request(new URL("/short", url), most), NEVER)).body.toString()).toBe("short");
  });

  test("that comes packed counts by its status alone where that is an error's", async () => {
    const bomb = gzipSync(Buffer.alloc(1_000_000));
    const url = await service((request, response) => {
      response.writeHead(request.url === "/200" ? 200 : 503, { "Content-Encoding": "gzip" });
      response.end(request.url === "/none" ? "no gzip" : bomb.subarray(0, 1000));
    });
    const opened = transport();
    for (const path of ["/bomb", "/none"]) {
      const reply = await opened.send(post(new URL(path, url), most), NEVER);
      expect([reply.status, reply.body.length]).toEqual([503, 0]);
    }
    expect(await failure(opened.send(post(new URL("/200", url), most), NEVER))).toBe(
      "too-large: the reply's body is too large: 1,000 bytes of gzip unpack to more than 1,000",
    );
  });

  test("is not looked for in a body that is packed many times over", async () => {
    const url = await service((request, response) => {
      const times = Number(request.url!.slice(1));
      let body = Buffer.from("[7]");
      for (let i = 0; i < times; i++) body = gzipSync(body);
      response
        .setHeader("Content-Encoding", Array.from({ length: times }, () => "gzip").join(", "))
        .end(body);
    });
    const opened = transport();
    expect((await opened.send(post(new URL("/4", url)), NEVER)).body.toString()).toBe("[7]");
    expect(await failure(opened.send(post(new URL("/5", url)), NEVER))).toBe(
      "malformed: the reply's body is encoded 5 times over, where at most 4 are undone",
    );
  });
});
