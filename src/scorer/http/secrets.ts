export { apiKey, headerOptions, type HeaderOptions } from "./header-options.ts";

const HIDDEN = "…";
/** Shorter ones in base64 would hide pieces of ordinary words. */
const LEAST_ENCODED = 4;
/** Shorter values of a query are versions and names. */
const LEAST_QUERY_SECRET = 8;

/**
 * Replaces each secret in a text by `…`, also where it is URL-encoded, base64, or escaped as in JSON or HTML. The longest goes first,
 * so that nothing is left of a secret that holds another.
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = [...new Set(secrets.flatMap(formsOf))].sort((a, b) => b.length - a.length);
  if (forms.length === 0) return (text) => text;
  const pattern = new RegExp(
    forms.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|"),
    "g",
  );
  return (text) => text.replaceAll(pattern, HIDDEN);
}

function formsOf(secret: string): string[] {
  if (secret === "") return [];
  const url = percentEncoded(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  const forms = [
    secret,
    url,
    url.replaceAll(/%../g, (code) => code.toLowerCase()),
    url.replaceAll("%20", "+"),
    json,
    json.replaceAll("/", String.raw`\/`),
    JSON.stringify(json).slice(1, -1),
    secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;"),
  ];
  return secret.length < LEAST_ENCODED ? forms : [...forms, ...base64(secret)];
}

function base64(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const text = bytes.toString("base64");
  return [text, text.replaceAll("=", ""), bytes.toString("base64url")];
}

function percentEncoded(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    // Half a surrogate pair.
    return text;
  }
}

/** A URL without user, password and fragment, and with `…` for the values of its query. */
export function shownUrl(url: URL): string {
  const query = url.search
    .slice(1)
    .split("&")
    .map((pair) => (pair.includes("=") ? `${pair.slice(0, pair.indexOf("="))}=${HIDDEN}` : pair && HIDDEN))
    .join("&");
  return `${url.protocol}//${url.host}${url.pathname}${query === "" ? "" : `?${query}`}`;
}

/** What nobody may see of a URL: password or, where a token stands in its place, user; and the values of its query. */
export function urlSecrets(url: URL): string[] {
  const { username, password } = url;
  const own = password === "" ? username : password;
  const decoded = [username, password].map(percentDecoded);
  const values = [...url.searchParams.values()].filter((value) => value.length >= LEAST_QUERY_SECRET);
  const pair = Buffer.from(decoded.join(":")).toString("base64");
  return own === "" ? values : [own, percentDecoded(own), pair, ...values];
}

/** Text without its percent encoding. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that stands for itself.
    return text;
  }
}
