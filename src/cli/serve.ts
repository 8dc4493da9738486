import { basename } from "node:path";

import { UsageError } from "../errors.ts";
import { packageVersions } from "../package.ts";
import { bundledModel } from "../scorer/open.ts";
import { openEngine } from "../server/engine.ts";
import { jsonLog } from "../server/log.ts";
import { startService } from "../server/service.ts";
import { openThreadedEngine } from "../server/thread.ts";
import { isHeavyModel } from "../server/weight.ts";
import type { Context } from "./context.ts";
import type { ServeArguments } from "./serve-options.ts";

/** What paths hold without an escape. */
const NAME = /^[\w.-]{1,100}$/;

/** The `serve` command: a model behind HTTP until a signal stops it. */
export async function serveCommand(options: ServeArguments, context: Context): Promise<number> {
  const { model: path = bundledModel, signal } = { ...options, signal: context.signal };
  const log = jsonLog(options.log, (text) => context.stderr.draw(text), context.now);
  const opening = {
    path,
    classes: options.classes ?? null,
    layout: options.layout,
    output: options.output ?? null,
  };
  // What is no model at all is said before anything listens.
  const isHeavy = await isHeavyModel(path);
  const service = await startService(
    {
      ...options,
      corsOrigins: options.corsOrigin,
      modelName: nameOf(options.modelName, path),
      timeoutMs: options.timeout * 1000,
      batchDelayMs: options.batchDelay,
      keys: keysOf(options.apiKeyEnv, context.env),
      version: packageVersions().version,
    },
    // A model that takes its time would keep the thread that answers from answering.
    () =>
      isHeavy
        ? openThreadedEngine(new URL("./score-worker.cjs", import.meta.url), opening)
        : openEngine(opening),
    log,
  );
  context.stdout.write(`${service.model.name} is served at ${service.url}/score\n`);
  await aborted(signal);
  await service.stop();
  return 0;
}

function nameOf(given: string | undefined, path: string): string {
  const name =
    given ??
    basename(path)
      .replace(/\.onnx$/, "")
      .replaceAll(/[^\w.-]/g, "-");
  if (NAME.test(name)) return name;
  throw new UsageError(`--model-name takes up to 100 letters, digits and . _ -, not ${name}`);
}

/** @throws UsageError, which never repeats a key */
function keysOf(variable: string | undefined, env: NodeJS.ProcessEnv): string[] {
  if (variable === undefined) return [];
  const keys = (env[variable] ?? "").split(/[\s,]+/).filter((key) => key !== "");
  if (keys.length === 0) {
    throw new UsageError(
      `--api-key-env ${variable}: the variable is not set or empty: set it to one key or more`,
    );
  }
  if (keys.some((key) => !/^[\x21-\x7E]+$/.test(key)))
    throw new UsageError(`--api-key-env ${variable}: a key must be of letters, digits and signs of ASCII`);
  return keys;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
