import type { EndpointOptions, OpenedEndpoint } from "../scorer/endpoint.ts";
import { apiKey, headerOptions, urlSecrets } from "../scorer/http/secrets.ts";
import { visible } from "../text/visible.ts";
import type { Batch, Dataset } from "../types.ts";
import type { Context } from "./context.ts";
import type { EvaluateArguments } from "./options.ts";
import type { Progress } from "./progress.ts";

/** Images in a request where `--batch-size` does not say so: few enough that little is lost with one. */
const REQUEST_IMAGES = 100;

/** What the command line says of the service. @throws UsageError */
export function endpointSettings(
  options: EvaluateArguments & { readonly endpoint: URL },
  env: NodeJS.ProcessEnv,
): EndpointOptions {
  const { headers, secrets } = headerOptions(options.header, env);
  const key = options.apiKeyEnv === undefined ? null : apiKey(options.apiKeyEnv, env);
  return {
    url: options.endpoint,
    protocol: options.protocol,
    model: options.modelName ?? null,
    layout: options.layout,
    output: options.output ?? null,
    headers,
    key,
    secrets: [...secrets, ...urlSecrets(options.endpoint), ...(key === null ? [] : [key])],
    requestImages: options.batchSize ?? REQUEST_IMAGES,
    maxRequestBytes: options.maxRequestBytes,
    concurrency: options.concurrency,
    timeoutMs: options.timeout * 1000,
    retries: options.retries,
    waitMs: options.wait * 1000,
    seed: options.seed,
    journalFolder: options.out,
  };
}

/** Opens the service that `--endpoint` names. @throws UsageError, ScorerError */
export async function openService(
  options: EvaluateArguments,
  context: Context,
  dataset: Dataset,
  probe: Batch,
  progress: Progress,
  signal: AbortSignal,
): Promise<OpenedEndpoint> {
  const { endpoint } = options;
  if (endpoint === undefined) throw new TypeError("there is no endpoint to open");
  const settings = endpointSettings({ ...options, endpoint }, context.env);
  const { openEndpoint } = await import("../scorer/endpoint.ts");
  let told = false;
  const onWait = (answer: string): void => {
    progress.update("Waiting for the service", 0, null);
    // A log has no progress line, and would be silent for as long as the service takes to start.
    if (told || options.quiet || context.stderr.columns !== null) return;
    told = true;
    context.stderr.write(`waiting up to ${options.wait} s for the service: ${visible(answer)}\n`);
  };
  const hooks = { onWait };
  return await openEndpoint(settings, dataset, probe, hooks, signal);
}
