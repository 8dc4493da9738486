import { performance } from "node:perf_hooks";

import { packageVersions } from "../../package.ts";
import type { Reply } from "../protocols/protocol.ts";
import { onAbort } from "./abort.ts";
import { Connections, type Connection } from "./connections.ts";
import { decoded } from "./content-encoding.ts";
import { Exchange, mayBeCut, type Incoming, type Outgoing } from "./exchange.ts";
import { HttpFailure } from "./failure.ts";
import { redirectTarget, refused } from "./redirect.ts";
import { percentDecoded, shownUrl } from "./secrets.ts";

export { HttpFailure, type FailureKind } from "./failure.ts";

export interface TransportSettings {
  /** Requests that are under way at once; more wait for their turn. */
  readonly connections: number;
  /** From sending to the last byte of the reply. */
  readonly timeoutMs: number;
  /** The user's own, in every request to the same origin. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as Bearer; null: none. */
  readonly key: string | null;
  /** Where http_proxy, https_proxy and no_proxy are read; process.env by default. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface HttpRequest {
  readonly method: "GET" | "POST";
  /** Its user and password are sent as Basic where there is no key. */
  readonly url: URL;
  /** They take the place of the user's of the same name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  /** Sent as X-Request-Id. */
  readonly id: string;
  /**
   * Of the reply's body, as it comes and decoded. Status 200 to a POST may not have a longer one; of any other reply, whose status says
   * most, so much is read.
   */
  readonly maxReplyBytes: number;
  /** Takes the place of the settings'. */
  readonly timeoutMs?: number;
  /** Told of each time that it is sent again on a new connection, with what became of it on the old one. */
  readonly onResend?: (failure: HttpFailure) => void;
}

export interface HttpReply extends Reply {
  readonly elapsedMs: number;
  /** Of the body as it came, before its content encoding was undone. */
  readonly bytesReceived: number;
  /** Where redirects led; null: there were none. */
  readonly redirected: URL | null;
  /** They led to https, where neither the key nor the user's headers were sent. */
  readonly withoutKey: boolean;
}

export interface Transport {
  /**
   * One attempt. A request that meets a connection which the server has just closed does go out again, at once and on a
   * new connection: scoring changes nothing in the service, so that it may come twice.
   *
   * @throws HttpFailure; the signal's reason at once where it is aborted
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpReply>;
  close(): Promise<void>;
}

const MAX_REDIRECTS = 5;
const MAX_RESENDS = 2;
const CONNECT_TIMEOUT_MS = 10_000;

/** A keep-alive pool for one service, which knows no protocol. @throws UsageError where a proxy's variable is no URL */
export function openTransport(settings: TransportSettings): Transport {
  return new Pool(settings);
}

/** The exchange of a request that is under way, for what may end it from outside. */
interface UnderWay {
  exchange: Exchange | null;
}

class Pool implements Transport {
  readonly #settings: TransportSettings;
  readonly #connections: Connections;
  readonly #userAgent = `mnist-evaluate/${packageVersions().version}`;

  constructor(settings: TransportSettings) {
    this.#settings = settings;
    this.#connections = new Connections(settings.connections, {
      connectTimeoutMs: Math.min(CONNECT_TIMEOUT_MS, settings.timeoutMs),
      env: settings.env ?? process.env,
    });
  }

  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpReply> {
    signal.throwIfAborted();
    const connection = await this.#connections.take(signal);
    const current: UnderWay = { exchange: null };
    const limitMs = request.timeoutMs ?? this.#settings.timeoutMs;
    const timedOut = (): void => current.exchange?.stop(current.exchange.timeout(limitMs));
    // Where the process was busy for long, what has come meanwhile is read first.
    const timer = setTimeout(() => setImmediate(timedOut), limitMs);
    const unwatch = onAbort(signal, () => current.exchange?.stop(signal.reason));
    const startedAt = performance.now();
    try {
      const { reply, ...place } = await this.#followed(connection, request, current, signal);
      const elapsedMs = performance.now() - startedAt;
      const { status, headers, body } = reply;
      const plain = await bodyOf(reply, request);
      return { status, headers, body: plain, elapsedMs, bytesReceived: body.length, ...place };
    } finally {
      clearTimeout(timer);
      unwatch();
      this.#connections.give(connection);
    }
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  async #followed(
    connection: Connection,
    request: HttpRequest,
    current: UnderWay,
    signal: AbortSignal,
  ): Promise<{ reply: Incoming } & Pick<HttpReply, "redirected" | "withoutKey">> {
    const { method, body, maxReplyBytes } = request;
    let url = request.url;
    for (let redirects = 0; ; redirects++) {
      signal.throwIfAborted();
      const withoutKey = url.origin !== request.url.origin;
      const outgoing = { method, url, headers: this.#headers(request, withoutKey), body, maxReplyBytes };
      const reply = await this.#reply(connection, outgoing, current, request.onResend);
      const target = redirectTarget(outgoing, reply);
      if (target === null) return { reply, redirected: redirects === 0 ? null : url, withoutKey };
      if (redirects === MAX_REDIRECTS)
        throw refused(`redirected more than ${MAX_REDIRECTS} times, the last time to ${shownUrl(target)}`);
      url = target;
    }
  }

  async #reply(
    connection: Connection,
    outgoing: Outgoing,
    current: UnderWay,
    onResend: HttpRequest["onResend"],
  ): Promise<Incoming> {
    for (let resends = 0; ; resends++) {
      // Undici's proxies write into the headers.
      const fresh = { ...outgoing, headers: { ...outgoing.headers } };
      const exchange = new Exchange(connection, fresh);
      current.exchange = exchange;
      try {
        return await exchange.reply;
      } catch (error) {
        const closed = error instanceof HttpFailure && (error.kind === "closed" || error.kind === "reset");
        if (!closed || !exchange.wasStale || resends === MAX_RESENDS) throw error;
        onResend?.(error);
      }
    }
  }

  #headers({ url, headers, id }: HttpRequest, withoutKey: boolean): Record<string, string> {
    const { key, headers: own } = this.#settings;
    return {
      "user-agent": this.#userAgent,
      accept: "application/json, */*",
      // Replies are small beside the requests: packing them would cost more time than it saves.
      "accept-encoding": "identity",
      ...(withoutKey ? {} : { ...basic(url), ...lowerCased(own), ...bearer(key) }),
      ...lowerCased(headers),
      "x-request-id": id,
    };
  }
}

/** @throws HttpFailure where it cannot be decoded, and more than the status counts */
async function bodyOf({ status, headers, body }: Incoming, request: HttpRequest): Promise<Buffer> {
  try {
    return await decoded(body, headers["content-encoding"], request.maxReplyBytes);
  } catch (error) {
    if (error instanceof HttpFailure && mayBeCut(request, status)) return Buffer.alloc(0);
    throw error;
  }
}

function bearer(key: string | null): { authorization?: string } {
  return key === null ? {} : { authorization: `Bearer ${key}` };
}

/** A URL's user and password, which undici does not send by itself. */
function basic({ username, password }: URL): { authorization?: string } {
  if (username === "" && password === "") return {};
  const pair = [username, password].map(percentDecoded).join(":");
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
