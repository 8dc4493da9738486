/**
 * How long a service asks to wait, null where it does not: `retry-after-ms` and `x-ms-retry-after-ms` of Azure's
 * gateways in milliseconds, otherwise Retry-After in seconds or as a date (RFC 9110, section 10.2.3). A date counts from the
 * reply's own Date, so that a clock that goes wrong does no harm.
 *
 * @param now milliseconds since 1970
 * @returns milliseconds, from 0 to Number.MAX_SAFE_INTEGER
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>, now: number): number | null {
  const ms =
    number(headers["retry-after-ms"]) ?? number(headers["x-ms-retry-after-ms"]) ?? after(headers, now);
  return ms === null ? null : Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.round(ms)));
}

function after(headers: Readonly<Record<string, string>>, now: number): number | null {
  const text = headers["retry-after"];
  const seconds = number(text);
  if (seconds !== null) return seconds * 1000;
  const until = date(text);
  return until === null ? null : until - (date(headers["date"]) ?? now);
}

function number(text: string | undefined): number | null {
  return text !== undefined && /^\s*-?\d+(\.\d+)?\s*$/.test(text) ? Number(text) : null;
}

function date(text: string | undefined): number | null {
  // Date.parse makes something of nearly any text with a number in it.
  const ms =
    text !== undefined && /^\s*[A-Z][a-z]{2,8}\b.*\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}
