import { createServer, type Server } from "node:http";
import { Server as NetServer, type AddressInfo, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";

import { messageOf, ScorerError, UsageError } from "../errors.ts";
import type { ServedModel } from "../scorer/protocols/service.ts";
import { keyCheck } from "./auth.ts";
import { Batcher } from "./batcher.ts";
import type { Engine } from "./engine.ts";
import type { Exchange, Outcome } from "./exchange.ts";
import type { Load } from "./admission.ts";
import { refuseConnection } from "./connection.ts";
import { createHandler, type HandlerOptions, type State } from "./handler.ts";
import type { Log } from "./log.ts";
import { redaction, SHORT_KEY } from "./redaction.ts";
import { routesOf } from "./routes.ts";
import { Telemetry } from "./telemetry.ts";

export interface ServiceOptions extends HandlerOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** As paths name the model. */
  readonly modelName: string;
  /** Rows of one run of the model. */
  readonly batchSize: number;
  readonly batchDelayMs: number;
  /** Bearer keys; none: whoever asks is answered. */
  readonly keys: readonly string[];
  /** Of this program. */
  readonly version: string;
}

/** A service that is ready. */
export interface RunningService {
  /** As `http://127.0.0.1:5001`. */
  readonly url: string;
  readonly model: ServedModel;
  /**
   * Stops taking requests, finishes those that are under way, and closes.
   *
   * @throws ScorerError where some did not end in time and were cut
   */
  stop(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
/** Longer than load balancers keep a connection (60 s): who closes first loses no request. */
const KEEP_ALIVE_MS = 65_000;
const CHECK_MS = 1_000;
const MOST_HEADER_BYTES = 16_384;
/** After a stop is asked for, open connections are waited on so long: who sends once more is answered, and told to close. */
const LINGER_MS = 500;
/** The service has one model, which paths must give some version. */
const VERSION = "1";

/**
 * Starts to listen, and then opens the model: meanwhile, health is answered with 503.
 *
 * @throws UsageError where the address cannot be had, ScorerError where the model cannot be used
 */
export async function startService(
  options: ServiceOptions,
  openEngine: () => Promise<Engine>,
  log: Log,
): Promise<RunningService> {
  const service = new ScoringService(options, log);
  const url = await service.listen();
  log.write("info", "loading the model", { url, model: options.modelName, keys: options.keys.length });
  if (options.keys.length === 0 && !isLoopback(options.host))
    log.write("warn", "whoever reaches this address is answered: ask for keys with --api-key-env", { url });
  if (options.keys.some((key) => key.length < SHORT_KEY))
    log.write("warn", `a key of fewer than ${SHORT_KEY} characters is soon guessed: take a longer one`);
  try {
    const model = await service.open(openEngine);
    log.write("info", "ready", { url, model: model.name, classes: model.classes.length });
    return { url, model, stop: () => service.stop() };
  } catch (error) {
    await service.stop();
    throw error;
  }
}

const isLoopback = (host: string): boolean => /^(127\.|::1$|localhost$)/.test(host);

class ScoringService {
  readonly #options: ServiceOptions;
  readonly #log: Log;
  readonly #redact: (text: string) => string;
  readonly #server: Server;
  readonly #load: Load = { requests: 0, reading: 0, bytes: 0 };
  readonly #open = new Set<Exchange>();
  readonly #telemetry: Telemetry;
  #state: State;
  #engine: Engine | null = null;
  /** Requests that were cut while the service stopped. */
  #cut = 0;

  constructor(options: ServiceOptions, log: Log) {
    this.#options = options;
    this.#log = log;
    this.#redact = redaction(options.keys);
    const named = nameOnly(options.modelName);
    this.#state = { routes: routesOf(named), named, serving: null, draining: false };
    this.#telemetry = new Telemetry({
      inFlight: () => this.#load.requests,
      queuedImages: () => this.#state.serving?.batcher.queued ?? 0,
      pendingBytes: () => this.#load.bytes,
      ready: () => this.#state.serving !== null && !this.#state.draining,
      model: () => ({ name: options.modelName, sha256: this.#engine?.facts.sha256 ?? "" }),
    });
    const handler = createHandler({
      options,
      state: () => this.#state,
      load: this.#load,
      open: this.#open,
      allowed: keyCheck(options.keys),
      redact: this.#redact,
      log,
      metricsText: () => this.#telemetry.text(),
      onOver: (outcome) => this.#over(outcome),
    });
    this.#server = createServer({
      maxHeaderSize: MOST_HEADER_BYTES,
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, options.timeoutMs),
      // The handler's own time-out comes first, and has words.
      requestTimeout: options.timeoutMs + 2 * CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_MS,
    });
    this.#server
      .on("request", (request, response) => handler(request, response, false))
      .on("checkContinue", (request, response) => handler(request, response, true))
      .on("clientError", (error: NodeJS.ErrnoException, socket: Socket) =>
        this.#telemetry.request("other", refuseConnection(error, socket), 0),
      );
  }

  /** @returns the URL @throws UsageError */
  listen(): Promise<string> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      this.#server.listen(port, host, () => {
        const { address, port: bound, family } = this.#server.address() as AddressInfo;
        resolve(`http://${family === "IPv6" ? `[${address}]` : address}:${bound}`);
      });
    });
  }

  /** @throws ScorerError */
  async open(openEngine: () => Promise<Engine>): Promise<ServedModel> {
    const engine = await openEngine();
    this.#engine = engine;
    const { facts } = engine;
    const { modelName, version, batchSize, batchDelayMs } = this.#options;
    const model: ServedModel = { ...facts, name: modelName, version: VERSION, server: version };
    const batcher = new Batcher({
      score: (rows, count) => engine.score(rows, count),
      rowSize: facts.shape[0] * facts.shape[1],
      classes: facts.classes.length,
      hasProbabilities: facts.hasProbabilities,
      ownLabels: facts.ownLabels,
      mostRows: batchSize,
      delayMs: batchDelayMs,
      othersComing: () => this.#load.reading > 0,
      onRun: (rows, requests, ms) => this.#telemetry.run(rows, requests, ms),
    });
    this.#state = { ...this.#state, serving: { model, batcher } };
    return model;
  }

  async stop(): Promise<void> {
    this.#state = { ...this.#state, draining: true };
    this.#log.write("info", "stopping", { requestsUnderWay: this.#open.size });
    // Not the HTTP server's own close, which would cut connections that wait for their sender's next request.
    const closed = new Promise((resolve) => NetServer.prototype.close.call(this.#server, resolve));
    const linger = setInterval(() => this.#closeIdle(), LINGER_MS);
    const deadline = setTimeout(() => {
      for (const exchange of this.#open) exchange.destroy();
      this.#server.closeAllConnections();
    }, this.#options.timeoutMs + CHECK_MS);
    await closed;
    // The end of a connection reaches its last request a moment after the server.
    while (this.#open.size > 0) await setImmediate();
    clearInterval(linger);
    clearTimeout(deadline);
    await this.#engine?.close();
    const cut = this.#cut;
    this.#log.write("info", "stopped", { requestsCut: cut });
    this.#log.flush();
    if (cut === 0) return;
    const requests = cut === 1 ? "1 request" : `${cut} requests`;
    throw new ScorerError(`${requests} had no answer in time: allow more with --timeout`);
  }

  /** Node takes a connection for idle before all of its last answer is written. */
  #closeIdle(): void {
    const isWriting = [...this.#open].some(({ answered }) => answered);
    if (!isWriting) this.#server.closeIdleConnections();
  }

  #over({ id, method, path, route, status, ms, images, bytesReceived, cut }: Outcome): void {
    if (cut && this.#state.draining) this.#cut += 1;
    this.#telemetry.request(route, status, ms / 1000);
    this.#log.write("info", "request", {
      requestId: id,
      method,
      path: route === "other" ? this.#redact(path).slice(0, 200) : route,
      status,
      ms: Math.round(ms * 1000) / 1000,
      ...(images > 0 ? { images } : {}),
      ...(bytesReceived > 0 ? { bytes: bytesReceived } : {}),
      ...(cut ? { cut } : {}),
    });
  }
}

/** What paths need of a model that is not loaded yet. */
function nameOnly(name: string): ServedModel {
  return {
    name,
    version: VERSION,
    server: "",
    classes: [],
    shape: [0, 0],
    input: "",
    element: "float32",
    whole: false,
    hasProbabilities: false,
  };
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): UsageError {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} is in use: name another with --port, or stop what uses it`,
    EACCES: `port ${port} may not be used: name one above 1023 with --port`,
    EADDRNOTAVAIL: `${host} is no address of this machine: name one with --host, or 0.0.0.0 for all`,
    ENOTFOUND: `the host ${host} is not known: name an address with --host, or 0.0.0.0 for all`,
  };
  return new UsageError(
    reasons[error.code ?? ""] ?? `cannot listen at ${host}:${port}: ${messageOf(error)}`,
    {
      cause: error,
    },
  );
}
