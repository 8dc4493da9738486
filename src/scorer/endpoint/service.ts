import { waitUntilReady } from "../http/ready.ts";
import { HttpFailure, type FailureKind, type HttpReply } from "../http/transport.ts";
import { JSON_HEADERS } from "../protocols/paths.ts";
import { PROTOCOLS } from "../protocols/table.ts";
import { scoreUrl, starts } from "./discover.ts";
import type { EndpointHooks, EndpointOptions } from "./options.ts";
import { pause } from "./pause.ts";
import type { Line } from "./requests.ts";

/** How often a question about the service itself is asked, while it has not taken its time. */
const QUESTION_ATTEMPTS = 3;
const QUESTION_PAUSE_MS = 200;
const QUESTION_TIMEOUT_MS = 10_000;
/** Of what a service says about itself: the longest known are schemas with an example of an image. */
const MOST_TOLD_BYTES = 2 ** 20;

/** What comes to the same each time. */
const LASTING: ReadonlySet<FailureKind> = new Set<FailureKind>(["redirect", "tls"]);

/** The service's routes other than the one for images. */
export class Service {
  readonly #options: EndpointOptions;
  readonly #line: Line;
  readonly #signal: AbortSignal;
  server: string | null = null;
  #asked = 0;

  constructor(options: EndpointOptions, line: Line, signal: AbortSignal) {
    this.#options = options;
    this.#line = line;
    this.#signal = signal;
  }

  async ready({ onWait }: EndpointHooks): Promise<void> {
    const paths = starts(this.#options).flatMap(({ name, target }) => PROTOCOLS[name].readyPaths(target));
    await waitUntilReady((path) => this.#send(path, "GET"), [...new Set(paths)], {
      limitMs: this.#options.waitMs,
      onWait,
      now: () => performance.now(),
      sleep: (ms) => pause(ms, this.#signal),
      signal: this.#signal,
    });
  }

  /** Null where nothing can be learned. What may pass is asked again. */
  async ask(path: string, method: "GET" | "POST"): Promise<HttpReply | null> {
    const until = performance.now() + QUESTION_TIMEOUT_MS;
    for (let attempt = 1; ; attempt++) {
      const reply = await this.#send(path, method).catch((error: unknown) => {
        if (error instanceof HttpFailure) return error;
        throw error;
      });
      const failed = reply instanceof HttpFailure;
      const passes = failed ? !LASTING.has(reply.kind) : reply.status === 429 || reply.status >= 500;
      if (!passes || attempt === QUESTION_ATTEMPTS || performance.now() >= until)
        return failed ? null : reply;
      await pause(QUESTION_PAUSE_MS * attempt, this.#signal);
    }
  }

  async #send(path: string, method: "GET" | "POST"): Promise<HttpReply> {
    this.#asked += 1;
    const { url, timeoutMs } = this.#options;
    const reply = await this.#line.transport.send(
      {
        method,
        url: scoreUrl(url, path === "" ? "/" : path),
        headers: method === "POST" ? JSON_HEADERS : {},
        body: method === "POST" ? Buffer.from("{}") : null,
        id: `${this.#line.traffic.run}-q${this.#asked}`,
        maxReplyBytes: MOST_TOLD_BYTES,
        timeoutMs: Math.min(timeoutMs, QUESTION_TIMEOUT_MS),
      },
      this.#signal,
    );
    this.server ??= reply.headers["server"] ?? null;
    return reply;
  }
}
