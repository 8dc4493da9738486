import { reasonOf } from "../service.ts";
import type { Reply } from "../service.ts";

type Header = readonly [name: string, value: string];

/** A reply of a FastAPI application. */
export function uvicorn(
  status: number,
  body: string | Buffer,
  type: string | null = "application/json",
  extra: readonly Header[] = [],
): Reply {
  return {
    status,
    reason: reasonOf(status),
    headers: [
      ["date", new Date().toUTCString()],
      ["server", "uvicorn"],
      ...(status === 405 ? [["allow", "POST"] as const] : []),
      ["content-length", String(Buffer.byteLength(body))],
      ...(type === null ? [] : [["content-type", type] as const]),
      ...extra,
    ],
    body,
  };
}

export const NOT_FOUND = (): Reply => uvicorn(404, `{"detail":"Not Found"}`);
export const NOT_ALLOWED = (): Reply => uvicorn(405, `{"detail":"Method Not Allowed"}`);
export const failure = (status: number, text: string): Reply =>
  uvicorn(status, `{"error":${JSON.stringify(text)}}`);

/** As FastAPI sends a path with a slash too many to the one without. */
export function redirect(host: string, path: string): Reply {
  const reply = uvicorn(307, "", null, [["location", `http://${host}${path.replace(/\/$/, "")}`]]);
  return { ...reply, headers: reply.headers.filter(([name]) => name !== "content-type") };
}
