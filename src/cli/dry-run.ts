import { ASKED_AGAIN } from "../evaluate.ts";
import { grouped } from "../grouped.ts";
import { planRequests } from "../scorer/endpoint/plan.ts";
import { shownUrl } from "../scorer/http/secrets.ts";
import { visible, visibleJson } from "../text/visible.ts";
import type { Context } from "./context.ts";
import { datasetSettings, openDataset } from "./dataset.ts";
import { endpointSettings } from "./endpoint.ts";
import { batchSizeOf } from "./inputs.ts";
import type { EvaluateArguments } from "./options.ts";
import type { Progress } from "./progress.ts";

/** What `--dry-run` does: the plan of requests goes to stdout, and nothing to the service. @returns the exit code */
export async function dryRun(
  options: EvaluateArguments & { readonly endpoint: URL },
  context: Context,
  progress: Progress,
): Promise<number> {
  const { images, labels, classes = null, limit = null, seed, scale, invert = false, json } = options;
  const settings = endpointSettings(options, context.env);
  const files = images !== undefined && labels !== undefined ? { images, labels, classes } : null;
  const dataset = await openDataset({
    ...datasetSettings(options, context, progress),
    files,
    seed,
    limit,
  });
  const choice = { scale: scale === "auto" ? "unit" : scale, invert, transpose: false } as const;
  const plan = await planRequests(settings, dataset, dataset.batches(batchSizeOf(options, dataset)), choice);
  progress.clear();
  const url = shownUrl(plan.url);
  const askedAgain = Math.min(ASKED_AGAIN, plan.images);
  if (json) {
    context.stdout.draw(
      `${visibleJson(JSON.stringify({ dryRun: true, ...plan, askedAgain, url }, null, 2))}\n`,
    );
    return 0;
  }
  const guessed = plan.found === null ? ", if the service turns out to speak it" : `, by ${plan.found}`;
  const pixels = scale === "auto" ? `${choice.scale}, if that is found to be right` : choice.scale;
  const rows: readonly (readonly [string, string])[] = [
    ["Service", url],
    ["Protocol", `${plan.protocol}${guessed}`],
    ["Encoding", `${plan.encoding}, pixels as ${pixels}`],
    ["Images", `${grouped(plan.images)} of ${dataset.name} ${dataset.split}`],
    [
      "Requests",
      `${grouped(plan.requests)} of at most ${grouped(plan.mostImages)} images, at most ${options.concurrency} at once`,
    ],
    ["Bytes", `${grouped(plan.bytes)} in all, at most ${grouped(plan.mostBytes)} a request`],
    [
      "Before",
      "what the service is, and how it wants its pixels, is tried on up to 1,000 images, mostly on 60",
    ],
    ["After", `${grouped(askedAgain)} of the images are asked again, to see whether the answers repeat`],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, value]) => `${label.padEnd(width)}  ${visible(value)}`);
  context.stdout.write(`Nothing was sent. The plan:\n\n${lines.join("\n")}\n`);
  return 0;
}
