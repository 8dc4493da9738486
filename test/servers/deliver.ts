import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import type { Fault, FaultName } from "./faults.ts";
import { reasonOf } from "./service.ts";
import type { Reply } from "./service.ts";

type Header = readonly [name: string, value: string];

/** Writes a reply as it is: no header is added. */
export function send(response: ServerResponse, reply: Reply): void {
  begin(response, reply);
  response.end(reply.body);
}

function begin(response: ServerResponse, { status, reason, headers }: Reply): void {
  response.sendDate = false;
  // Keeps Node from adding its own `Connection: keep-alive`, while the connection is kept.
  response.removeHeader("connection");
  response.writeHead(
    status,
    reason,
    headers.flatMap(([name, value]) => [name, value]),
  );
}

/** A reply of whatever stands in front of the server. */
export function plain(status: number, type: string, body: string, headers: readonly Header[] = []): Reply {
  return {
    status,
    reason: reasonOf(status),
    headers: [
      ["Date", new Date().toUTCString()],
      ["Content-Type", type],
      ["Content-Length", String(Buffer.byteLength(body))],
      ...headers,
    ],
    body,
  };
}

const PAGE = (title: string): string =>
  `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;

const BUSY = `{"error": "Too many requests"}`;
const TOO_MANY = (retryAfter: string): Reply =>
  plain(429, "application/json", BUSY, [["Retry-After", retryAfter]]);
const GATEWAY = ({ name }: Fault): Reply =>
  plain(Number(name), "text/html", PAGE(`${name} ${reasonOf(Number(name))}`));

const INSTEAD: Partial<Record<FaultName, (fault: Fault, authorization: string) => Reply>> = {
  "429": () => plain(429, "application/json", BUSY),
  "429-seconds": ({ value = 1 }) => TOO_MANY(String(value)),
  "429-date": ({ value = 1 }) => TOO_MANY(new Date(Date.now() + Number(value) * 1000).toUTCString()),
  "500": () => plain(500, "text/plain", ""),
  "502": GATEWAY,
  "503": GATEWAY,
  "504": GATEWAY,
  "408": () => plain(408, "text/plain", "upstream request timeout"),
  "424": ({ value = 500 }) =>
    plain(424, "application/json", `{"message": "An unexpected error occurred in scoring script."}`, [
      ["ms-azureml-model-error-reason", "model_error"],
      ["ms-azureml-model-error-statuscode", String(value)],
    ]),
  "key-echo": ({ status = 500 }, authorization) => {
    const error = `cannot verify the token "${authorization.replace(/^Bearer /, "")}" of ${authorization}`;
    return plain(status, "application/json", JSON.stringify({ error }), [["x-token", authorization]]);
  },
  redirect: ({ value }) => plain(307, "text/plain", "", [["Location", String(value)]]),
  "html-200": () => plain(200, "text/html", PAGE("Sign in")),
  "text-200": () =>
    plain(200, "application/json", `"'LogisticRegression' object has no attribute 'multi_class'"`),
};

/** Replies in place of an answer; null for faults that are no reply. */
export function replyInstead(fault: Fault, authorization: string): Reply | null {
  return INSTEAD[fault.name]?.(fault, authorization) ?? null;
}

type Spoil = (response: ServerResponse, reply: Reply, body: Buffer, fault: Fault) => Promise<void> | void;

const half = (body: Buffer): Buffer => body.subarray(0, body.length >> 1);

const SPOIL: Partial<Record<FaultName, Spoil>> = {
  "reset-reply": (response, reply, body) => {
    begin(response, reply);
    response.write(half(body), () => setTimeout(() => response.socket?.resetAndDestroy(), 5));
  },
  drip,
  truncated: (response, reply, body) => send(response, withBody(reply, half(body))),
  "truncated-length": (response, reply, body) => {
    begin(response, reply);
    response.write(half(body), () => response.socket?.destroySoon());
  },
  "double-encoded": (response, reply, body) =>
    send(response, withBody(reply, Buffer.from(JSON.stringify(body.toString())))),
  "keep-alive-closed": (response, reply, _body, { value = 0 }) => {
    const { socket } = response;
    response.on("finish", () => setTimeout(() => socket?.end(), Number(value)));
    send(response, reply);
  },
};

/** Sends an answer in the way that `fault` spoils. */
export async function sendSpoilt(response: ServerResponse, reply: Reply, fault: Fault): Promise<void> {
  const spoil = SPOIL[fault.name];
  if (spoil === undefined) send(response, reply);
  else await spoil(response, reply, Buffer.from(reply.body), fault);
}

function withBody(reply: Reply, body: Buffer): Reply {
  const headers = reply.headers.map(([name, value]): Header => [
    name,
    name.toLowerCase() === "content-length" ? String(body.length) : value,
  ]);
  return { ...reply, headers, body };
}

async function drip(response: ServerResponse, reply: Reply, body: Buffer, fault: Fault): Promise<void> {
  const totalMs = Number(fault.value ?? 2000);
  begin(response, reply);
  const pieces = Math.min(20, body.length);
  for (let i = 0; i < pieces && !response.destroyed; i++) {
    await sleep(totalMs / pieces);
    response.write(
      body.subarray(Math.floor((i * body.length) / pieces), Math.floor(((i + 1) * body.length) / pieces)),
    );
  }
  response.end();
}

/** A JSON array that goes on and on. */
export async function sendBig(response: ServerResponse, bytes: number): Promise<void> {
  const chunk = Buffer.alloc(1 << 16, "7, ");
  begin(response, {
    status: 200,
    reason: "OK",
    headers: [
      ["Content-Type", "application/json"],
      ["Content-Length", String(bytes)],
    ],
    body: "",
  });
  response.write("[");
  response.on("close", () => response.emit("drain"));
  for (let sent = 1; sent < bytes && !response.destroyed; sent += chunk.length) {
    const piece = chunk.subarray(0, Math.min(chunk.length, bytes - sent));
    if (!response.write(piece)) {
      await once(response, "drain");
    }
  }
  response.end();
}
