import { tlsProblem } from "./tls.ts";
import { seconds, statusText } from "./wording.ts";

/**
 * refused: nobody listens; unreachable: no connection; reset: broken off; closed: closed before a reply, on a new
 * connection too; timeout: no reply in time; stalled: a reply that was not complete in time; too-large: the reply's
 * body; tls: the certificate or the handshake; redirect: one that is not followed; malformed: not HTTP, or a body that
 * cannot be decoded.
 */
export type FailureKind =
  | "refused"
  | "unreachable"
  | "reset"
  | "closed"
  | "timeout"
  | "stalled"
  | "too-large"
  | "tls"
  | "redirect"
  | "malformed";

/** Code of a failure where what came back is another protocol's. */
export const NOT_HTTP = "NOT_HTTP";

/** A request without a usable reply. Its message is one phrase in words for users. */
export class HttpFailure extends Error {
  override readonly name = "HttpFailure";
  readonly kind: FailureKind;
  /** Of the reply's body. */
  readonly bytesReceived: number;
  /** The system's or the library's own code, as `ENOTFOUND`, or NOT_HTTP; null without one. */
  readonly code: string | null;

  constructor(
    kind: FailureKind,
    message: string,
    details: {
      readonly bytesReceived?: number;
      readonly code?: string | null;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
    this.kind = kind;
    this.bytesReceived = details.bytesReceived ?? 0;
    this.code = details.code ?? null;
  }
}

/** What is known of an exchange that failed. */
interface Circumstances {
  readonly url: URL;
  /** Since it was begun. */
  readonly elapsedMs: number;
  /** Of the reply's body; null before the reply began. */
  readonly received: { readonly bytes: number; readonly words: string } | null;
}

const UNREACHABLE: Readonly<Record<string, string>> = {
  ENOTFOUND: "the host %s is not known",
  EAI_AGAIN: "the name of the host %s could not be looked up",
  EHOSTUNREACH: "the host %s cannot be reached",
  ENETUNREACH: "the network of the host %s cannot be reached",
  EADDRNOTAVAIL: "no local address is free for a connection to %s",
};
const RESET = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED", "ETIMEDOUT"]);
const PROXY = /^Proxy response \((\d+)\)|^Proxy Authentication Required \((407)\)/;

/**
 * Puts what undici or the system threw into words. What comes of a request that could not even be written, which is a
 * bug, stays as it is.
 */
export function failureOf(error: Error, { url, elapsedMs, received }: Circumstances): Error {
  const code = codeOf(error);
  const details = { code, cause: error, bytesReceived: received?.bytes ?? 0 };
  const fail = (kind: FailureKind, message: string): HttpFailure => new HttpFailure(kind, message, details);
  const unreachable = UNREACHABLE[code ?? ""]?.replace("%s", url.hostname);
  const proxy = PROXY.exec(error.message);
  const tls = tlsProblem(error, code, url);
  if (proxy !== null) return proxyFailure(Number(proxy[1] ?? proxy[2]), error);
  if (code === "ECONNREFUSED") return fail("refused", "the connection was refused");
  if (unreachable !== undefined) return fail("unreachable", unreachable);
  if (code === "UND_ERR_CONNECT_TIMEOUT")
    return fail("unreachable", `no connection within ${seconds(elapsedMs)}`);
  if (tls !== null) return fail("tls", tls);
  const broken = malformed(error, url, received);
  if (broken !== null) return broken;
  if (received !== null) {
    return fail("reset", `the connection broke off in the reply: ${received.words} came`);
  }
  if (code !== null && RESET.has(code)) return fail("reset", "the connection was reset before a reply");
  if (code === "UND_ERR_SOCKET") return fail("closed", "the connection was closed without a reply");
  if (code === "UND_ERR_DESTROYED" || code === "UND_ERR_CLOSED") return fail("closed", "given up");
  return error;
}

/** The name of several addresses' common failure stands in the first of them. */
function codeOf(error: Error): string | null {
  const inner = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  return "code" in inner && typeof inner.code === "string" ? inner.code : null;
}

function proxyFailure(status: number, cause: Error): HttpFailure {
  const cure = status === 407 ? ": give its user and password in the proxy's URL" : "";
  const text = `the proxy answered ${statusText(status)}${cure}`;
  return new HttpFailure("unreachable", text, { cause, code: `PROXY_${status}` });
}

function malformed(error: Error, { protocol }: URL, received: Circumstances["received"]): HttpFailure | null {
  const fail = (message: string, code: string | null = null): HttpFailure =>
    new HttpFailure("malformed", message, { code, cause: error, bytesReceived: received?.bytes ?? 0 });
  const code = codeOf(error);
  // Undici asserts of a status what any server can break.
  if (code === "ERR_ASSERTION") return fail("the reply is not HTTP/1.1: no reply has its status");
  // The parser's complaint is lost where there is a Content-Length, whatever it is about.
  if (code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH" && received === null)
    return fail("the reply is not HTTP/1.1: its Content-Length is not one number, or not its only length");
  if (code === "UND_ERR_HEADERS_OVERFLOW") return fail("the reply's headers are too large");
  // The parser gives no codes.
  const complaint = error.name === "HTTPParserError" ? /\((.*)\)$/.exec(error.message)?.[1] : undefined;
  // Of a body in chunks whose last one did not come, too.
  if (complaint === undefined || complaint.startsWith("Invalid EOF state")) return null;
  if (!complaint.startsWith("Expected HTTP/")) return fail(`the reply is not HTTP/1.1: ${complaint}`);
  const cure = protocol === "http:" ? ": is it an https:// service?" : "";
  return fail(`what came back is not HTTP/1.1${cure}`, NOT_HTTP);
}
