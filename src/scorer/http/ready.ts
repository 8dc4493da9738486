import { ScorerError } from "../../errors.ts";
import { HttpFailure, NOT_HTTP } from "./failure.ts";
import type { HttpReply } from "./transport.ts";
import { seconds, statusText } from "./wording.ts";

export interface Waiting {
  /** How long to wait in all: `--wait`. */
  readonly limitMs: number;
  /** Told before each pause, with the last answer in words. */
  readonly onWait: (answer: string, waitedMs: number) => void;
  /** Milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

/** No such path: the service has another way to say that it is ready, or none. */
const ABSENT = new Set([404, 405, 501]);
/** Codes of failures that waiting does not mend, besides those of TLS. */
const LASTING = new Set(["ENOTFOUND", "EAI_AGAIN", "PROXY_407", NOT_HTTP]);

/**
 * Waits until a service is ready: the first of its readiness paths that exists answers 2xx. Where none exists, whatever
 * answers is ready; so is what wants a key or refuses the question. A server error, and MLServer's 400 while it loads a
 * model, mean not yet.
 *
 * @param ask a GET; its own time-out is what one question may take of the limit
 * @throws ScorerError where it is not ready within the limit, or cannot become so; the signal's reason where it is aborted
 */
export async function waitUntilReady(
  ask: (path: string) => Promise<HttpReply>,
  paths: readonly string[],
  waiting: Waiting,
): Promise<void> {
  const { limitMs, now, sleep, signal, onWait } = waiting;
  const startedAt = now();
  let candidates = paths;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    const state = await stateOf(ask, candidates, signal);
    if (state === "ready") return;
    candidates = state.candidates;
    const waitedMs = now() - startedAt;
    if (waitedMs >= limitMs) throw notReady(state.answer, waitedMs);
    onWait(state.answer, waitedMs);
    await sleep(Math.min(pauseMs, limitMs - waitedMs));
    signal.throwIfAborted();
  }
}

interface NotYet {
  /** The path that was asked and those after it. */
  readonly candidates: readonly string[];
  /** As `GET /ping: 503 Service Unavailable`. */
  readonly answer: string;
}

async function stateOf(
  ask: (path: string) => Promise<HttpReply>,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<"ready" | NotYet> {
  for (const [i, path] of paths.entries()) {
    signal.throwIfAborted();
    const answer = await answerOf(ask, path);
    // To another host: images may be taken here all the same.
    if (answer === null) continue;
    if (typeof answer !== "string") {
      const { status } = answer;
      if (isAbsent(answer)) continue;
      const loads = status === 400 && path.endsWith("/ready");
      if (!loads && status !== 429 && status < 500) return "ready";
    }
    const words = typeof answer === "string" ? answer : statusText(answer.status);
    return { candidates: paths.slice(i), answer: `GET ${path}: ${words}` };
  }
  return "ready";
}

/** TensorFlow Serving answers 400 for every path that it does not know, and says so: `Malformed request: GET /ping`. */
function isAbsent({ status, body }: HttpReply): boolean {
  return ABSENT.has(status) || (status === 400 && body.includes("Malformed request"));
}

/** The reply; where there is none, why not; null for a redirect that is not followed. */
async function answerOf(
  ask: (path: string) => Promise<HttpReply>,
  path: string,
): Promise<HttpReply | string | null> {
  try {
    return await ask(path);
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    if (error.kind === "redirect") return null;
    if (error.kind === "tls" || LASTING.has(error.code ?? ""))
      throw new ScorerError(`the service cannot be used: ${error.message}`, { cause: error });
    return error.message;
  }
}

function notReady(answer: string, waitedMs: number): ScorerError {
  const model = /\/models\/([^/:]+)\/ready: 4/.exec(answer)?.[1];
  const there = model === undefined ? "Is it running" : `Does it have the model ${model}`;
  const cure = `${there}, and is --endpoint right? A longer wait is set with --wait`;
  return new ScorerError(
    `the service was not ready within ${seconds(waitedMs)}, the last answer was ${answer}. ${cure}`,
  );
}
