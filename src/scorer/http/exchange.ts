import { performance } from "node:perf_hooks";

import type { Dispatcher } from "undici";

import type { Connection } from "./connections.ts";
import { failureOf, HttpFailure } from "./failure.ts";
import { grouped } from "../../grouped.ts";
import { seconds } from "./wording.ts";

/** What goes over the wire. */
export interface Outgoing {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | null;
  /** Of the reply's body. */
  readonly maxReplyBytes: number;
}

/** What comes back, its body as it is on the wire. */
export interface Incoming {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Whether a reply's status says most, so that of a body that is too large the beginning is enough. */
export function mayBeCut({ method }: Pick<Outgoing, "method">, status: number): boolean {
  return method === "GET" || status !== 200;
}

/** One request on one connection and its reply. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly reply: Promise<Incoming>;
  readonly #outgoing: Outgoing;
  readonly #connection: Connection;
  readonly #connectsBefore: number;
  readonly #startedAt = performance.now();
  readonly #chunks: Buffer[] = [];
  #resolve!: (reply: Incoming) => void;
  #reject!: (error: unknown) => void;
  #settled = false;
  #controller: Dispatcher.DispatchController | null = null;
  #status: number | null = null;
  #headers: Record<string, string> = {};
  #received = 0;

  constructor(connection: Connection, outgoing: Outgoing) {
    this.#connection = connection;
    this.#outgoing = outgoing;
    this.#connectsBefore = connection.connects;
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { url, method, headers, body } = outgoing;
    connection.dispatch(
      { origin: url.origin, path: `${url.pathname}${url.search}`, method, headers, body },
      this,
    );
  }

  /** True where the server closed a connection that had been idle, before it answered: another one may well work. */
  get wasStale(): boolean {
    return this.#status === null && this.#connection.connects === this.#connectsBefore;
  }

  /** Ends it at once: its promise rejects with the reason. */
  stop(reason: unknown): void {
    if (this.#settled) return;
    this.#fail(reason);
    if (this.#controller === null) void this.#connection.drop();
    else this.#controller.abort(new Error("given up"));
  }

  /** What it is to be out of time now. */
  timeout(limitMs: number): HttpFailure {
    const limit = seconds(limitMs);
    if (this.#controller === null && this.#connection.isConnecting)
      return new HttpFailure("unreachable", `no connection within ${limit}`);
    if (this.#status === null) return new HttpFailure("timeout", `no reply within ${limit}`);
    const came = `the reply was not complete within ${limit}: ${this.#progress()} came`;
    return new HttpFailure("stalled", came, { bytesReceived: this.#received });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It was stopped while a connection was made.
    if (this.#settled) controller.abort(new Error("given up"));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.#connection.awaitsReply = false;
    this.#status = status;
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) this.#headers[name] = Array.isArray(value) ? value.join(", ") : value;
    }
    const length = Number(this.#headers["content-length"]);
    if (length > this.#outgoing.maxReplyBytes && !mayBeCut(this.#outgoing, status))
      this.#refuse(`${grouped(length)} bytes`);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled || this.#status === null) return;
    this.#received += chunk.length;
    const excess = this.#received - this.#outgoing.maxReplyBytes;
    if (excess <= 0) this.#chunks.push(chunk);
    else if (mayBeCut(this.#outgoing, this.#status)) this.#cut(chunk.subarray(0, chunk.length - excess));
    else this.#refuse("more");
  }

  onResponseEnd(): void {
    if (this.#settled || this.#status === null) return;
    // A body without a length ends where the connection does, even where it broke.
    const { breaking } = this.#connection;
    if (breaking !== null) {
      this.onResponseError(this.#controller!, breaking);
      return;
    }
    this.#end(this.#status);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(
      failureOf(error, {
        url: this.#outgoing.url,
        elapsedMs: performance.now() - this.#startedAt,
        received: this.#status === null ? null : { bytes: this.#received, words: this.#progress() },
      }),
    );
  }

  /** What else comes is not waited for. */
  #cut(last: Buffer): void {
    this.#chunks.push(last);
    this.#end(this.#status!);
    this.#controller?.abort(new Error("enough"));
  }

  #end(status: number): void {
    this.#settled = true;
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#resolve({ status, headers: this.#headers, body });
  }

  #refuse(size: string): void {
    const most = grouped(this.#outgoing.maxReplyBytes);
    const text = `the reply's body is too large: ${size} where at most ${most} bytes are read`;
    this.stop(new HttpFailure("too-large", text, { bytesReceived: this.#received }));
  }

  #fail(reason: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#chunks.length = 0;
    this.#reject(reason);
  }

  #progress(): string {
    const total = this.#headers["content-length"];
    const of = total === undefined ? "" : ` of ${grouped(Number(total))}`;
    return `${grouped(this.#received)}${of} bytes`;
  }
}
