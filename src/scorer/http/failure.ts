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

/** A request without a usable reply. Its message is one phrase in words for users. */
export class HttpFailure extends Error {
  override readonly name = "HttpFailure";
  readonly kind: FailureKind;
  /** Of the reply's body. */
  readonly bytesReceived: number;
  /** The system's or the library's own code, as `ENOTFOUND`; null without one. */
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
