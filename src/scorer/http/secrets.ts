/** Replaces each secret in a text by `…`, also where it is URL-encoded, base64 or escaped as in JSON. */
export declare function redactor(secrets: readonly string[]): (text: string) => string;

/** A URL without user, password and fragment, and with `…` for the values of its query. */
export declare function shownUrl(url: URL): string;

/** The user's headers, and those of their values that nobody may see. */
export interface HeaderOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

/** Reads the values of `--header 'K: V'`; `${VAR}` in a value stands for an environment variable. @throws UsageError */
export declare function headerOptions(values: readonly string[], env: NodeJS.ProcessEnv): HeaderOptions;

/** The key in the variable that `--api-key-env` names. @throws UsageError */
export declare function apiKey(variable: string, env: NodeJS.ProcessEnv): string;
