import { ScorerError } from "../../errors.ts";
import type { Finding, Protocol, Reply, Target } from "../protocols/protocol.ts";
import { PROTOCOLS, type ProtocolName } from "../protocols/table.ts";

/** A protocol that a service may speak, and the model that is asked for. */
export interface Candidate {
  readonly name: ProtocolName;
  readonly protocol: Protocol;
  readonly target: Target;
  /** Where images go. */
  readonly url: URL;
  /** What the service said of itself; empty where it said nothing. */
  readonly finding: Omit<Finding, "says">;
  /** How it was found, as one phrase. */
  readonly found: string;
}

export interface Wanted {
  readonly url: URL;
  readonly protocol: ProtocolName | "auto";
  readonly model: string | null;
}

/** A place to begin: a protocol by name or by the URL's path. */
interface Start {
  readonly name: ProtocolName;
  readonly target: Target;
  readonly because: string;
  /** The URL's path is a scoring path of this protocol. */
  readonly byPath: boolean;
}

/** Asks for a path of the service's; null where nothing answers there that could tell something. */
export type Ask = (path: string, method: "GET" | "POST") => Promise<Reply | null>;

const NAMES = Object.keys(PROTOCOLS) as ProtocolName[];

/** What the URL and the command line say, before anything is sent. Most likely first. */
export function starts({ url, protocol, model }: Wanted): readonly Start[] {
  const path = url.pathname.replace(/\/+$/, "");
  const names = protocol === "auto" ? NAMES : [protocol];
  const byPath = names.flatMap((name): Start[] => {
    const target = PROTOCOLS[name].fromPath(path);
    if (target === null) return [];
    const because = protocol === "auto" ? `the path ${path}` : "as asked";
    return [{ name, target: { ...target, model: model ?? target.model }, because, byPath: true }];
  });
  if (byPath.length > 0) return byPath;
  const target = { root: path, model, version: null };
  return names.map((name) => ({ name, target, because: "as asked", byPath: false }));
}

/**
 * The protocols that a service may speak, most likely first: by the URL's path, and by what its health and metadata
 * routes answer. Each path is asked for once.
 *
 * @throws ScorerError where it speaks none, or has several models and none is named
 */
export async function discover(wanted: Wanted, ask: Ask): Promise<readonly Candidate[]> {
  const asked = askedOnce(ask);
  const candidates: Candidate[] = [];
  const silent: Start[] = [];
  for (const start of starts(wanted)) {
    const told = await findings(PROTOCOLS[start.name], start.target, asked);
    if (told.length === 0) silent.push(start);
    // The model takes numbers that this protocol has no form for.
    else if (told.every(({ forms }) => forms?.length !== 0))
      candidates.push(candidate(wanted.url, start, told));
  }
  // Bytes are the most compact, for a service that says that it takes them.
  candidates.sort((a, b) => Number(writesBytes(b.protocol)) - Number(writesBytes(a.protocol)));
  const guesses = silent.filter(({ byPath }) => byPath || wanted.protocol !== "auto");
  // A service that tells what it is is no other one, unless it was asked for.
  const all = [...candidates, ...guesses.map((start) => candidate(wanted.url, start, []))];
  const known = all.filter(({ protocol, target }) => namesModel(protocol, target));
  if (known.length > 0) return known;
  if (candidates.length > 0) throw unnamedModel(wanted, candidates);
  if (all.length > 0) throw notSpoken(wanted);
  return [atExactUrl(wanted)];
}

function writesBytes({ forms }: Protocol): boolean {
  return forms.every(({ row }) => row === "float32" || row === "uint8");
}

function askedOnce(ask: Ask): Ask {
  const replies = new Map<string, Promise<Reply | null>>();
  return (path, method) => {
    const reply = replies.get(path) ?? ask(path, method);
    replies.set(path, reply);
    return reply;
  };
}

/** What the service tells in this protocol's terms. What is learned about the model is used in the next question. */
async function findings(protocol: Protocol, start: Target, ask: Ask): Promise<readonly Finding[]> {
  const told: Finding[] = [];
  let target = start;
  for (const question of protocol.questions) {
    const path = question.more && told.length === 0 ? null : question.path(target);
    const reply = path === null ? null : await ask(path, question.post === true ? "POST" : "GET");
    const finding = reply && question.read(reply, target);
    if (!finding) continue;
    told.push(finding);
    target = withModel(target, finding);
  }
  return told;
}

function withModel(target: Target, { models }: Finding): Target {
  return { ...target, model: target.model ?? (models?.length === 1 ? models[0]! : null) };
}

function candidate(url: URL, start: Start, told: readonly Finding[]): Candidate {
  const protocol = PROTOCOLS[start.name];
  const target = told.reduce(withModel, start.target);
  const says = told.map((finding) => finding.says);
  const because = start.byPath || says.length === 0 ? [start.because] : [];
  return {
    name: start.name,
    protocol,
    target,
    url: namesModel(protocol, target) ? scoreUrl(url, protocol.scorePath(target)) : url,
    finding: Object.assign({}, ...told) as Omit<Finding, "says">,
    found: [...because, ...says].join("; "),
  };
}

function namesModel({ fromPath, scorePath }: Protocol, target: Target): boolean {
  if (target.model !== null) return true;
  // A path without a model stands for itself only where the protocol needs none.
  return fromPath(scorePath({ ...target, model: "model" }))?.model === null;
}

/** The URL's own query goes along: some gateways keep a key in it. */
export function scoreUrl(url: URL, path: string): URL {
  const scored = new URL(url);
  const [pathname = "", query] = path.split("?");
  scored.pathname = pathname;
  if (query !== undefined) scored.search += `${scored.search === "" ? "?" : "&"}${query}`;
  scored.hash = "";
  return scored;
}

/** A path that no protocol knows may still be a route to the tutorial's service. */
function atExactUrl({ url }: Wanted): Candidate {
  const target = { root: url.pathname.replace(/\/+$/, ""), model: null, version: null };
  return {
    name: "azureml",
    protocol: PROTOCOLS.azureml,
    target,
    url,
    finding: {},
    found: "nothing else is known of it",
  };
}

function notSpoken({ url, protocol }: Wanted): ScorerError {
  return new ScorerError(
    `${url.origin} does not say that it speaks ${protocol}, or which models it has: ` +
      "leave --protocol out to find out what it speaks, or name the model with --model-name",
  );
}

function unnamedModel({ url }: Wanted, candidates: readonly Candidate[]): ScorerError {
  const models = candidates.flatMap(({ finding }) => finding.models ?? []);
  const which = [...new Set(models)].slice(0, 10).join(", ");
  return new ScorerError(
    which === ""
      ? `${url.origin} does not say which models it has: name one with --model-name`
      : `${url.origin} has the models ${which}: name one with --model-name`,
  );
}
