import { join } from "node:path";

import { InterruptedError } from "../errors.ts";
import { evaluate } from "../evaluate.ts";
import { openOutput, type Output } from "../files/output.ts";
import { bindGates, checkGates, parseGate, type Gate } from "../metrics/gates.ts";
import { REPORTS } from "../report/table.ts";
import { summaryJson, summaryText } from "../report/text.ts";
import { visible, visibleJson } from "../text/visible.ts";
import type { Evaluation } from "../types.ts";
import { fixedTime, wantsColor, type Context } from "./context.ts";
import { startDrawing, type Drawing } from "./draw.ts";
import { environment } from "./environment.ts";
import { checkInTheWay } from "./in-the-way.ts";
import { batchSizeOf, openInputs } from "./inputs.ts";
import type { EvaluateArguments } from "./options.ts";
import { predictionsFile, type Predictions } from "./predictions.ts";
import { progressLine, warning, type Progress } from "./progress.ts";

/** Narrowest summary that is laid out; below it, lines wrap. */
const DEFAULT_COLUMNS = 100;

/** The `evaluate` command: data set → scores → metrics → charts → reports. @returns the exit code */
export async function evaluateCommand(options: EvaluateArguments, context: Context): Promise<number> {
  const gates = options.gate.map((text) => parseGate(text));
  const progress = progressLine(context.stderr, !options.quiet, () => performance.now());
  const { endpoint } = options;
  if (options.dryRun && endpoint !== undefined) {
    const { dryRun } = await import("./dry-run.ts");
    return await dryRun({ ...options, endpoint }, context, progress);
  }
  const output = await openOutput(options.out, {
    force: options.force,
    signal: context.signal,
    atHardExit: context.atHardExit,
    warn: warning(context, progress),
  });
  const drawing = startDrawing(options.charts, context.signal);
  try {
    await checkInTheWay(options);
    const { evaluation, predictions, finish } = await measure(options, context, gates, output, progress);
    progress.clear();
    if (options.charts.length > 0) progress.update("Drawing charts", 0, null);
    await writeReports(evaluation, predictions, options, output, drawing);
    context.signal.throwIfAborted();
    await output.commit();
    finish();
    progress.clear();
    print(evaluation, options, context);
    return exitCode(evaluation, options, context);
  } catch (error) {
    throw endpoint !== undefined && error instanceof InterruptedError ? resumable(error) : error;
  } finally {
    progress.clear();
    await drawing.stop();
    await output.discard();
  }
}

function resumable(error: InterruptedError): InterruptedError {
  return new InterruptedError(
    `${error.message}; the service's answers so far are kept, and the same command goes on from there`,
    { cause: error },
  );
}

async function measure(
  options: EvaluateArguments,
  context: Context,
  gates: readonly Gate[],
  output: Output,
  progress: Progress,
): Promise<{ evaluation: Evaluation; predictions: Predictions | null; finish: () => void }> {
  const startedAt = context.now();
  const fixed = fixedTime(context.env);
  const machine = fixed === null ? environment() : Promise.resolve(null);
  const inputs = await openInputs(options, context, progress);
  const { dataset, scorer, preflight, reference } = inputs;
  try {
    const bound = bindGates(gates, dataset.classes);
    const { classes } = dataset;
    const predictions = options.reports.includes("csv") ? predictionsFile(output, classes) : null;
    const outcome = await evaluate({
      dataset,
      scorer,
      preflight,
      reference,
      batchSize: batchSizeOf(options, dataset),
      seed: options.seed,
      signal: context.signal,
      onProgress: (images) => progress.update("Scoring", images, dataset.size),
      onScored: (batch) => predictions?.add(batch),
    });
    await inputs.checkUnchanged();
    const timed = fixed === null;
    const repeatable: typeof outcome = {
      ...outcome,
      imagesPerSecond: timed ? outcome.imagesPerSecond : null,
      latency: timed ? outcome.latency : null,
      failures: timed ? outcome.failures : withoutRequests(outcome.failures),
    };
    const evaluation: Evaluation = {
      ...repeatable,
      warnings: [...inputs.warnings, ...outcome.warnings, ...(await fontWarnings(classes, options))],
      createdAt: (fixed ?? startedAt).toISOString(),
      durationSeconds: timed ? (context.now().getTime() - startedAt.getTime()) / 1000 : null,
      environment: await machine,
      gates: checkGates(bound, repeatable),
    };
    return { evaluation, predictions, finish: () => inputs.finish() };
  } finally {
    await inputs.close();
  }
}

