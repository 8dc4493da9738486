// Downloads the data set that argv describes as JSON, as one of several processes; bundled and started by a test.
import { openDataset } from "../../src/dataset/open.ts";
import type { CatalogEntry } from "../../src/dataset/catalog.ts";
import type { FetchSettings } from "../../src/dataset/open.ts";

export interface Order {
  readonly dataDir: string;
  readonly entry: CatalogEntry;
  readonly settings: Omit<FetchSettings, "npmRoot">;
}

const { dataDir, entry, settings } = JSON.parse(process.argv[2] ?? "") as Order;
const dataset = await openDataset(
  {
    dataset: "mnist",
    split: "test",
    files: null,
    dataDir,
    mirrors: [],
    offline: false,
    refresh: false,
    limit: null,
    seed: 0,
    signal: new AbortController().signal,
    progress: ({ file, receivedBytes }) => process.stdout.write(`${file} ${receivedBytes}\n`),
    warn: () => {},
  },
  { entry, settings: { ...settings, npmRoot: new URL("file:///nowhere/") } },
);
let images = 0;
for await (const batch of dataset.batches(10)) images += batch.labels.length;
process.stdout.write(`read ${images}\n`);
