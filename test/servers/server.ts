import { createServer as createPlain } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createSecure } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { readFileSync } from "node:fs";

import { Tally, add } from "./counts.ts";
import type { Counts } from "./counts.ts";
import { plain, replyInstead, send, sendBig, sendSpoilt } from "./deliver.ts";
import { Faulted, Handling } from "./exchange.ts";
import type { Shared } from "./exchange.ts";
import { faultPlan } from "./faults.ts";
import type { Fault } from "./faults.ts";
import { KINDS } from "./kinds/kinds.ts";
import type { Kind } from "./kinds/kinds.ts";
import { loadModel } from "./model.ts";
import type { ServerOptions } from "./options.ts";
import { isScoring, reasonOf } from "./service.ts";
import type { Reply, Request, Service } from "./service.ts";
import { turns } from "./turns.ts";

/** A server that listens in this process. */
export interface Listening {
  readonly url: string;
  readonly scoreUrl: string;
  readonly counts: () => Counts;
  readonly stop: () => Promise<void>;
}

/** To get a port back: five seconds. */
const MOST_ATTEMPTS = 50;

/** @param key what `Authorization: Bearer` must carry, null where anybody may ask */
export async function listen(kind: Kind, options: ServerOptions, key: string | null): Promise<Listening> {
  const { faults = [], delayMs = 0, imageDelayMs = 0, readyAfterMs = 0 } = options;
  const { output = "labels", precision = "float64" } = options;
  // A service that answers with labels may be asked for probabilities, too.
  const model = await loadModel(options.model, output === "labels" ? "probabilities" : output, precision);
  const readyAt = performance.now() + readyAfterMs;
  const service = KINDS[kind]({
    ...model,
    name: options.name ?? "mnist",
    mode: options.mode ?? null,
    output,
    batch: options.batch ?? null,
    scale: options.scale ?? "unit",
    ready: () => performance.now() >= readyAt,
  });
  const plan = faultPlan(faults, options.seed ?? 0);
  const shared = { model, plan, faults, tally: new Tally(), delayMs, imageDelayMs };
  const endpoint = new Endpoint(service, shared, options, key);
  return await endpoint.open(service.listensWhileLoading === true ? 0 : readyAfterMs);
}

class Endpoint {
  readonly #service: Service;
  readonly #shared: Shared;
  readonly #options: ServerOptions;
  readonly #key: string | null;
  readonly #server: Server;
  readonly #turn: ReturnType<typeof turns>;
  readonly #startMs = performance.now();
  #port = 0;
  #open = 0;
  #underWay = 0;
  #stopped = false;

