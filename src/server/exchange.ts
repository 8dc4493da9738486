import type { IncomingMessage, ServerResponse } from "node:http";

import type { ServiceReply } from "../scorer/protocols/service.ts";
import { requestId } from "./request-id.ts";

/** What is told of a request once it is over. */
export interface Outcome {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** As it was registered; `other` for what is not there. */
  readonly route: string;
  /** 499 where the sender went away before its answer. */
  readonly status: number;
  readonly ms: number;
  readonly images: number;
  readonly bytesReceived: number;
  /** Its connection was closed in the middle of the answer, which was not taken in time. */
  readonly cut: boolean;
}

/** The sender went away, as nginx counts it. */
const GONE = 499;
/** The connection of a request that is already answered is closed once so long nothing more of its body has come. */
const DRAINED_MS = 500;

export interface ExchangeOptions {
  /** Bytes that are taken in of a body after its answer. */
  readonly mostDrained: number;
  /** Takes keys out of what a sender gave. */
  readonly redact: (text: string) => string;
}

/** One request and its answer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly id: string;
  readonly path: string;
  /** The part of the URL after its question mark. */
  readonly query: string;
  route = "other";
  images = 0;
  bytesReceived = 0;
  answered = false;
  /** The sender holds its body back until it is told to go on. */
  waiting: boolean;
  readonly #response: ServerResponse;
  readonly #startedAt = performance.now();
  readonly #mostDrained: number;
  readonly #endings: (() => void)[] = [];
  #cutting = false;
  #cut = false;
  #written = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    waiting: boolean,
    { mostDrained, redact }: ExchangeOptions,
    onOver: (outcome: Outcome) => void,
  ) {
    this.request = request;
    this.#response = response;
    this.#mostDrained = mostDrained;
    this.waiting = waiting;
    this.id = requestId(request.headers["x-request-id"], redact);
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? "" : url.slice(mark + 1);
    response.on("error", () => {
      // Of a connection that is gone, which its close tells too.
    });
    response.once("close", () => {
      for (const ending of this.#endings) ending();
      onOver(this.#outcome());
    });
  }

  /** The body is wanted. */
  proceed(): void {
    if (this.waiting) this.#response.writeContinue();
    this.waiting = false;
  }

  /** Calls back once all of the answer is written, or the connection is gone. */
  onOver(listener: () => void): void {
    this.#endings.push(listener);
  }

  /** Closes the connection, whatever of the answer is not yet written. */
  destroy(): void {
    // Before the connection is closed: Node then takes everything for written.
    this.#cut = !this.#response.writableFinished && !this.#written;
    this.request.socket.destroy();
  }

  /** Answers once: what comes later is dropped, as after a time-out. */
  reply(
    { status = 200, headers, body }: ServiceReply,
    more: Readonly<Record<string, string>>,
    close: boolean,
  ): void {
    if (this.answered) return;
    this.answered = true;
    const response = this.#response;
    response.writeHead(status, {
      ...headers,
      ...more,
      "X-Request-Id": this.id,
      "Content-Length": typeof body === "string" ? Buffer.byteLength(body) : body.length,
      ...(close || this.#cutting ? { Connection: "close" } : {}),
    });
    if (this.request.complete || close || this.#cutting) response.end(body);
    else {
      // Complete by its length, while the connection stays open for what is still coming.
      response.write(body, () => (this.#written = true));
      this.#drain(() => response.end());
    }
  }

  /** Cuts the connection once the answer is written, whatever is still coming. */
  cut(): void {
    this.#cutting = true;
    this.#response.once("finish", () => this.request.socket.destroySoon());
  }

  /** Takes in the rest of an answered request's body: closing at once would reset the connection, and lose the answer. */
  #drain(then: () => void): void {
    const { request } = this;
    const timer = setTimeout(then, DRAINED_MS);
    let drained = 0;
    request.on("data", (piece: Buffer) => {
      drained += piece.length;
      timer.refresh();
      if (drained > this.#mostDrained) then();
    });
    request.once("end", then);
    this.#response.once("close", () => clearTimeout(timer));
    this.#response.once("finish", () => clearTimeout(timer));
    request.resume();
  }

  #outcome(): Outcome {
    const gone = this.#cut || (!this.#response.writableFinished && !this.#written);
    return {
      id: this.id,
      method: this.request.method ?? "",
      path: this.path,
      route: this.route,
      status: gone ? GONE : this.#response.statusCode,
      ms: performance.now() - this.#startedAt,
      images: this.images,
      bytesReceived: this.bytesReceived,
      cut: this.#cut,
    };
  }
}
