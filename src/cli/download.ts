import { visible } from "../text/visible.ts";
import type { Context } from "./context.ts";
import { datasetSettings, downloadDataset } from "./dataset.ts";
import type { DatasetArguments } from "./options.ts";
import { progressLine } from "./progress.ts";

/** The `download` command: puts a data set's files into the cache and prints where they are. */
export async function downloadCommand(options: DatasetArguments, context: Context): Promise<number> {
  const progress = progressLine(context.stderr, true, () => performance.now());
  try {
    const { images, labels } = await downloadDataset(datasetSettings(options, context, progress));
    progress.clear();
    context.stdout.write(`${visible(images)}\n${visible(labels)}\n`);
    return 0;
  } finally {
    progress.clear();
  }
}
