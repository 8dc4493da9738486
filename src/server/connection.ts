import type { Socket } from "node:net";

const REFUSALS: Readonly<Record<string, { readonly status: number; readonly reason: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, reason: "Request Header Fields Too Large" },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, reason: "Payload Too Large" },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, reason: "Request Timeout" },
};

/**
 * Closes the connection of what is no HTTP, or is too slow or too large in its headers, with an answer where one can be
 * sent.
 *
 * @returns the answer's status
 */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): number {
  const { status, reason } = REFUSALS[error.code ?? ""] ?? { status: 400, reason: "Bad Request" };
  if (!socket.writable || error.code === "ECONNRESET") socket.destroy();
  else {
    const body = JSON.stringify({ message: reason });
    socket.end(
      `HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      () => socket.destroy(),
    );
  }
  return status;
}
