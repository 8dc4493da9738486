import { ScorerError } from "../../errors.ts";
import type { Outcome } from "../outcome.ts";
import type { FailureKind, HttpFailure } from "./failure.ts";
import { retryAfterMs } from "./retry-after.ts";
import { shownUrl } from "./secrets.ts";
import type { HttpReply } from "./transport.ts";
import { statusText } from "./wording.ts";

type Classified = Exclude<Outcome<never>, { kind: "answered" }>;
type Retry = Extract<Classified, { kind: "retry" }>;

/** May pass by itself: sent again, as often as any. */
const PASSING = { kind: "retry", afterMs: null, overloaded: false, patience: null } as const;
/** May lie in what was sent: sent again a little, then split. */
const UNCLEAR = { ...PASSING, patience: 2 } as const;
/** May come of too much at once, or of too much in one request. */
const TOO_MUCH = { ...UNCLEAR, overloaded: true } as const;
/** Took too long: it would again, but for what else the service was doing. */
const TOO_SLOW = { ...TOO_MUCH, patience: 1 } as const;

/** Null: nothing can be scored. */
const FAILURES = {
  refused: PASSING,
  unreachable: PASSING,
  // A worker that ran out of memory goes like this, too.
  reset: TOO_MUCH,
  closed: TOO_MUCH,
  timeout: TOO_SLOW,
  stalled: TOO_SLOW,
  "too-large": { ...UNCLEAR, patience: 1 },
  malformed: UNCLEAR,
  tls: null,
  redirect: null,
} as const satisfies Record<FailureKind, Omit<Retry, "label" | "reason"> | null>;

/** What a request without a reply means for its images. Pure. */
export function outcomeOfFailure(failure: HttpFailure): Classified {
  const what = failure.code === "PROXY_407" ? null : FAILURES[failure.kind];
  return what === null ? unusable(failure) : { ...what, label: failure.kind, reason: failure.message };
}

function unusable(failure: HttpFailure): Classified {
  return {
    kind: "fatal",
    error: new ScorerError(`the service cannot be used: ${failure.message}`, { cause: failure }),
  };
}

/**
 * What a status other than 200 means for its request's images. Pure.
 *
 * @param errorText the service's own words, redacted; null where it gives none
 * @param now milliseconds since 1970, for a Retry-After that is a date
 */
export function outcomeOfStatus(reply: HttpReply, errorText: string | null, now: number): Classified {
  const { status, headers } = reply;
  const reason = withWords(statusText(status), errorText);
  const outcome =
    status === 424 ? outcomeOfModel(reply, errorText) : ofStatus(status, reason, errorText, reply);
  return outcome.kind === "retry" ? { ...outcome, afterMs: retryAfterMs(headers, now) } : outcome;
}

/**
 * Azure's managed endpoints wrap what the model's own container answered
 * (https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints).
 */
function outcomeOfModel(reply: HttpReply, errorText: string | null): Classified {
  const inner = Number(reply.headers["ms-azureml-model-error-statuscode"]);
  const said = reply.headers["ms-azureml-model-error-reason"];
  const why = said === undefined || said === "" ? "" : ` (${said})`;
  const known = Number.isInteger(inner) && inner >= 300 && inner !== 424;
  const answered = known ? `, the model's own answer was ${statusText(inner)}` : "";
  const reason = withWords(`${statusText(424)}${answered}${why}`, errorText);
  // Without a status it may be the container that is not ready, or a reply that Azure found too large.
  if (!known) return { ...TOO_MUCH, label: "424", reason };
  const outcome = ofStatus(inner, reason, errorText ?? said ?? null, reply);
  return outcome.kind === "fatal" ? outcome : { ...outcome, label: "424" };
}

function ofStatus(status: number, reason: string, errorText: string | null, reply: HttpReply): Classified {
  const words = { label: String(status), reason };
  switch (status) {
    case 400:
      // MLServer, while it loads a model.
      return /\bnot (yet )?ready\b/i.test(errorText ?? "")
        ? { ...PASSING, ...words, label: "not ready" }
        : { kind: "refused", ...words };
    case 409:
    case 423:
    case 425:
    case 502:
      return { ...PASSING, ...words };
    case 429:
    case 503:
    case 529:
      return { ...PASSING, ...words, overloaded: true };
    case 408:
    case 504:
    case 524:
      return { ...TOO_SLOW, ...words };
    case 507:
      return { ...TOO_MUCH, ...words };
    case 413:
      return { kind: "smaller", ...words };
    case 500:
      return { ...UNCLEAR, ...words, reason: errorText === null ? `${reason}, without saying why` : reason };
    default:
      return ofOther(status, words, reply);
  }
}

function ofOther(status: number, words: Pick<Retry, "label" | "reason">, reply: HttpReply): Classified {
  const cure = cureOf(status, reply);
  if (cure !== null) {
    const sentence = `the service answered ${words.reason}`.replace(/(?<![.!?])$/, ".");
    return { kind: "fatal", error: new ScorerError(`${sentence} ${cure}`) };
  }
  return status >= 500 ? { ...PASSING, ...words } : { kind: "refused", ...words };
}

const CURES: Readonly<Record<number, string>> = {
  404: "Is the path of --endpoint right, and do --protocol and --model-name fit the service?",
  405: "It takes no POST there: is the path of --endpoint right, and does --protocol fit the service?",
  406: "It does not answer in JSON: does --protocol fit the service?",
  407: "Give the proxy's user and password in its URL, in http_proxy or https_proxy",
  410: "What was at the path of --endpoint is gone: give the URL that is in use now",
  411: "Something on the way needs another form of request: give a URL that leads straight to the service",
  414: "Give a shorter URL to --endpoint",
  415: "It does not take this content type: does --protocol fit the service?",
  426: "It wants another protocol than HTTP/1.1: give a URL that takes HTTP/1.1",
  431: "Send fewer or shorter headers with --header",
  501: "It cannot do this: does --protocol fit the service?",
  505: "It does not take HTTP/1.1: give a URL that does",
  511: "The network wants you to log in first",
};

/** What to do about a status that no other images would change; null for others. */
function cureOf(status: number, { redirected, withoutKey }: HttpReply): string | null {
  if (status === 401 || status === 402 || status === 403) {
    return redirected === null || !withoutKey
      ? "Is the key right? --api-key-env names the environment variable that holds it"
      : `It was redirected to ${shownUrl(redirected)}, where the key is not sent: give that URL to --endpoint`;
  }
  if (status < 300) return "A scoring service answers 200: does --protocol fit the service?";
  if (status < 400) return "It names no place to go to: give the URL that answers to --endpoint";
  return CURES[status] ?? null;
}

function withWords(status: string, errorText: string | null): string {
  return errorText === null ? status : `${status}: ${errorText}`;
}
