import type { ServiceReply } from "../scorer/protocols/service.ts";

const METHODS = "GET, POST";
const HEADERS =
  "Authorization, Content-Type, Content-Encoding, X-Request-Id, X-Pixels, X-Probabilities, Inference-Header-Content-Length";

/**
 * What a browser needs to hand an answer to a page of another origin; null where that origin may not have it.
 *
 * @param origin of the page that asks
 * @param allowed origins, or `*` for every one
 */
export function corsHeaders(
  origin: string | undefined,
  allowed: readonly string[],
): Readonly<Record<string, string>> | null {
  if (origin === undefined || !(allowed.includes(origin) || allowed.includes("*"))) return null;
  return {
    "Access-Control-Allow-Origin": allowed.includes("*") ? "*" : origin,
    "Access-Control-Expose-Headers": "X-Request-Id, Retry-After, Inference-Header-Content-Length",
    Vary: "Origin",
  };
}

/** What a browser asks before it sends anything. */
export function preflight(): ServiceReply {
  return {
    status: 204,
    headers: {
      "Access-Control-Allow-Methods": METHODS,
      "Access-Control-Allow-Headers": HEADERS,
      "Access-Control-Max-Age": "600",
    },
    body: "",
  };
}