/** A request's identity is another one each time. */
function withoutRequests(failures: Evaluation["failures"]): Evaluation["failures"] {
  return { ...failures, images: failures.images.map(({ index, reason }) => ({ index, reason })) };
}

/** Class names with characters that the bundled font lacks would be blank in the PNGs without a word. */
async function fontWarnings(classes: readonly string[], { charts }: EvaluateArguments): Promise<string[]> {
  const names = classes.join("");
  if (!charts.includes("png") || /^[\x20-\x7E]*$/.test(names)) return [];
  const { missingGlyphs } = await import("../charts/text.ts");
  const missing = missingGlyphs(names);
  return missing.length === 0
    ? []
    : [
        `The PNG charts' font lacks ${missing.join(" ")}: those characters of class names are blank; the SVG charts have them.`,
      ];
}

async function writeReports(
  evaluation: Evaluation,
  predictions: Predictions | null,
  options: EvaluateArguments,
  output: Output,
  drawing: Drawing,
): Promise<void> {
  const [drawn] = await Promise.all([drawing.draw(evaluation), predictions?.finish()]);
  const reports = options.reports.flatMap((name) => REPORTS[name](evaluation, drawn));
  // Side by side, because each waits for the disk; all are over before a failed one is told and the rest cleared away.
  const written = await Promise.allSettled(
    [...drawn.files, ...reports].map(async ({ path, content }) => await output.write(path, content)),
  );
  const failed = written.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

function print(evaluation: Evaluation, options: EvaluateArguments, { stdout, env }: Context): void {
  if (options.json)
    stdout.draw(`${visibleJson(JSON.stringify(summaryJson(evaluation, options.out), null, 2))}\n`);
  else if (!options.quiet) {
    const color = wantsColor(options.color, { env, stdout });
    const text = summaryText(evaluation, { columns: stdout.columns ?? DEFAULT_COLUMNS, color });
    stdout.draw(`${text}\n`);
    stdout.write(`Report: ${visible(options.out.replace(/\/*$/, "/"))}\n`);
  }
}

/** 1 means that the model is worse; where that cannot be told, the reason goes to stderr. */
function exitCode(
  { failures, dataset, gates }: Evaluation,
  { out, reports, maxFailures }: EvaluateArguments,
  { stderr }: Context,
): number {
  const untold = gates.filter(({ result }) => result === "untold");
  for (const { expression, reason } of untold)
    stderr.write(`mnist-evaluate: ${visible(`--gate '${expression}': ${reason}`)}\n`);
  if (failures.count > 0) {
    const all = dataset.images;
    const where = reports.includes("json")
      ? `see failures in ${join(out, "metrics.json")}`
      : "run with --reports json to see which";
    const why = mostFrequent(failures.images.map(({ reason }) => reason));
    stderr.write(
      `mnist-evaluate: ${failures.count} of ${all} images have no prediction (${visible(why)}): ${visible(where)}\n`,
    );
    const { value, unit } = maxFailures;
    if (failures.count > (unit === "percent" ? (all * value) / 100 : value)) return 4;
  }
  if (gates.some(({ result }) => result === "failed")) return 1;
  return untold.length > 0 ? 2 : 0;
}

/** The commonest reason, and whether there are others. */
function mostFrequent(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const [[reason] = [""]] = [...counts].sort(([, a], [, b]) => b - a);
  return counts.size > 1 ? `mostly: ${reason}` : reason;
}
