import { describe, expect, test } from "vitest";

import { outcomeOfFailure } from "../../../src/scorer/http/classify.ts";
import { HttpFailure } from "../../../src/scorer/http/transport.ts";
import { RAW_REPLIES } from "./malformed.ts";
import { failure, NEVER, post, transport, wire } from "./service.ts";

const head = (lines: string): string => `HTTP/1.1 200 OK\r\n${lines}\r\n\r\n[]`;

describe("a reply that breaks the rules of HTTP", () => {
  test.each([
    ["a status of 099", "HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\n[]", "no reply has its status"],
    ["a status of 101", "HTTP/1.1 101 Odd\r\n\r\n", "no reply has its status"],
    ["a status in words", "HTTP/1.1 OK\r\n\r\n", "Invalid status code"],
    [
      "a doubled Content-Length",
      head("Content-Length: 2\r\nContent-Length: 2"),
      "its Content-Length is not one number, or not its only length",
    ],
    [
      "Content-Length with chunks",
      head("Content-Length: 2\r\nTransfer-Encoding: chunked"),
      "its Content-Length is not one number, or not its only length",
    ],
    [
      "chunks with Content-Length",
      head("Transfer-Encoding: chunked\r\nContent-Length: 2"),
      "Content-Length can't be present with Transfer-Encoding",
    ],
    ["a length that is no number", head("Content-Length: many"), "Invalid character in Content-Length"],
    ["a chunk without a size", `${head("Transfer-Encoding: chunked")}x`, "Invalid character in chunk size"],
  ])("with %s is malformed", async (_, text, broken) => {
    const url = await wire((socket) => socket.end(text));
    expect(await failure(transport().send(post(url), NEVER))).toBe(
      `malformed: the reply is not HTTP/1.1: ${broken}`,
    );
  });

  test("broke off where its body is shorter than its head says, whether or not it closes the connection", async () => {
    const url = await wire((socket) =>
      socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n["),
    );
    expect(await failure(transport().send(post(url), NEVER))).toBe(
      "reset: the connection broke off in the reply: 1 of 9 bytes came",
    );
  });

  test(`is no answer or one that may pass, in each of ${RAW_REPLIES.length} forms`, async () => {
    const seen = new Map<string, number>();
    let text = "";
    const url = await wire((socket) => socket.end(text, "latin1"));
    for (const { name, text: next } of RAW_REPLIES) {
      text = next;
      // A connection of its own: what is left of one reply is not the beginning of another.
      const opened = transport({ connections: 1 });
      const kind = await opened.send(post(url), NEVER).then(
        () => "reply",
        (error: unknown) =>
          error instanceof HttpFailure ? outcomeOfFailure(error).kind : `${name}: ${String(error)}`,
      );
      await opened.close();
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }
    // Fatal: redirects that lead nowhere.
    expect([...seen.keys()].sort()).toEqual(["fatal", "reply", "retry"]);
    expect(seen.get("retry")).toBeGreaterThan(900);
    expect(seen.get("fatal")).toBeLessThan(15);
  });
});

describe("an interim reply", () => {
  const OK = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n[7, 2]";
  const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

  test.each([
    ["100", CONTINUE],
    ["100 with headers", "HTTP/1.1 100 Continue\r\nDate: today\r\nServer: odd\r\n\r\n"],
    ["102 and 103", "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"],
    ["103, 100 and 100", `HTTP/1.1 103 Early Hints\r\n\r\n${CONTINUE}${CONTINUE}`],
  ])("of %s that nobody asked for is passed over", async (_, interim) => {
    const url = await wire((socket, count) => {
      if (count % 2 === 1) return socket.write(interim + OK);
      socket.write(interim);
      return setTimeout(() => socket.write(OK), 20);
    });
    const opened = transport();
    for (let i = 0; i < 4; i++) expect((await opened.send(post(url), NEVER)).body.toString()).toBe("[7, 2]");
  });

  test("stays what it is in a body", async () => {
    const body = `${CONTINUE}${CONTINUE}`;
    const url = await wire((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
      setTimeout(() => socket.write(body), 20);
    });
    expect((await transport().send(post(url), NEVER)).body.toString()).toBe(body);
  });
});
