import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { onTestFinished } from "vitest";

export interface SeenRequest {
  readonly path: string;
  readonly range: string | null;
  readonly ifRange: string | null;
  readonly userAgent: string;
  readonly authorization: string | null;
}

/** A loopback HTTP server and what it has seen. */
export interface Mirror {
  /** Base URL, with a slash at its end. */
  readonly url: string;
  readonly requests: SeenRequest[];
  /** Bytes of bodies that were sent. */
  sent: number;
}

export type Handler = (request: IncomingMessage, response: ServerResponse, mirror: Mirror) => void;

/** Starts a mirror that is gone after the test. */
export async function startMirror(handler: Handler): Promise<Mirror> {
  const server = createServer((request, response) => {
    const header = (name: string) => request.headers[name]?.toString() ?? null;
    mirror.requests.push({
      path: request.url ?? "",
      range: header("range"),
      ifRange: header("if-range"),
      userAgent: header("user-agent") ?? "",
      authorization: header("authorization"),
    });
    handler(request, response, mirror);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const mirror: Mirror = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests: [],
    sent: 0,
  };
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return mirror;
}

export interface Serving {
  readonly etag?: string | null;
  /** False: answers every request with the whole file. */
  readonly ranges?: boolean;
  /** Breaks the connection after so many bytes of a body, asked before every answer; null: does not. */
  readonly cutAfter?: (file: string, from: number) => number | null;
  /** After `cutAfter` bytes, keeps the connection open and silent. */
  readonly stall?: boolean;
  /** Milliseconds between pieces of 1/10 of the file. */
  readonly pauseMs?: number;
}

/** Serves files by name, with Range and If-Range, as a static file server does. */
export function serving(files: Readonly<Record<string, Buffer>>, options: Serving = {}): Handler {
  const { etag = '"v1"', ranges = true } = options;
  return (request, response, mirror) => {
    const name = decodeURIComponent((request.url ?? "").replace(/\?.*$/, "").split("/").pop() ?? "");
    const file = files[name];
    if (file === undefined) {
      response.writeHead(404).end("no such file");
      return;
    }
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
    const continued = ranges && range !== null && request.headers["if-range"] === etag;
    const from = continued ? Number(range?.[1]) : 0;
    const validators: Record<string, string> = etag === null ? {} : { etag };
    if (from > file.length || (continued && from === file.length)) {
      response.writeHead(416, { "content-range": `bytes */${file.length}` }).end();
      return;
    }
    response.writeHead(continued ? 206 : 200, {
      ...validators,
      "content-type": "application/octet-stream",
      "content-length": file.length - from,
      ...(continued ? { "content-range": `bytes ${from}-${file.length - 1}/${file.length}` } : {}),
    });
    const cut = options.cutAfter?.(name, from) ?? null;
    const body = cut === null ? file.subarray(from) : file.subarray(from, from + cut);
    mirror.sent += body.length;
    if (options.pauseMs !== undefined) drip(response, body, options.pauseMs);
    else if (cut === null) response.end(body);
    else response.write(body, () => void (options.stall || setTimeout(() => response.destroy(), 200)));
  };
}

function drip(response: ServerResponse, body: Buffer, pauseMs: number): void {
  const size = Math.ceil(body.length / 10);
  let at = 0;
  const timer = setInterval(() => {
    if (at >= body.length || response.destroyed) {
      clearInterval(timer);
      response.end();
      return;
    }
    response.write(body.subarray(at, (at += size)));
  }, pauseMs);
}
