import { renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { openDataset, Readings, type DatasetOptions } from "../../src/dataset/open.ts";
import { DatasetError } from "../../src/errors.ts";
import type { Dataset } from "../../src/types.ts";
import { datasetOptions, idxFile, labelFile, put, readAll, temporaryFolder } from "./builders.ts";

const COUNT = 40;
const images = (seed: number) =>
  idxFile(
    [COUNT, 3, 3],
    Array.from({ length: COUNT * 9 }, (_, i) => (i * seed) & 255),
  );
const [OLD, OTHER, LABELS] = [images(7), images(11), labelFile(COUNT, 2)];

const changed = (path: string) =>
  new DatasetError(`${path} changed while it was read: run again once no other program writes to it`);

/** A pair of files, and a way to open it. */
async function pair(content: Uint8Array = OLD) {
  const folder = await temporaryFolder();
  await put(folder, { i: content, l: LABELS });
  const [i, l] = [join(folder, "i"), join(folder, "l")];
  const files = { images: i, labels: l, classes: null };
  const open = (changes: Partial<DatasetOptions> = {}) => openDataset(datasetOptions({ files, ...changes }));
  return { i, l, open };
}

/** Reads a data set to its end, and does something after its first batch. */
async function readWith(dataset: Dataset, change: () => void): Promise<number> {
  let read = 0;
  for await (const { labels } of dataset.batches(10)) {
    if (read === 0) change();
    read += labels.length;
  }
  return read;
}

const CHANGES: readonly (readonly [what: string, change: (path: string) => void])[] = [
  ["written over in place", (path) => writeFileSync(path, OTHER, { flag: "r+" })],
  [
    "written over in place, with the times that it had",
    (path) => {
      writeFileSync(path, OTHER, { flag: "r+" });
      utimesSync(path, new Date(0), new Date(0));
    },
  ],
  ["cut short", (path) => writeFileSync(path, OLD.subarray(0, 100))],
  ["made longer", (path) => writeFileSync(path, Buffer.of(0), { flag: "a" })],
  [
    "replaced",
    (path) => {
      writeFileSync(`${path}-new`, OTHER);
      renameSync(`${path}-new`, path);
    },
  ],
  ["deleted", (path) => rmSync(path)],
];

describe("files that change while they are read", () => {
  test.each(CHANGES)("are noticed where the images are %s", async (_, change) => {
    const { i, open } = await pair();
    utimesSync(i, new Date(0), new Date(0));
    const dataset = await open();
    await expect(readWith(dataset, () => change(i))).rejects.toThrow(changed(i));
    expect(() => dataset.files()).toThrow("the files' digests are known only after their last batch");
  });

  test.each(CHANGES)("are noticed where they are %s between one reading and the next", async (_, change) => {
    const { l, open } = await pair();
    const dataset = await open({ limit: 10 });
    change(l);
    await expect(readAll(dataset)).rejects.toThrow(changed(l));
  });

  test("are noticed where the images are gzipped", async () => {
    const { i, open } = await pair(gzipSync(OLD));
    const dataset = await open();
    await expect(readWith(dataset, () => writeFileSync(i, gzipSync(OTHER)))).rejects.toThrow(changed(i));
  });

  test("are said to have changed where their labels are wrong for that", async () => {
    const { l, open } = await pair();
    const dataset = await open({ limit: 10 });
    writeFileSync(l, labelFile(COUNT, 200), { flag: "r+" });
    await expect(readAll(dataset)).rejects.toThrow(changed(l));
  });

  test("are noticed where one opens them after another, which has read some of them", async () => {
    const readings = new Readings();
    const { i, open } = await pair();
    for await (const _ of (await open({ readings })).batches(10)) break;
    writeFileSync(i, OTHER, { flag: "r+" });
    await expect(open({ readings })).rejects.toThrow(changed(i));
    expect((await readAll(await open())).labels).toHaveLength(COUNT);
  });

  test.each([
    ["touched", (path: string) => utimesSync(path, new Date(), new Date())],
    [
      "replaced by the same content",
      (path: string) => {
        writeFileSync(`${path}-new`, OLD);
        renameSync(`${path}-new`, path);
      },
    ],
  ])("are no concern where they are only %s", async (_, change) => {
    const { i, open } = await pair();
    const dataset = await open({ limit: 30 });
    change(i);
    expect(await readWith(dataset, () => change(i))).toBe(30);
  });
});
