import type { Reply } from "../protocols/protocol.ts";

export { HttpFailure, type FailureKind } from "./failure.ts";

export interface TransportSettings {
  /** Requests that are under way at once; more wait for their turn. */
  readonly connections: number;
  /** From sending to the last byte of the reply. */
  readonly timeoutMs: number;
  /** Of a reply's body, decoded. */
  readonly maxReplyBytes: number;
  /** The user's own, in every request to the same origin. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as Bearer; null: none. */
  readonly key: string | null;
  /** Where http_proxy, https_proxy and no_proxy are read; process.env by default. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  /** They take the place of the user's of the same name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  /** Sent as X-Request-Id. */
  readonly id: string;
  /** Takes the place of the settings'. */
  readonly timeoutMs?: number;
}

export interface HttpReply extends Reply {
  readonly elapsedMs: number;
  /** Of the body as it came, before its content encoding was undone. */
  readonly bytesReceived: number;
  /** Where redirects to another origin led, without key and the user's headers; null: it stayed at the request's origin. */
  readonly redirected: URL | null;
}

export interface Transport {
  /** One attempt. @throws HttpFailure; the signal's reason at once where it is aborted */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpReply>;
  close(): Promise<void>;
}

/** A keep-alive pool for one service, which knows no protocol. */
export declare function openTransport(settings: TransportSettings): Transport;