  constructor(service: Service, shared: Shared, options: ServerOptions, key: string | null) {
    this.#service = service;
    this.#shared = shared;
    this.#options = options;
    this.#key = key;
    this.#turn = turns(options.workers ?? Infinity);
    const { tls } = options;
    const settings = {
      keepAliveTimeout: service.keepAliveMs,
      maxHeaderSize: 1 << 17,
      ...(tls === undefined ? {} : { key: readFileSync(tls.key), cert: readFileSync(tls.cert) }),
    };
    const listener = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#serve(request, response).catch((error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
        response.destroy();
      });
    this.#server = tls === undefined ? createPlain(settings, listener) : createSecure(settings, listener);
    this.#server.maxHeadersCount = 0;
    this.#server.on("connection", (socket) => {
      const { tally } = shared;
      tally.connections++;
      tally.peakConnections = Math.max(tally.peakConnections, ++this.#open);
      socket.on("close", () => this.#open--);
    });
  }

  async open(laterMs: number): Promise<Listening> {
    await this.#listen(this.#options.port ?? 0);
    this.#port = (this.#server.address() as AddressInfo).port;
    if (laterMs > 0) void this.#restart(laterMs);
    const url = `${this.#options.tls === undefined ? "http" : "https"}://127.0.0.1:${this.#port}`;
    return {
      url,
      scoreUrl: url + this.#service.scorePaths[0]!,
      counts: () => this.#shared.tally.counts(),
      stop: async () => {
        this.#stopped = true;
        await this.#close();
      },
    };
  }

  /** A port that was left may be that of another's connection by now, for a while. */
  async #listen(port: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#listenOnce(port);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || attempt === MOST_ATTEMPTS) throw error;
        await sleep(100);
      }
    }
  }

  async #listenOnce(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  async #close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #restart(ms: number): Promise<void> {
    if (!this.#server.listening) return;
    await this.#close();
    await sleep(ms);
    if (!this.#stopped) await this.#listen(this.#port);
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = "", query = ""] = (message.url ?? "").split("?", 2);
    const headers = Object.fromEntries(
      Object.entries(message.headers).map(([name, value]) => [name, String(value)]),
    );
    const method = message.method ?? "";
    const { tally, plan } = this.#shared;
    const scoring = isScoring(this.#service, { method, path });
    tally.requests++;
    tally.seeHeaders(headers);
    const handling = new Handling(this.#shared, scoring ? plan.pick(tally.scoringRequests) : null);
    if (scoring) tally.scoringRequests++;
    if (scoring) tally.peakRequests = Math.max(tally.peakRequests, ++this.#underWay);
    const startMs = performance.now() - this.#startMs;
    let bytes = 0;
    response.on("close", () => {
      if (scoring) this.#underWay--;
      tally.see({
        method,
        path,
        status: response.headersSent ? response.statusCode : 0,
        images: handling.digests.length,
        bytes,
        fault: handling.fault?.name ?? null,
        requestId: headers["x-request-id"] ?? null,
        userAgent: headers["user-agent"] ?? null,
        contentType: headers["content-type"] ?? null,
        startMs,
      });
    });
    const body = await this.#receive(message, response, handling);
    if (body === null) return;
    bytes = body.length;
    tally.bytesReceived += bytes;
    await this.#answer({ method, path, query, headers, body }, response, handling);
  }

  /** The body; null where the request met its end before. */
  async #receive(
    message: IncomingMessage,
    response: ServerResponse,
    handling: Handling,
  ): Promise<Buffer | null> {
    const length = Number(message.headers["content-length"] ?? 0);
    const abrupt = this.#shared.faults.find(({ name }) => name === "413-abrupt");
    if (abrupt !== undefined && length > Number(abrupt.value)) {
      handling.fault = abrupt;
      send(response, tooLarge());
      response.on("finish", () => message.socket.destroy());
      return null;
    }
    const reset = handling.planned?.name === "reset-request" && handling.decide() !== null;
    const chunks: Buffer[] = [];
    let received = 0;
    try {
      for await (const chunk of message as AsyncIterable<Buffer>) {
        received += chunk.length;
        if (reset && received >= length / 2) {
          message.socket.resetAndDestroy();
          return null;
        }
        if (received <= (this.#options.maxBytes ?? Infinity)) chunks.push(chunk);
      }
    } catch {
      // The client is gone: as servers do, nothing is answered.
      message.socket.destroy();
      return null;
    }
    if (received > (this.#options.maxBytes ?? Infinity)) {
      send(response, tooLarge());
      return null;
    }
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, received);
  }

  async #answer(request: Request, response: ServerResponse, handling: Handling): Promise<void> {
    const { tally } = this.#shared;
    if (this.#key !== null && request.headers["authorization"] !== `Bearer ${this.#key}`) {
      tally.unauthorized++;
      send(
        response,
        plain(401, "application/json", `{"message": "Unauthorized"}`, [["WWW-Authenticate", "Bearer"]]),
      );
      return;
    }
    let reply: Reply | null = null;
    try {
      reply = await this.#turn(async () => await this.#service.handle(request, handling));
    } catch (error) {
      if (!(error instanceof Faulted)) throw error;
    }
    const { fault } = handling;
    if (reply === null) {
      await this.#fail(request, response, fault!);
      return;
    }
    tally.bytesSent += Buffer.byteLength(reply.body);
    if (fault === null) {
      response.on("finish", () => {
        if (reply.status === 200) for (const digest of handling.digests) add(tally.answered, digest);
      });
      send(response, reply);
    } else if (fault.name === "bad-image") {
      send(
        response,
        fault.status === undefined
          ? reply
          : { ...reply, status: fault.status, reason: reasonOf(fault.status) },
      );
    } else await sendSpoilt(response, reply, fault);
  }

  /** Instead of an answer. */
  async #fail(request: Request, response: ServerResponse, fault: Fault): Promise<void> {
    const reply = replyInstead(fault, request.headers["authorization"] ?? "");
    if (reply !== null) {
      this.#shared.tally.bytesSent += Buffer.byteLength(reply.body);
      send(response, reply);
    } else if (fault.name === "reset-before-reply") response.socket?.resetAndDestroy();
    else if (fault.name === "close-unanswered") response.socket?.end();
    else if (fault.name === "big-body") await sendBig(response, Number(fault.value ?? 100_000_000));
    else if (fault.name === "restart") await this.#restart(Number(fault.value ?? 500));
  }
}

function tooLarge(): Reply {
  return plain(413, "text/html", "<html><head><title>413 Request Entity Too Large</title></head></html>", [
    ["Connection", "close"],
  ]);
}
