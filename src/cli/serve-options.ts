import type { Argv } from "yargs";

import { UsageError } from "../errors.ts";
import { LOG_CHOICES } from "../server/log.ts";
import { PIXEL_CHOICES } from "../server/asked.ts";
import type { Layout } from "../types.ts";
import {
  choice,
  classNames,
  repeatable,
  scaleChoice,
  SCALE_FORMULAS,
  seconds,
  text,
  VALUE,
  wholeNumber,
} from "./option-kinds.ts";
import type { Arguments } from "./options.ts";

const MODEL = "Model";
const ADDRESS = "Address";
const LIMITS = "Limits";
const LAYOUTS = ["auto", "flat", "nhw", "nchw", "nhwc"] as const satisfies readonly (Layout | "auto")[];

/** Every option of `serve`. */
export function serveOptions<T>(args: Argv<T>) {
  return limitOptions(addressOptions(modelOptions(args)));
}

function modelOptions<T>(args: Argv<T>) {
  return args
    .option("model", {
      group: MODEL,
      ...text("model"),
      desc: "An ONNX model",
      defaultDescription: "the bundled one",
    })
    .option("model-name", {
      group: MODEL,
      ...text("model-name"),
      desc: "Its name in paths such as /v2/models/NAME/infer",
      defaultDescription: "the file's",
    })
    .option("classes", {
      group: MODEL,
      ...VALUE,
      type: "string",
      coerce: classNames,
      desc: "Class names in the order of the labels, where the model answers with names: a,b,c",
    })
    .option("layout", {
      group: MODEL,
      ...choice("layout", LAYOUTS),
      default: "auto" as const,
      desc: "Order of the model's input",
    })
    .option("output", {
      group: MODEL,
      ...text("output"),
      desc: "The model's output to read",
      defaultDescription: "the one with scores or labels",
    })
    .option("pixels", {
      group: MODEL,
      ...choice("pixels", PIXEL_CHOICES),
      default: "0-1" as const,
      desc: "What requests hold that do not say: numbers as the model takes them, or pixels",
    })
    .option("scale", {
      group: MODEL,
      ...scaleChoice(),
      default: "unit" as const,
      desc: `What pixels of 0-255 become: ${SCALE_FORMULAS}`,
    })
    .option("invert", {
      group: MODEL,
      type: "boolean",
      default: false,
      desc: "255 − x first, for pixels of 0-255",
    });
}

function addressOptions<T>(args: Argv<T>) {
  return args
    .option("host", {
      group: ADDRESS,
      ...text("host"),
      default: "127.0.0.1",
      desc: "Address to listen at; 0.0.0.0 for all",
    })
    .option("port", {
      group: ADDRESS,
      ...wholeNumber("port", 0, 65_535),
      default: 5001,
      desc: "Port; 0 for any that is free",
    })
    .option("api-key-env", {
      group: ADDRESS,
      ...text("api-key-env"),
      desc: "Environment variable with the Bearer keys, separated by commas or spaces",
    })
    .option("cors-origin", {
      group: ADDRESS,
      ...repeatable("cors-origin"),
      default: [] as string[],
      desc: "Origin whose pages may ask, such as https://example.com, or *; repeatable",
    })
    .option("log", {
      group: ADDRESS,
      ...choice("log", LOG_CHOICES),
      default: "info" as const,
      desc: "From which level on lines go to stderr, one JSON object each",
    })
    .check(({ "cors-origin": origins }) => {
      const wrong = origins.find((origin) => origin !== "*" && !isOrigin(origin));
      if (wrong === undefined) return true;
      throw new UsageError(`--cors-origin takes an origin such as https://example.com, or *, not ${wrong}`);
    });
}

const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text;

function limitOptions<T>(args: Argv<T>) {
  return args
    .option("max-request-bytes", {
      group: LIMITS,
      ...wholeNumber("max-request-bytes", 1_000, 2 ** 31 - 1),
      default: 100_000_000,
      desc: "Largest request body: 10,000 images as JSON are 61 MB",
    })
    .option("concurrency", {
      group: LIMITS,
      ...wholeNumber("concurrency", 1, 100_000),
      default: 256,
      desc: "Most requests at once; more are answered with 429",
    })
    .option("timeout", {
      group: LIMITS,
      ...seconds("timeout"),
      default: 60,
      desc: "Seconds for one request, and for those under way when the service stops",
    })
    .option("batch-size", {
      group: LIMITS,
      ...wholeNumber("batch-size", 1, 100_000),
      default: 256,
      desc: "Most images in one run of the model; 1 scores each request alone",
    })
    .option("batch-delay", {
      group: LIMITS,
      ...wholeNumber("batch-delay", 0, 1_000),
      default: 2,
      desc: "Milliseconds that a few images wait for those of other requests",
    });
}

export type ServeArguments = Arguments<typeof serveOptions>;
