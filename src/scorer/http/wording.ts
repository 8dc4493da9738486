import { STATUS_CODES } from "node:http";

/** A time as `0.5 s` or `60 s`. */
export function seconds(ms: number): string {
  return `${Number((ms / 1000).toPrecision(3))} s`;
}

/** `503 Service Unavailable`; the number alone where it has no name. */
export function statusText(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? ""}`.trimEnd();
}
