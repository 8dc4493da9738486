import type { SplitName } from "../dataset/catalog.ts";
import { checkPlace, writeFileWhole } from "../files/single-file.ts";
import { bundledModel } from "../scorer/open.ts";
import { visible } from "../text/visible.ts";
import { trainBundledModel, type TrainSummary } from "../train/train.ts";
import type { Context } from "./context.ts";
import { datasetSettings, openDataset } from "./dataset.ts";
import type { TrainArguments } from "./options.ts";
import { progressLine } from "./progress.ts";

const ELSEWHERE = "name another file with --model";

/** The `train` command: rebuilds the bundled model from the training images, the same bytes each time. */
export async function trainCommand(options: TrainArguments, context: Context): Promise<number> {
  const progress = progressLine(context.stderr, true, () => performance.now());
  const file = options.model ?? bundledModel;
  await checkPlace(file, ELSEWHERE);
  try {
    const open = (split: SplitName) =>
      openDataset({
        ...datasetSettings({ ...options, split }, context, progress),
        files: null,
        limit: null,
        seed: 0,
      });
    // One after the other: where one cannot be opened, no download of the other goes on.
    const train = await open("train");
    const test = await open("test");
    const { bytes, summary } = await trainBundledModel({
      train,
      test,
      signal: context.signal,
      progress: ({ evaluations }) => progress.update("Training, pass", evaluations, null),
    });
    await writeFileWhole(file, bytes, ELSEWHERE);
    progress.clear();
    context.stdout.write(summaryText(summary, file));
    return 0;
  } finally {
    progress.clear();
  }
}

function summaryText(summary: TrainSummary, file: string): string {
  const { images, C, objective, gradientNorm, seconds, trainingAccuracy, testAccuracy } = summary;
  return [
    `Trained on ${images} images in ${seconds.toFixed(1)} s, C = ${C}`,
    `objective ${objective.toFixed(6)}, largest gradient norm ${gradientNorm.toExponential(1)}`,
    `accuracy ${trainingAccuracy.toFixed(4)} in training, ${testAccuracy?.toFixed(4) ?? "not measured"} on the test images`,
    `Model: ${visible(file)}\n`,
  ].join("\n");
}
