import type { Socket } from "node:net";

const STATUS_AT = "HTTP/1.1 ".length;
const HEAD_END = "\r\n\r\n";

/**
 * Some servers send `100 Continue` without being asked, which HTTP allows (RFC 9110, section 15.2). Undici closes the
 * connection over it, but passes over all other interim replies: it gets to see `103` in its place.
 *
 * @param awaitsReply whether what comes next is the beginning of a reply
 */
export function passOverContinue(socket: Socket, awaitsReply: () => boolean): void {
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null;
  socket.read = (size?: number): Buffer | null => {
    const chunk = read(size);
    if (chunk !== null && awaitsReply()) relabelContinue(chunk);
    return chunk;
  };
}

function relabelContinue(chunk: Buffer): void {
  for (let at = 0; ;) {
    const status = /^HTTP\/1\.1 (1\d\d)/.exec(chunk.toString("latin1", at, at + STATUS_AT + 3))?.[1];
    if (status === undefined) return;
    if (status === "100") chunk.write("103", at + STATUS_AT);
    const end = chunk.indexOf(HEAD_END, at);
    if (end === -1) return;
    at = end + HEAD_END.length;
  }
}
