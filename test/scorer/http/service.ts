import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createSocketServer, type AddressInfo, type Server, type Socket } from "node:net";

import { onTestFinished } from "vitest";

import {
  HttpFailure,
  openTransport,
  type HttpReply,
  type HttpRequest,
  type Transport,
  type TransportSettings,
} from "../../../src/scorer/http/transport.ts";

export const NEVER = new AbortController().signal;

/** A transport that is closed after the test. */
export function transport(settings: Partial<TransportSettings> = {}): Transport {
  const opened = openTransport({
    connections: 2,
    timeoutMs: 5000,
    headers: {},
    key: null,
    env: {},
    ...settings,
  });
  onTestFinished(async () => await opened.close());
  return opened;
}

export function post(url: URL, request: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: "POST",
    url,
    headers: {},
    body: Buffer.from("[1]"),
    id: "r1",
    maxReplyBytes: 1_000_000,
    ...request,
  };
}

export function get(url: URL, request: Partial<HttpRequest> = {}): HttpRequest {
  return { method: "GET", url, headers: {}, body: null, id: "r1", maxReplyBytes: 1_000_000, ...request };
}

/** A loopback HTTP server that is gone after the test. */
export async function service(handler: RequestListener, path = "/score"): Promise<URL> {
  const server = createServer(handler);
  onTestFinished(() => server.closeAllConnections());
  return new URL(path, await listening(server));
}

/** A loopback server that writes what it likes for every request: `count` is the connection's own, from 1. */
export async function wire(
  answer: (socket: Socket, count: number, request: string) => void,
  path = "/score",
): Promise<URL> {
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    let [count, text] = [0, ""];
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (data) => {
      text += data.toString("latin1");
      const end = text.indexOf("\r\n\r\n") + 4;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (end < 4 || text.length < end + length) return;
      const request = text;
      text = "";
      answer(socket, ++count, request);
    });
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return new URL(path, await listening(server));
}

export async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** How a request failed, as `reset: the connection …`. */
export async function failure(sent: Promise<HttpReply>): Promise<string> {
  const error = await failed(sent);
  return `${error.kind}: ${error.message}`;
}

export async function failed(sent: Promise<HttpReply>): Promise<HttpFailure> {
  try {
    const { status } = await sent;
    throw new Error(`answered ${status}`);
  } catch (error) {
    if (error instanceof HttpFailure) return error;
    throw error;
  }
}
