// Runs one server: for a test's process that started it and asks over IPC, or in a shell. Bundled and run by serve.mjs.
import { parseArgs } from "node:util";

import { FAULTS } from "./faults.ts";
import type { Fault, FaultName } from "./faults.ts";
import { KINDS } from "./kinds/kinds.ts";
import type { Kind } from "./kinds/kinds.ts";
import type { ServerOptions } from "./options.ts";
import { listen } from "./server.ts";

const OPTIONS = {
  model: { type: "string" },
  port: { type: "string" },
  mode: { type: "string" },
  output: { type: "string" },
  name: { type: "string" },
  precision: { type: "string" },
  scale: { type: "string" },
  seed: { type: "string" },
  workers: { type: "string" },
  "delay-ms": { type: "string" },
  "image-delay-ms": { type: "string" },
  "ready-after-ms": { type: "string" },
  "max-bytes": { type: "string" },
  batch: { type: "string" },
  "tls-key": { type: "string" },
  "tls-cert": { type: "string" },
} as const;

const number = (name: string, value: string | undefined): Record<string, number> =>
  value === undefined ? {} : { [name]: Number(value) };

const key = process.env["TEST_SERVER_KEY"] ?? null;

if (process.send === undefined) await inShell();
else await forProcess();

async function forProcess(): Promise<void> {
  const [kind, options] = JSON.parse(process.argv[2] ?? "") as [Kind, ServerOptions];
  const server = await listen(kind, options, key);
  process.on("message", () => void process.send?.(server.counts()));
  // The test's process is gone, or is done with the server.
  process.on("disconnect", () => process.exit(0));
  process.send?.({ url: server.url, scoreUrl: server.scoreUrl });
}

async function inShell(): Promise<void> {
  const { kind, options } = readArguments(process.argv.slice(2));
  const server = await listen(kind, options, key);
  process.stdout.write(`${server.scoreUrl}\n`);
  const end = (): void => {
    const { received, answered, log: _log, ...counts } = server.counts();
    const images = { received: Object.keys(received).length, answered: Object.keys(answered).length };
    process.stdout.write(`${JSON.stringify({ ...counts, distinctImages: images }, null, 2)}\n`);
    process.exit(0);
  };
  process.once("SIGINT", end).once("SIGTERM", end);
}

function readArguments(argv: readonly string[]): { kind: Kind; options: ServerOptions } {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { ...OPTIONS, fault: { type: "string", multiple: true } },
  });
  const [kind] = positionals;
  if (kind === undefined || !Object.hasOwn(KINDS, kind)) {
    throw new Error(`name one of ${Object.keys(KINDS).join(", ")}`);
  }
  if (values.model === undefined) throw new Error("--model FILE is needed");
  const { "tls-key": tlsKey, "tls-cert": tlsCert, mode, output, name, precision, scale, model } = values;
  const options = {
    ...Object.fromEntries(
      Object.entries({ mode, output, name, precision, scale }).filter(([, value]) => value),
    ),
    model,
    ...number("port", values.port),
    ...number("seed", values.seed),
    ...number("batch", values.batch),
    ...number("workers", values.workers),
    ...number("delayMs", values["delay-ms"]),
    ...number("imageDelayMs", values["image-delay-ms"]),
    ...number("readyAfterMs", values["ready-after-ms"]),
    ...number("maxBytes", values["max-bytes"]),
    faults: (values.fault ?? []).map(readFault),
    ...(tlsKey === undefined || tlsCert === undefined ? {} : { tls: { key: tlsKey, cert: tlsCert } }),
  } as ServerOptions;
  return { kind: kind as Kind, options };
}

function readFault(text: string): Fault {
  const [name = "", ...pairs] = text.split(",");
  if (!Object.hasOwn(FAULTS, name)) throw new Error(`no fault ${name}: ${Object.keys(FAULTS).join(", ")}`);
  const settings = pairs.map((pair): [string, string | number] => {
    const [key = "", value = ""] = pair.split(/=(.*)/s, 2);
    return [key, key === "value" ? value : Number(value)];
  });
  return { name: name as FaultName, ...Object.fromEntries(settings) };
}
