import type { Argv } from "yargs";

import { CATALOG, type DatasetName, type SplitName } from "../dataset/catalog.ts";
import { UsageError } from "../errors.ts";
import { REPORTS, type ReportName } from "../report/table.ts";
import type { Layout, Resize } from "../types.ts";
import { endpointOptions } from "./endpoint-options.ts";
import {
  choice,
  classNames,
  listOf,
  repeatable,
  scaleChoice,
  SCALE_FORMULAS,
  text,
  VALUE,
  wholeNumber,
} from "./option-kinds.ts";

const DATASETS = Object.keys(CATALOG) as DatasetName[];
/** What the bundled model was trained on. */
const BUNDLED = "mnist" as const;
const FORMATS = ["svg", "png"] as const;
const LAYOUTS = ["auto", "flat", "nhw", "nchw", "nhwc"] as const satisfies readonly (Layout | "auto")[];
const RESIZES = ["none", "pad", "bilinear"] as const satisfies readonly Resize[];

export type ChartFormat = (typeof FORMATS)[number];

const DATA = "Data";
const MODEL = "Model";
const RESULT = "Results";
const RUN = "Run";

function nameOption<T>(args: Argv<T>) {
  return args.option("dataset", {
    group: DATA,
    ...choice("dataset", DATASETS),
    default: BUNDLED,
    desc: "A known data set",
  });
}

function sourceOptions<T>(args: Argv<T>) {
  return args
    .option("data-dir", {
      group: DATA,
      ...text("data-dir"),
      default: "data",
      desc: "Download cache",
    })
    .option("mirror", {
      group: DATA,
      ...repeatable("mirror"),
      default: [] as string[],
      desc: "URL tried before the data set's own mirrors; repeatable; http(s) or file",
    })
    .option("offline", { group: DATA, type: "boolean", default: false, desc: "Use no network" })
    .option("refresh", { group: DATA, type: "boolean", default: false, desc: "Download again" })
    .check(({ offline, refresh, mirror }) => {
      // From a folder, files are fetched again without a network.
      if (offline && refresh && !mirror.some((url) => url.startsWith("file:"))) {
        throw new UsageError("--refresh downloads again, which --offline forbids: leave one of the two out");
      }
      return true;
    });
}

/** The options that say which data set and where it comes from. */
export function datasetOptions<T>(args: Argv<T>) {
  const named = nameOption(args).option("split", {
    group: DATA,
    ...choice<SplitName>("split", ["test", "train"]),
    default: "test" as const,
    desc: "Which half of it",
  });
  return sourceOptions(named);
}

/** Every option of `evaluate`. */
export function evaluateOptions<T>(args: Argv<T>) {
  return endpointOptions(datasetOptions(args))
    .option("images", {
      group: DATA,
      ...text("images"),
      desc: "IDX file of images instead, gzipped or not",
    })
    .option("labels", {
      group: DATA,
      ...text("labels"),
      desc: "IDX file of their labels",
    })
    .option("classes", {
      group: DATA,
      ...VALUE,
      type: "string",
      coerce: classNames,
      desc: "Class names, in the order of the labels: a,b,c, or a file with one a line",
    })
    .option("limit", {
      group: DATA,
      ...wholeNumber("limit", 1, Number.MAX_SAFE_INTEGER),
      desc: "Score N images only, stratified by class",
    })
    .option("model", {
      group: MODEL,
      ...text("model"),
      desc: "An ONNX model",
      defaultDescription: "the bundled one",
    })
    .option("scale", {
      group: MODEL,
      ...scaleChoice("auto"),
      default: "auto" as const,
      desc: `Pixels as ${SCALE_FORMULAS}`,
      defaultDescription: "auto: as the model's file says, or found out on images that are not scored",
    })
    .option("layout", {
      group: MODEL,
      ...choice("layout", LAYOUTS),
      default: "auto" as const,
      desc: "Order of the model's input",
    })
    .option("resize", {
      group: MODEL,
      ...choice("resize", RESIZES),
      default: "none" as const,
      desc: "For a model of another input size: black edges (pad) or scaled (bilinear)",
    })
    .option("invert", {
      group: MODEL,
      type: "boolean",
      desc: "255 − x first: dark digits on white",
      defaultDescription: "found out",
    })
    .option("output", {
      group: MODEL,
      ...text("output"),
      desc: "The model's output to read",
      defaultDescription: "the one with scores or labels",
    })
    .option("batch-size", {
      group: MODEL,
      ...wholeNumber("batch-size", 1, 1_000_000),
      desc: "Images in one run of the model, or in one request",
      defaultDescription: "1000, or 100 a request",
    })
    .option("out", {
      group: RESULT,
      ...text("out"),
      default: "reports",
      desc: "Output folder",
    })
    .option("force", {
      group: RESULT,
      type: "boolean",
      default: false,
      desc: "Overwrite files in --out that are not ours",
    })
    .option("charts", {
      group: RESULT,
      ...listOf("charts", FORMATS),
      default: "svg,png",
      desc: "svg, png or none",
    })
    .option("reports", {
      group: RESULT,
      ...listOf("reports", Object.keys(REPORTS) as ReportName[]),
      default: "json,csv,html,markdown,junit",
      desc: "Which reports",
    })
    .option("gate", {
      group: RESULT,
      ...repeatable("gate"),
      default: [] as string[],
      desc: "Condition to pass, such as 'accuracy >= 0.92' or 'recall[5] >= 0.85'; repeatable",
    })
    .option("json", {
      group: RESULT,
      type: "boolean",
      default: false,
      desc: "Print the summary as one JSON object",
    })
    .option("quiet", {
      group: RESULT,
      type: "boolean",
      default: false,
      desc: "Print no summary and no progress",
    })
    .option("color", {
      group: RESULT,
      type: "boolean",
      desc: "Colour in the summary",
      defaultDescription: "on a terminal",
    })
    .option("seed", {
      group: RUN,
      ...wholeNumber("seed", -2147483648, 2147483647),
      default: 42,
      desc: "Everything random",
    })
    .check(({ images, labels, resize, endpoint, model }) => {
      if (resize !== "none" && endpoint !== undefined && model === undefined) {
        throw new UsageError(
          "--resize is for a local model: a service gets the images as they are, and resizes them itself",
        );
      }
      if ((images === undefined) !== (labels === undefined)) {
        throw new UsageError("--images and --labels go together: name both files of the pair");
      }
      return true;
    });
}

/** What `train` takes: where the images come from, and the file to write. It reads both halves of the data set. */
export function trainOptions<T>(args: Argv<T>) {
  return sourceOptions(nameOption(args))
    .option("model", {
      ...text("model"),
      desc: "File to write",
      defaultDescription: "the bundled model",
    })
    .check(({ dataset, model }) => {
      if (dataset !== BUNDLED && model === undefined) {
        throw new UsageError(
          `--dataset ${dataset} would replace the bundled model, which is of ${BUNDLED}: name the file to write with --model`,
        );
      }
      return true;
    });
}

/** The parsed form of one of these. */
export type Arguments<Options extends (args: Argv) => Argv> = Awaited<ReturnType<Options>["argv"]>;
export type DatasetArguments = Arguments<typeof datasetOptions>;
export type EvaluateArguments = Arguments<typeof evaluateOptions>;
export type TrainArguments = Arguments<typeof trainOptions>;
