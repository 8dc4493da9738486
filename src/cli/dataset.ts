import type { DownloadOptions } from "../dataset/open.ts";
import type { Context } from "./context.ts";
import type { DatasetArguments } from "./options.ts";
import { warning, type Progress } from "./progress.ts";

export { downloadDataset, openCached, openDataset, Readings } from "../dataset/open.ts";

/** What the data set's code needs from the command line and the terminal. */
export function datasetSettings(
  options: DatasetArguments,
  context: Pick<Context, "signal" | "stderr">,
  progress: Progress,
): DownloadOptions {
  return {
    dataset: options.dataset,
    split: options.split,
    dataDir: options.dataDir,
    mirrors: options.mirror,
    offline: options.offline,
    refresh: options.refresh,
    signal: context.signal,
    progress: ({ file, receivedBytes, totalBytes }) => progress.update(file, receivedBytes, totalBytes),
    warn: warning(context, progress),
  };
}
