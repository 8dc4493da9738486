import { randomUUID } from "node:crypto";

/** What may go into a log and back to the sender as it came. */
const SOUND = /^[\w.:~+/=@-]{1,100}$/;

/** The sender's own X-Request-Id where it is sound and holds no key, otherwise a new one. */
export function requestId(given: string | string[] | undefined, redact: (text: string) => string): string {
  return typeof given === "string" && SOUND.test(given) && redact(given) === given ? given : randomUUID();
}
