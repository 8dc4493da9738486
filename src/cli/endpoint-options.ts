import type { Argv } from "yargs";

import { UsageError } from "../errors.ts";
import { PROTOCOLS, type ProtocolName } from "../scorer/protocols/table.ts";
import { choice, failureLimit, httpUrl, repeatable, seconds, text, wholeNumber } from "./option-kinds.ts";

const ENDPOINT = "Endpoint";
const PROTOCOL_CHOICES = ["auto", ...(Object.keys(PROTOCOLS) as ProtocolName[])] as const;

/** Options that mean nothing without an endpoint, and what they are where none is given. */
const NEED_ENDPOINT = {
  protocol: "auto",
  "model-name": undefined,
  header: undefined,
  "api-key-env": undefined,
  "max-request-bytes": 1_000_000,
  concurrency: 8,
  timeout: 30,
  retries: 5,
  wait: 60,
  "dry-run": false,
} as const;

/** The options that say which service is scored, and how it is asked. */
export function endpointOptions<T>(args: Argv<T>) {
  return args
    .option("endpoint", {
      group: ENDPOINT,
      ...httpUrl("endpoint"),
      desc: "Score over HTTP; with --model too, both are scored and compared",
    })
    .option("protocol", {
      group: ENDPOINT,
      ...choice("protocol", PROTOCOL_CHOICES),
      default: NEED_ENDPOINT.protocol,
      desc: "The serving API",
    })
    .option("model-name", {
      group: ENDPOINT,
      ...text("model-name"),
      desc: "The model's name in the service",
      defaultDescription: "from the URL or the service",
    })
    .option("header", {
      group: ENDPOINT,
      ...repeatable("header"),
      default: [] as string[],
      desc: "'Name: value' sent with each request; ${VAR} is read from the environment; repeatable",
    })
    .option("api-key-env", {
      group: ENDPOINT,
      ...text("api-key-env"),
      desc: "Environment variable that holds the key, sent as Bearer",
    })
    .option("max-request-bytes", {
      group: ENDPOINT,
      ...wholeNumber("max-request-bytes", 1_000, 2 ** 31 - 1),
      default: NEED_ENDPOINT["max-request-bytes"],
      desc: "Largest request body",
    })
    .option("concurrency", {
      group: ENDPOINT,
      ...wholeNumber("concurrency", 1, 1_000),
      default: NEED_ENDPOINT.concurrency,
      desc: "Most requests at once; adapts below it",
    })
    .option("timeout", {
      group: ENDPOINT,
      ...seconds("timeout"),
      default: NEED_ENDPOINT.timeout,
      desc: "Seconds for one request",
    })
    .option("retries", {
      group: ENDPOINT,
      ...wholeNumber("retries", 0, 100),
      default: NEED_ENDPOINT.retries,
      desc: "Times that a request which may pass is sent again",
    })
    .option("wait", {
      group: ENDPOINT,
      ...seconds("wait"),
      default: NEED_ENDPOINT.wait,
      desc: "Seconds to wait for the service to be ready, and later for an answer",
    })
    .option("max-failures", {
      group: ENDPOINT,
      ...failureLimit("max-failures"),
      default: "0",
      desc: "Images that may stay without an answer, as N or P%, before the exit code is 4",
    })
    .option("dry-run", {
      group: ENDPOINT,
      type: "boolean",
      default: NEED_ENDPOINT["dry-run"],
      desc: "Print the plan of requests and send nothing",
    })
    .check((given) => {
      if (given.endpoint !== undefined) return true;
      const alone = Object.entries(NEED_ENDPOINT).find(
        ([name, otherwise]) => !isDefault((given as Record<string, unknown>)[name], otherwise),
      );
      if (alone !== undefined)
        throw new UsageError(`--${alone[0]} is for a service: name its URL with --endpoint, or leave it out`);
      return true;
    });
}

function isDefault(value: unknown, otherwise: unknown): boolean {
  return value === otherwise || (Array.isArray(value) && value.length === 0);
}
