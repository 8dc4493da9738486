import { createHash } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { openDataset } from "../../src/dataset/open.ts";
import {
  datasetOptions,
  impatient,
  put,
  readAll,
  temporaryFolder,
  TINY,
  tinyArchives,
  tinyEntry,
  zipFile,
} from "./builders.ts";
import { serving, startMirror } from "./mirror.ts";

const [IMAGES, LABELS] = ["tiny-images-idx3-ubyte.gz", "tiny-labels-idx1-ubyte.gz"] as const;
const ARCHIVES = tinyArchives();
const ZIP = zipFile({
  "gzip/other.txt": Buffer.from("not wanted"),
  [`gzip/${IMAGES}`]: ARCHIVES[IMAGES],
  [`gzip/${LABELS}`]: ARCHIVES[LABELS],
});

const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest("hex");

const file = (name: string) => ({ name, content: null, archive: null });

function publication(mirrors: readonly string[], zip = ZIP) {
  const archive = { algorithm: "md5", hex: md5(zip) } as const;
  const split = { images: file(IMAGES.slice(0, -3)), labels: file(LABELS.slice(0, -3)), count: 20 };
  const entry = tinyEntry({
    mirrors,
    zip: { name: "all.zip", folder: "gzip", archive },
    splits: { train: split, test: split },
  });
  return { entry, settings: impatient() };
}

describe("openDataset(options) of files in one zip", () => {
  test("downloads the zip once, and takes out what is asked for", async () => {
    const mirror = await startMirror(serving({ "all.zip": ZIP }));
    const dataDir = await temporaryFolder();
    const warnings: string[] = [];
    const options = datasetOptions({ dataDir, warn: (message) => warnings.push(message) });
    const batch = await readAll(await openDataset(options, publication([mirror.url])));
    expect(Buffer.from(batch.pixels).equals(TINY.images.subarray(16))).toBe(true);
    expect((await readdir(join(dataDir, "tiny"))).sort()).toEqual(["all.zip", IMAGES, LABELS]);
    await rm(join(dataDir, "tiny", IMAGES));
    await readAll(await openDataset(options, publication([mirror.url])));
    expect(mirror.requests.map(({ path }) => path)).toEqual(["/all.zip"]);
    expect(warnings).toEqual([]);
  });

  test("takes a zip that was placed by hand, unless it is another", async () => {
    const dataDir = await temporaryFolder();
    const options = datasetOptions({ dataDir, offline: true });
    await put(join(dataDir, "tiny"), { "all.zip": "another" });
    const folder = join(dataDir, "tiny");
    await expect(openDataset(options, publication([]))).rejects.toThrow(
      [
        `all.zip of Tiny is not in ${folder}, and --offline forbids a download:`,
        `  ${join(folder, "all.zip")}: what it gave does not match its published digest (md5 got ` +
          `${md5(Buffer.from("another"))} expected ${md5(ZIP)})`,
        `Run once without --offline, give --mirror file:///FOLDER, or place all.zip in ${folder} by hand`,
      ].join("\n"),
    );
    await put(folder, { "all.zip": ZIP });
    expect((await readAll(await openDataset(options, publication([])))).labels).toHaveLength(20);
  });

  test("refuses a download with another digest", async () => {
    const mirror = await startMirror(serving({ "all.zip": Buffer.from("PK, but no zip") }));
    const dataDir = await temporaryFolder();
    await expect(openDataset(datasetOptions({ dataDir }), publication([mirror.url]))).rejects.toThrow(
      `  ${mirror.url}all.zip: what it gave does not match its published digest (md5 got ` +
        `${md5(Buffer.from("PK, but no zip"))} expected ${md5(ZIP)})\n`,
    );
    expect(await readdir(join(dataDir, "tiny"))).toEqual([]);
  });

  test("says what a zip lacks", async () => {
    const zip = zipFile({ [`gzip/${LABELS}`]: ARCHIVES[LABELS] });
    const dataDir = await temporaryFolder();
    await put(join(dataDir, "tiny"), { "all.zip": zip });
    const path = join(dataDir, "tiny", "all.zip");
    await expect(
      openDataset(datasetOptions({ dataDir, offline: true }), publication([], zip)),
    ).rejects.toThrow(
      `${path} cannot be unpacked (${path} has no member gzip/${IMAGES}): download it again with --refresh`,
    );
  });
});
