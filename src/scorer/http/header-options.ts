import { UsageError } from "../../errors.ts";

/** The user's headers, and those of their values that nobody may see. */
export interface HeaderOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** What HTTP allows in a value: tab, and Latin-1 without control characters. */
const NOT_IN_A_VALUE = /[^\t\u0020-\u007E\u0080-\u00FF]/;
const VARIABLE = /\$\{([^}]*)\}/g;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const SECRET_NAMES = /auth|cookie|credential|key|passw|secret|session|signature|token/i;
/** What the transport and the protocols say themselves. */
const OWN = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-request-id",
]);

/**
 * Reads the values of `--header 'Name: value'`; `${VAR}` in a value stands for an environment variable, whose content nobody sees. Keys are
 * taken in no other way. Messages never repeat a value, nor a text that may be one.
 *
 * @throws UsageError
 */
export function headerOptions(values: readonly string[], env: NodeJS.ProcessEnv): HeaderOptions {
  const headers = new Map<string, string>();
  const secrets = new Set<string>();
  for (const [i, text] of values.entries()) {
    const { name, value } = parted(text, values.length === 1 ? "--header" : `--header number ${i + 1}`);
    if (headers.has(name)) throw new UsageError(`--header gives ${name} twice: give it once`);
    const used = new Set<string>();
    const filled = value.replaceAll(VARIABLE, (_, variable: string) => {
      const content = variableOf(name, variable, env);
      used.add(content);
      return content;
    });
    if (used.size === 0 && SECRET_NAMES.test(name)) throw new UsageError(literalKey(name));
    for (const secret of used.size === 0 ? [] : [...used, filled]) secrets.add(secret);
    headers.set(name, filled);
  }
  return { headers: Object.fromEntries(headers), secrets: [...secrets] };
}

/** A header's name in lower case, and its value. */
function parted(text: string, option: string): { name: string; value: string } {
  const colon = text.indexOf(":");
  const name = text.slice(0, Math.max(0, colon)).trim().toLowerCase();
  const value = text.slice(colon + 1).trim();
  if (colon === -1) throw new UsageError(`${option} has no colon: it is written 'Name: value'`);
  if (!TOKEN.test(name))
    throw new UsageError(`${option} has no valid name before its colon: it is written 'Name: value'`);
  if (OWN.has(name))
    throw new UsageError(`${option} cannot be ${name}: that header is written for each request`);
  if (NOT_IN_A_VALUE.test(value))
    throw new UsageError(`${option} ${name}: its value holds ${BAD_CHARACTERS}`);
  if (value === "") throw new UsageError(`${option} ${name}: its value is empty`);
  return { name, value };
}

const BAD_CHARACTERS = "a line break or another character that cannot stand in a header";

function literalKey(name: string): string {
  const example = `--header '${name}: \${VAR}'`;
  return `--header ${name}: keys come from the environment, where no list of processes shows them: use --api-key-env VAR or ${example}`;
}

function variableOf(header: string, variable: string, env: NodeJS.ProcessEnv): string {
  if (!VARIABLE_NAME.test(variable))
    throw new UsageError(`--header ${header}: \${…} takes the name of an environment variable`);
  const value = (env[variable] ?? "").trim();
  const named = `--header ${header}: the environment variable ${shownName(variable)}`;
  if (value === "") throw new UsageError(`${named} is ${env[variable] === undefined ? "not set" : "empty"}`);
  if (NOT_IN_A_VALUE.test(value)) throw new UsageError(`${named} holds ${BAD_CHARACTERS}`);
  return value;
}

/** The key in the variable that `--api-key-env` names, without white space around it. @throws UsageError */
export function apiKey(variable: string, env: NodeJS.ProcessEnv): string {
  if (!VARIABLE_NAME.test(variable))
    throw new UsageError(
      "--api-key-env takes the name of the environment variable that holds the key, not the key itself",
    );
  const key = (env[variable] ?? "").trim();
  const named = `--api-key-env: the environment variable ${shownName(variable)}`;
  const cure = "put the service's key there";
  if (key === "")
    throw new UsageError(`${named} is ${env[variable] === undefined ? "not set" : "empty"}: ${cure}`);
  if (NOT_IN_A_VALUE.test(key)) throw new UsageError(`${named} holds ${BAD_CHARACTERS}: ${cure}`);
  return key;
}

/** A variable's name, unless it looks as though the key itself was given in its place. */
function shownName(variable: string): string {
  return variable.length <= 20 || /^[A-Z0-9_]*_[A-Z0-9_]*$/.test(variable)
    ? variable
    : "(name not shown: it may be a key)";
}
