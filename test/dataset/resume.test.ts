import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import type { DatasetOptions } from "../../src/dataset/open.ts";
import { InterruptedError } from "../../src/errors.ts";
import { put, sha256, temporaryFolder } from "./builders.ts";
import { serving, startMirror } from "./mirror.ts";
import { BIG, BIG_ARCHIVES, BIG_BYTES, fetch, IMAGES, LABELS, message, paths } from "./scene.ts";

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
    const origin = JSON.stringify({
      source: sha256(Buffer.from(`${mirror.url}${IMAGES}`)),
      validator: etag === "" ? null : etag,
    });
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
      [`${IMAGES}.partial.json`]: JSON.stringify({
        source: sha256(Buffer.from(`${mirror.url}${IMAGES}`)),
        validator: '"v1"',
      }),
    });
    const scene = await fetch({ mirrors: [mirror.url], content: BIG, dataDir });
    expect(await scene.read()).toEqual([IMAGES, LABELS]);
    expect(paths(mirror)).toEqual([`/${IMAGES} bytes=${BIG_BYTES + 5}-`, `/${IMAGES}`, `/${LABELS}`]);
  });

  test("after a fresh start that took longer than a stall, and was cut", async () => {
    const requests: string[] = [];
    const piece = Math.floor(BIG_BYTES / 20);
    const mirror = await startMirror((request, response, self) => {
      requests.push(`${request.url} ${request.headers.range ?? "whole"}`);
      if (requests.length !== 2) return serving(BIG_ARCHIVES)(request, response, self);
      response.writeHead(200, { etag: '"v1"', "content-length": BIG_BYTES });
      let at = 0;
      const timer = setInterval(() => {
        response.write(BIG_ARCHIVES[IMAGES].subarray(at, (at += piece)));
        if (at < 10 * piece) return;
        clearInterval(timer);
        setTimeout(() => response.destroy(), 200);
      }, 100);
    });
    const dataDir = await temporaryFolder();
    await put(join(dataDir, "tiny"), {
      [`${IMAGES}.partial`]: Buffer.alloc(BIG_BYTES + 5, 1),
      [`${IMAGES}.partial.json`]: JSON.stringify({
        source: sha256(Buffer.from(`${mirror.url}${IMAGES}`)),
        validator: '"v1"',
      }),
    });
    const settings = { stallTimeoutMs: 600 };
    const scene = await fetch({ mirrors: [mirror.url], content: BIG, dataDir, settings });
    expect(await scene.read()).toEqual([IMAGES, LABELS]);
    expect(requests).toEqual([
      `/${IMAGES} bytes=${BIG_BYTES + 5}-`,
      `/${IMAGES} whole`,
      `/${IMAGES} bytes=${10 * piece}-`,
      `/${LABELS} whole`,
    ]);
  });

  test("never with another mirror's part", async () => {
    const broken = await startMirror(serving(BIG_ARCHIVES, { cutAfter: () => 100, stall: true }));
    const mirror = await startMirror(serving(BIG_ARCHIVES));
    const scene = await fetch({
      mirrors: [broken.url, mirror.url],
      content: BIG,
      settings: { stallTimeoutMs: 1000 },
    });
    expect(await scene.read()).toEqual([IMAGES, LABELS]);
    expect(mirror.requests[0]?.range).toBe(null);
  });

  test("never with a part that turned out wrong", async () => {
    const mirror = await startMirror(serving(BIG_ARCHIVES));
    const dataDir = await temporaryFolder();
    await put(join(dataDir, "tiny"), {
      [`${IMAGES}.partial`]: Buffer.alloc(half, 1),
      [`${IMAGES}.partial.json`]: JSON.stringify({
        source: sha256(Buffer.from(`${mirror.url}${IMAGES}`)),
        validator: '"v1"',
      }),
    });
    const scene = await fetch({ mirrors: [mirror.url], content: BIG, dataDir });
    expect(await message(scene.read())).toContain(`${mirror.url}${IMAGES}: what it gave is not an IDX file`);
    expect(await readdir(join(dataDir, "tiny"))).toEqual([]);
    expect(await scene.read()).toEqual([IMAGES, LABELS]);
  });
});
