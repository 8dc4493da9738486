import { HttpFailure } from "./failure.ts";
import { shownUrl } from "./secrets.ts";
import { statusText } from "./wording.ts";

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

interface Redirecting {
  readonly method: "GET" | "POST";
  readonly url: URL;
}

/**
 * Where a reply sends a request, null where it does not. None is followed to another host or port, which may belong to
 * somebody else, but from http to https on the same host; from https to http none is. 307 and 308 keep method and body and are
 * followed, as is any redirect of a GET. 301 and 302 of a POST are followed, as a POST, where they only add or take a slash
 * at the path's end or go to https: servers mean no other method by those.
 *
 * @throws HttpFailure where it is not followed
 */
export function redirectTarget(
  { method, url }: Redirecting,
  { status, headers }: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
): URL | null {
  const { location } = headers;
  if (!REDIRECTS.has(status) || location === undefined) return null;
  const answered = `answered ${statusText(status)}`;
  if (!URL.canParse(location, url)) throw refused(`${answered} with a Location that is not a URL`);
  const target = new URL(location, url);
  const to = `${answered}, a redirect to ${shownUrl(target)}`;
  if (!/^https?:$/.test(target.protocol)) throw refused(`${to}, which is not HTTP`);
  if (url.protocol === "https:" && target.protocol === "http:")
    throw refused(`${to}, which is not encrypted: give it to --endpoint if that is what you want`);
  if (!isSameHost(url, target))
    throw refused(
      `${url.host} ${to}. Nothing is sent to another host: give that URL to --endpoint if ${target.host} is the service`,
    );
  if (method === "GET" || status === 307 || status === 308 || samePlace(url, target)) return target;
  throw refused(`${to}, which a POST does not follow: give the URL that answers to --endpoint`);
}

export function refused(message: string): HttpFailure {
  return new HttpFailure("redirect", message);
}

function samePlace(from: URL, to: URL): boolean {
  return withoutSlash(from) === withoutSlash(to) && from.search === to.search;
}

function isSameHost(from: URL, to: URL): boolean {
  if (from.origin === to.origin) return true;
  return from.protocol === "http:" && to.protocol === "https:" && from.hostname === to.hostname;
}

function withoutSlash({ pathname }: URL): string {
  return pathname.replace(/\/$/, "");
}
