import { mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { packageVersions } from "../../src/package.ts";
import { idxFile, put, sha256, temporaryFolder, TINY, tinyArchives } from "./builders.ts";
import { serving, startMirror } from "./mirror.ts";
import { ARCHIVES, fetch, IMAGES, LABELS, message, paths } from "./scene.ts";

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
      settings: { stallTimeoutMs: 1000 },
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
        `  ${silent.url}${IMAGES}: no answer for 1 s`,
        `  ${stalling.url}${IMAGES}: no data for 1 s`,
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
      settings: { stallTimeoutMs: 1000 },
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

  test("sends a mirror's user and password to it, but not where it redirects to", async () => {
    const target = await startMirror(serving(ARCHIVES));
    const mirror = await startMirror(({ url = "" }, response) => {
      const location = url.startsWith("/same") ? `${target.url}deep` : `/same${url}`;
      response.writeHead(302, { location: `${location}${url.startsWith("/same") ? url : ""}` }).end();
    });
    const secret = mirror.url.replace("//", "//us%40er:pa%C3%9F%25@");
    const scene = await fetch({ options: { mirrors: [secret] } });
    expect(await scene.read()).toEqual([IMAGES, LABELS]);
    const basic = `Basic ${Buffer.from("us@er:paß%").toString("base64")}`;
    expect(mirror.requests.map(({ authorization }) => authorization)).toEqual([basic, basic, basic, basic]);
    expect(target.requests.map(({ authorization }) => authorization)).toEqual([null, null]);
  });

  test("writes no secret of a mirror's URL to the disk", async () => {
    const mirror = await startMirror(serving(ARCHIVES, { cutAfter: () => 20, stall: true }));
    const secret = `${mirror.url.replace("//", "//user:secret@")}?token=secret`;
    const scene = await fetch({ options: { mirrors: [secret] }, settings: { stallTimeoutMs: 500 } });
    await message(scene.read());
    expect(JSON.parse(await readFile(scene.path(`${IMAGES}.partial.json`), "utf8"))).toEqual({
      source: sha256(Buffer.from(secret.replace("?", `${IMAGES}?`))),
      validator: '"v1"',
    });
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

  test("says so where a file of the cache cannot be written, and asks no other source", async () => {
    const mirror = await startMirror(serving(ARCHIVES));
    const other = await startMirror(serving(ARCHIVES));
    const scene = await fetch({ mirrors: [mirror.url, other.url] });
    await put(scene.path(`${IMAGES}.partial`), { "in-the-way": "" });
    expect(await message(scene.read())).toBe(
      `${join(scene.dir, "tiny")} cannot be written (EISDIR: illegal operation on a directory, open ` +
        `'${scene.path(`${IMAGES}.partial`)}'): choose another folder with --data-dir`,
    );
    expect(other.requests).toEqual([]);
  });

  test.runIf(process.platform === "linux")("says so where the disk is full", async () => {
    const mirror = await startMirror(serving(ARCHIVES));
    const scene = await fetch({ mirrors: [mirror.url] });
    await mkdir(join(scene.dir, "tiny"));
    await symlink("/dev/full", scene.path(`${IMAGES}.partial`));
    expect(await message(scene.read())).toBe(
      `${join(scene.dir, "tiny")} cannot be written (ENOSPC: no space left on device, write): ` +
        "choose another folder with --data-dir",
    );
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

test.runIf(process.platform === "linux")(
  "openDataset(options) says so at once where no folder can be made",
  async () => {
    const scene = await fetch({ dataDir: "/proc/nowhere/data" });
    expect(await message(scene.read())).toBe(
      "/proc/nowhere/data/tiny cannot be written (ENOENT: no such file or directory, mkdir '/proc/nowhere'): " +
        "choose another folder with --data-dir",
    );
  },
);

/** The base URL of a port at which nothing listens. */
async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`;
}
