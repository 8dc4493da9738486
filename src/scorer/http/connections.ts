import type { Socket } from "node:net";

import { buildConnector, Client, EnvHttpProxyAgent, type Dispatcher } from "undici";

import { UsageError } from "../../errors.ts";
import { onAbort } from "./abort.ts";
import { passOverContinue } from "./interim.ts";

export interface ConnectionSettings {
  readonly connectTimeoutMs: number;
  /** Where http_proxy, https_proxy and no_proxy are read. */
  readonly env: NodeJS.ProcessEnv;
}

/** Servers close idle connections without a word, gunicorn after 2 s and uvicorn after 5 s: ours close first. */
const IDLE_MS = 1500;
/** Where a server names its limit in a Keep-Alive header, ours close this much earlier. */
const IDLE_MARGIN_MS = 500;
const MAX_IDLE_MS = 60_000;
/** Node's own 250 ms gives up on hosts with several addresses that are far away. */
const ADDRESS_TIMEOUT_MS = 2500;

interface Proxies {
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
}

/**
 * One connection to each origin, on which one request is under way at a time. It counts its connects, because what a
 * close means depends on whether the request went over a connection that had been idle.
 */
export class Connection {
  /** Connections that came about. */
  connects = 0;
  /** The error that a connection is breaking with, while undici hears of it: it takes some for the end of a reply. */
  breaking: Error | null = null;
  /** A request is on its way, and no reply has begun but interim ones. */
  awaitsReply = false;
  readonly #settings: ConnectionSettings;
  readonly #proxies: Proxies;
  readonly #connect: buildConnector.connector;
  #connecting: Socket | null = null;
  /** Connections that are being made by the present dispatcher. */
  #making = { count: 0 };
  #dispatcher: Dispatcher | null = null;

  constructor(settings: ConnectionSettings, connect: buildConnector.connector) {
    this.#settings = settings;
    this.#proxies = proxiesOf(settings.env);
    this.#connect = connect;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#dispatcher ??= this.#open();
    this.awaitsReply = true;
    this.#dispatcher.dispatch(options, handler);
  }

  get isConnecting(): boolean {
    return this.#making.count > 0;
  }

  /** Drops whatever is under way; the next request connects anew. */
  async drop(): Promise<void> {
    const dispatcher = this.#dispatcher;
    this.#dispatcher = null;
    this.#making = { count: 0 };
    const closed = dispatcher?.destroy();
    // Undici lets a connection that is just being made live on until it stands.
    this.#connecting?.destroy(new Error("given up"));
    this.#connecting = null;
    await closed;
  }

  #open(): Dispatcher {
    const timeout = { timeout: this.#settings.connectTimeoutMs };
    return new EnvHttpProxyAgent({
      ...this.#proxies,
      // Many proxies allow no tunnel but to HTTPS.
      proxyTunnel: false,
      proxyTls: timeout,
      requestTls: timeout,
      factory: (origin, options: Client.Options) =>
        new Client(origin, {
          ...options,
          // There is one deadline for the whole request.
          headersTimeout: 0,
          bodyTimeout: 0,
          keepAliveTimeout: IDLE_MS,
          keepAliveTimeoutThreshold: IDLE_MARGIN_MS,
          keepAliveMaxTimeout: MAX_IDLE_MS,
          connect: this.#watched(typeof options.connect === "function" ? options.connect : this.#connect),
        }),
    });
  }

  #breaks(error: Error): void {
    this.breaking = error;
    queueMicrotask(() => (this.breaking = null));
  }

  #watched(connect: buildConnector.connector): buildConnector.connector {
    const making = this.#making;
    return (options, callback) => {
      making.count++;
      // The connector gives the socket that it opens, which its type does not say.
      const connecting = connect(options, (...result) => {
        making.count--;
        this.#connecting = null;
        // Undici gives no second argument where it failed, whatever its type says.
        const socket = result[1] as Socket | null | undefined;
        if (socket) {
          this.connects++;
          socket.once("error", (error) => this.#breaks(error));
          passOverContinue(socket, () => this.awaitsReply);
        }
        callback(...result);
      }) as unknown;
      if (isSocket(connecting)) this.#connecting = connecting;
    };
  }
}

/** As many connections as requests may be under way at once, made when they are first needed. */
export class Connections {
  readonly #limit: number;
  readonly #settings: ConnectionSettings;
  readonly #connect: buildConnector.connector;
  readonly #all: Connection[] = [];
  readonly #idle: Connection[] = [];
  readonly #waiting = new Set<(connection: Connection) => void>();

  constructor(limit: number, settings: ConnectionSettings) {
    this.#limit = limit;
    this.#settings = settings;
    proxiesOf(settings.env);
    // One for all, because it keeps the TLS sessions.
    this.#connect = buildConnector({
      timeout: settings.connectTimeoutMs,
      autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT_MS,
    });
  }

  /** The most recently used one that is free, for it is the likeliest to be still open. @throws the signal's reason */
  async take(signal: AbortSignal): Promise<Connection> {
    const free = this.#idle.pop() ?? this.#another();
    if (free !== null) return free;
    return await new Promise((resolve, reject) => {
      const turn = (connection: Connection): void => {
        unwatch();
        resolve(connection);
      };
      const unwatch = onAbort(signal, () => {
        this.#waiting.delete(turn);
        reject(signal.reason as Error);
      });
      this.#waiting.add(turn);
    });
  }

  give(connection: Connection): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#idle.push(connection);
      return;
    }
    this.#waiting.delete(next);
    next(connection);
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map(async (connection) => await connection.drop()));
  }

  #another(): Connection | null {
    if (this.#all.length === this.#limit) return null;
    const connection = new Connection(this.#settings, this.#connect);
    this.#all.push(connection);
    return connection;
  }
}

/** An empty text, unlike none, keeps undici from reading process.env. @throws UsageError */
function proxiesOf(env: NodeJS.ProcessEnv): Proxies {
  return {
    httpProxy: proxyUrl(env, ["http_proxy", "HTTP_PROXY"]),
    httpsProxy: proxyUrl(env, ["https_proxy", "HTTPS_PROXY"]),
    noProxy: env["no_proxy"] ?? env["NO_PROXY"] ?? "",
  };
}

function proxyUrl(env: NodeJS.ProcessEnv, names: readonly string[]): string {
  const name = names.find((name) => (env[name] ?? "") !== "");
  if (name === undefined) return "";
  // As curl takes it: `proxy:3128` is short for `http://proxy:3128`.
  const text = env[name]!.includes("://") ? env[name]! : `http://${env[name]!}`;
  if (!/^(https?|socks5?):/i.test(text) || !URL.canParse(text)) {
    // Without its value, which may hold a password.
    throw new UsageError(`the environment variable ${name} is not the URL of a proxy, as http://host:3128`);
  }
  return text;
}

function isSocket(value: unknown): value is Socket {
  return typeof value === "object" && value !== null && "destroy" in value;
}
