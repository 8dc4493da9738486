import { open } from "node:fs/promises";
import { STATUS_CODES } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { EnvHttpProxyAgent, interceptors, request, type Dispatcher } from "undici";

import { messageOf } from "../errors.ts";
import { packageVersions } from "../package.ts";
import { interruption } from "./content.ts";
import { grouped } from "../grouped.ts";
import {
  CacheError,
  discardPartial,
  readOrigin,
  sizeOf,
  SourceError,
  sourceOf,
  writeOrigin,
  writing,
} from "./partial.ts";

export interface HttpSettings {
  readonly connectTimeoutMs: number;
  /** How long to wait for the next byte. */
  readonly stallTimeoutMs: number;
}

export interface Transfer {
  readonly url: URL;
  /** The file to write; what an earlier transfer left there is continued. */
  readonly partial: string;
  readonly signal: AbortSignal;
  readonly progress: (receivedBytes: number, totalBytes: number | null) => void;
}

const MAX_REDIRECTS = 5;
const MAX_ATTEMPTS = 5;
const RETRY_DELAY_MS = 100;
const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ENOTFOUND: "the host is not known",
  EAI_AGAIN: "the host name could not be looked up",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  UND_ERR_CONNECT_TIMEOUT: "no connection in time",
};

/** Downloads over HTTP. It honours http_proxy, https_proxy and no_proxy, and gives up early on hosts that did not answer. */
export class HttpClient {
  readonly #settings: HttpSettings;
  readonly #dispatcher: Dispatcher;
  readonly #unreachable = new Set<string>();
  readonly #userAgent = `mnist-evaluate/${packageVersions().version}`;

