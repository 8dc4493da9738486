import type { IncomingMessage, ServerResponse } from "node:http";

import {
  RequestError,
  type ServedModel,
  type Service,
  type ServiceReply,
} from "../scorer/protocols/service.ts";
import { askedOf, type PixelRange } from "./asked.ts";
import type { KeyCheck } from "./auth.ts";
import type { Batcher } from "./batcher.ts";
import { AbortedError } from "./aborted.ts";
import {
  hasTwoHosts,
  holdsTooMuch,
  refusalOf,
  RETRY,
  TOO_MANY,
  type Limits,
  type Load,
} from "./admission.ts";
import { readBody } from "./body.ts";
import { corsHeaders, preflight } from "./cors.ts";
import { Exchange, type Outcome } from "./exchange.ts";
import type { Log } from "./log.ts";
import { prepare, type PixelOptions } from "./pixels.ts";
import type { Route, Routes } from "./routes.ts";

export interface HandlerOptions extends PixelOptions, Limits {
  /** What numbers are where a request does not say. */
  readonly pixels: PixelRange;
  readonly timeoutMs: number;
  readonly corsOrigins: readonly string[];
}

/** What the service is at this moment. */
export interface State {
  readonly routes: Routes;
  /** The model as far as it is known before it is loaded: by its name. */
  readonly named: ServedModel;
  /** Null until the model is loaded. */
  readonly serving: { readonly model: ServedModel; readonly batcher: Batcher } | null;
  readonly draining: boolean;
}

const NOTHING = {} as const;

export interface HandlerParts {
  readonly options: HandlerOptions;
  readonly state: () => State;
  readonly load: Load;
  /** Whatever is not answered to its last byte. */
  readonly open: Set<Exchange>;
  readonly allowed: KeyCheck;
  readonly redact: (text: string) => string;
  readonly log: Log;
  readonly metricsText: () => string;
  readonly onOver: (outcome: Outcome) => void;
}

/** @param waiting the sender holds its body back until it is told to go on (Expect: 100-continue) */
type Handler = (request: IncomingMessage, response: ServerResponse, waiting: boolean) => void;

/** Answers requests: who may, what for, and how much at once. The protocols say the rest. */
export function createHandler(parts: HandlerParts): Handler {
  const options = { mostDrained: parts.options.maxRequestBytes, redact: parts.redact };
  return (request, response, waiting) => {
    const exchange = new Exchange(request, response, waiting, options, (outcome) => {
      parts.open.delete(exchange);
      parts.onOver(outcome);
    });
    parts.open.add(exchange);
    const state = parts.state();
    const cors = corsHeaders(request.headers.origin, parts.options.corsOrigins);
    const send = (reply: ServiceReply, more: Readonly<Record<string, string>> = NOTHING): void =>
      exchange.reply(
        reply,
        cors === null ? more : { ...cors, ...more },
        parts.state().draining || exchange.waiting,
      );
    try {
      if (hasTwoHosts(request)) return send(...twoHosts(state.routes, exchange));
      if (request.method === "OPTIONS" && cors !== null) return send(preflight());
      const route = state.routes.find(request.method ?? "", exchange.path);
      if (route === null) return send(...missing(state.routes, exchange));
      exchange.route = route.path;
      answer(parts, state, exchange, route, send);
    } catch (error) {
      send(...failure(parts, state.routes, exchange, error));
    }
  };
}

/** There is nothing to give up. */
function nothing(): void {}

type Send = (reply: ServiceReply, more?: Readonly<Record<string, string>>) => void;
type Sent = [reply: ServiceReply, more?: Readonly<Record<string, string>>];

function answer(parts: HandlerParts, state: State, exchange: Exchange, route: Route, send: Send): void {
  const ready = state.serving !== null && !state.draining;
  const { accept = "" } = exchange.request.headers;
  if (route.kind === "fact" && route.fact.health) {
    // Health has no need of what is not known before the model is loaded.
    return send(route.fact.reply(state.serving?.model ?? state.named, ready, accept));
  }
  if (!parts.allowed(exchange.request.headers.authorization)) {
    const reply = state.routes.error(exchange.path, 401, "a key is needed: send Authorization: Bearer KEY");
    return send(reply, { "WWW-Authenticate": "Bearer" });
  }
  if (route.kind === "metrics") return send(metricsReply(parts.metricsText()));
  if (state.serving === null) {
    return send(state.routes.error(exchange.path, 503, "the model is being loaded: try again"), RETRY);
  }
  if (route.kind === "fact") return send(route.fact.reply(state.serving.model, ready, accept));
  const refusal = refusalOf(exchange.request, parts.options, parts.load);
  if (refusal !== null) return send(route.service.error(refusal.status, refusal.message), refusal.headers);
  void score(parts, state.serving, exchange, route.service, send);
}