  constructor(settings: HttpSettings) {
    this.#settings = settings;
    const connect = { timeout: settings.connectTimeoutMs };
    // The stall timer here takes the place of undici's own, which count in whole seconds. Plain HTTP goes through a
    // proxy as it is, because many proxies allow no tunnel but to HTTPS.
    const agent = new EnvHttpProxyAgent({
      connect,
      proxyTls: connect,
      requestTls: connect,
      proxyTunnel: false,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.#dispatcher = agent.compose(interceptors.redirect({ maxRedirections: MAX_REDIRECTS }));
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  /** Completes the partial file. @throws SourceError, CacheError, InterruptedError */
  async download(transfer: Transfer): Promise<void> {
    const { host } = transfer.url;
    if (this.#unreachable.has(host))
      throw new SourceError("unreachable", "not tried again: it could not be reached before");
    for (let attempt = 1; ; attempt++) {
      const before = await sizeOf(transfer.partial);
      try {
        await this.#attempt(transfer, before);
        return;
      } catch (error) {
        if (transfer.signal.aborted) throw interruption(transfer.signal);
        if (error instanceof CacheError) throw error;
        const failure = error instanceof SourceError ? error : sourceError(error);
        if (failure.kind === "unreachable") this.#unreachable.add(host);
        if (failure.kind !== "cut" || attempt === MAX_ATTEMPTS) throw failure;
        await sleep(RETRY_DELAY_MS);
      }
    }
  }

  async #attempt(transfer: Transfer, size: number): Promise<void> {
    if (await this.#transferred(transfer, size)) return;
    // What is there belongs to something else: start afresh, which cannot be refused again.
    await discardPartial(transfer.partial);
    await this.#transferred(transfer, 0);
  }

  /** False where the partial file cannot be continued. */
  async #transferred(transfer: Transfer, size: number): Promise<boolean> {
    const { url, partial } = transfer;
    const origin = size > 0 ? await readOrigin(partial) : null;
    const validator = origin?.source === sourceOf(url) ? origin.validator : null;
    const stalled = new AbortController();
    const timer = setTimeout(() => stalled.abort(), this.#settings.stallTimeoutMs);
    let answered = false;
    try {
      const signal = AbortSignal.any([transfer.signal, stalled.signal]);
      const response = await this.#request(
        url,
        validator === null ? null : { from: size, validator },
        signal,
      );
      answered = true;
      const accepted = await this.#accept(response, validator === null ? null : size);
      if (accepted === null) return false;
      await receive(response, accepted, transfer, () => timer.refresh());
      return true;
    } catch (error) {
      if (!stalled.signal.aborted) throw error;
      const waited = `${this.#settings.stallTimeoutMs / 1000} s`;
      if (answered) throw new SourceError("other", `no data for ${waited}`, error);
      throw new SourceError("unreachable", `no answer for ${waited}`, error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #request(url: URL, resume: { from: number; validator: string } | null, signal: AbortSignal) {
    const response = request(url, {
      dispatcher: this.#dispatcher,
      signal,
      headers: {
        "user-agent": this.#userAgent,
        accept: "*/*",
        "accept-encoding": "identity",
        // A redirect to another origin goes without it: undici sees to that.
        ...authorization(url),
        ...(resume === null ? {} : { range: `bytes=${resume.from}-`, "if-range": resume.validator }),
      },
    });
    // While it connects through a proxy, undici does not heed the signal.
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(new SourceError("other", "given up")), { once: true });
    });
    return await Promise.race([response, aborted]);
  }

  /** Where the body's bytes belong; null where the partial file does not go with them. */
  async #accept(
    { statusCode, headers, body }: Dispatcher.ResponseData,
    resumeAt: number | null,
  ): Promise<number | null> {
    const type = String(headers["content-type"] ?? "");
    const from = /^bytes (\d+)-/.exec(String(headers["content-range"] ?? ""))?.[1];
    if (statusCode === 200 && !/^text\/html|^application\/xhtml/i.test(type)) return 0;
    if (statusCode === 206 && resumeAt !== null && Number(from) === resumeAt) return resumeAt;
    body.on("error", () => {}).destroy();
    if (resumeAt !== null && (statusCode === 206 || statusCode === 416)) return null;
    if (statusCode === 200) throw new SourceError("other", `answered with a web page (${type})`);
    const status = `${statusCode} ${STATUS_CODES[statusCode] ?? ""}`.trimEnd();
    throw new SourceError(statusCode === 404 ? "missing" : "other", `answered ${status}`);
  }
}

async function receive(
  { headers, body }: Dispatcher.ResponseData,
  from: number,
  { url, partial, progress }: Transfer,
  alive: () => void,
): Promise<void> {
  const length = Number(headers["content-length"] ?? Number.NaN);
  const total = Number.isFinite(length) ? from + length : null;
  let received = from;
  // Emptied before its origin is noted: a stop in between leaves nothing that could be taken for a part of this one.
  const file = await writing(() => open(partial, from === 0 ? "w" : "a"));
  try {
    const origin = { source: sourceOf(url), validator: validatorOf(headers) };
    if (from === 0) await writing(() => writeOrigin(partial, origin));
    progress(received, total);
    for await (const chunk of body as AsyncIterable<Buffer>) {
      alive();
      await writing(() => file.appendFile(chunk));
      received += chunk.length;
      progress(received, total);
    }
    await writing(() => file.datasync());
  } catch (error) {
    if (error instanceof CacheError) throw error;
    throw cut(received, total, error);
  } finally {
    body.on("error", () => {}).destroy();
    await file.close();
  }
  if (total !== null && received !== total) throw cut(received, total);
}

function cut(received: number, total: number | null, cause?: unknown): SourceError {
  const of = total === null ? "" : ` of ${grouped(total)}`;
  return new SourceError("cut", `the connection broke off after ${grouped(received)}${of} bytes`, cause);
}

/** A URL's user and password, which undici does not send by itself. */
function authorization({ username, password }: URL): { authorization?: string } {
  if (username === "" && password === "") return {};
  const pair = [username, password].map(percentDecoded).join(":");
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that stands for itself.
    return text;
  }
}

/** If-Range takes a strong ETag or a date. */
function validatorOf(headers: Dispatcher.ResponseData["headers"]): string | null {
  const etag = String(headers.etag ?? "");
  if (etag.startsWith('"')) return etag;
  return headers["last-modified"] === undefined ? null : String(headers["last-modified"]);
}

function sourceError(error: unknown): SourceError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const unreachable = UNREACHABLE[code];
  if (unreachable !== undefined) return new SourceError("unreachable", unreachable, error);
  return new SourceError("other", messageOf(error) || code, error);
}