async function score(
  parts: HandlerParts,
  { model, batcher }: NonNullable<State["serving"]>,
  exchange: Exchange,
  service: Service,
  send: Send,
): Promise<void> {
  const { options, load } = parts;
  const { request } = exchange;
  /** Ends what is waited for: the body, and then the scores. */
  let giveUp = nothing;
  let isRead = false;
  load.requests += 1;
  load.reading += 1;
  const timer = setTimeout(() => {
    if (exchange.answered) return exchange.destroy();
    giveUp();
    const [status, what] = isRead
      ? [503, "it was not scored in time"]
      : [408, "its body did not come in time"];
    if (!isRead) exchange.cut();
    send(service.error(status, `the request took more than ${options.timeoutMs / 1000} s: ${what}`), RETRY);
  }, options.timeoutMs);
  exchange.onOver(() => {
    clearTimeout(timer);
    load.requests -= 1;
    giveUp();
  });
  try {
    const asked = askedOf(request.headers, exchange.query, options.pixels, exchange.id);
    const jsonBytes = service.jsonBytes?.(request.headers as Record<string, string | undefined>) ?? null;
    exchange.proceed();
    const body = await readBody(request, {
      element: model.element,
      rowSize: model.shape[0] * model.shape[1],
      jsonBytes,
      mostBytes: options.maxRequestBytes,
      onBytes(bytes) {
        exchange.bytesReceived += bytes;
        load.bytes += bytes;
        if (holdsTooMuch(options, load.bytes)) throw new RequestError(429, TOO_MANY);
      },
      onStart: (stop) => (giveUp = stop),
    });
    isRead = true;
    load.reading -= 1;
    const wanted = service.read(body, asked, model);
    prepare(wanted.images, wanted.pixels, model, options);
    exchange.images = wanted.count;
    if (exchange.answered) return;
    const job = batcher.submit(wanted.images, wanted.count);
    giveUp = job.cancel;
    send(wanted.write(await job.scores));
  } catch (error) {
    if (error instanceof AbortedError) return;
    if (error instanceof RequestError && error.status === 408) exchange.cut();
    send(...failureOf(parts, service, exchange, error));
  } finally {
    if (!isRead) load.reading -= 1;
    load.bytes -= exchange.bytesReceived;
  }
}

/** The sender's own mistakes are told; what went wrong here stands in the log alone. */
function failureOf(parts: HandlerParts, service: Service, exchange: Exchange, error: unknown): Sent {
  if (error instanceof RequestError) {
    const headers = error.status === 429 || error.status === 408 ? RETRY : NOTHING;
    return [service.error(error.status, error.message), headers];
  }
  logFailure(parts, exchange, error);
  return [service.error(500, `the model failed: its log has the reason under the request id ${exchange.id}`)];
}

function failure(parts: HandlerParts, routes: Routes, exchange: Exchange, error: unknown): Sent {
  if (error instanceof RequestError) return [routes.error(exchange.path, error.status, error.message)];
  logFailure(parts, exchange, error);
  return [
    routes.error(
      exchange.path,
      500,
      `the service failed: its log has the reason under the request id ${exchange.id}`,
    ),
  ];
}

function logFailure({ log, redact }: HandlerParts, { id, path }: Exchange, error: unknown): void {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log.write("error", "a request failed", {
    requestId: id,
    path: redact(path).slice(0, 200),
    error: redact(stack),
  });
}

function twoHosts(routes: Routes, exchange: Exchange): Sent {
  exchange.cut();
  return [routes.error(exchange.path, 400, "the request has two Host headers: send one")];
}

function missing(routes: Routes, { path, request }: Exchange): Sent {
  const methods = routes.methods(path);
  if (methods.length === 0) {
    return [routes.error(path, 404, "there is nothing at this path, or no model of this name")];
  }
  const reply = routes.error(path, 405, `${request.method} is not allowed here: use ${methods.join(" or ")}`);
  return [reply, { Allow: methods.join(", ") }];
}

function metricsReply(text: string): ServiceReply {
  return { headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" }, body: text };
}
