import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { idxFile, temporaryFolder, TINY, tinyArchives, tinyEntry } from "./builders.ts";
import type { Order } from "./download-process.ts";
import { serving, startMirror } from "./mirror.ts";

const [IMAGES, LABELS] = ["tiny-images-idx3-ubyte.gz", "tiny-labels-idx1-ubyte.gz"] as const;
const CONTENT = {
  images: idxFile(
    [20, 200, 200],
    Array.from({ length: 800_000 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 13) & 255),
  ),
  labels: TINY.labels,
};
const ARCHIVES = tinyArchives(CONTENT);
const BYTES = ARCHIVES[IMAGES].length;

let bundle: string;

beforeAll(async () => {
  bundle = await mkdtemp(join(tmpdir(), "download-"));
  await build({
    entryPoints: [fileURLToPath(new URL("download-process.ts", import.meta.url))],
    outdir: join(bundle, "dist"),
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  });
  // The version is read from the package's own manifest, a level above the bundle.
  await writeFile(join(bundle, "package.json"), `{"version": "0"}`);
});

afterAll(async () => await rm(bundle, { recursive: true, force: true }));

function start(order: Order, env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [join(bundle, "dist/download-process.mjs"), JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let [output, errors] = ["", ""];
  const watchers: (() => void)[] = [];
  child.stdout.on("data", (data: Buffer) => {
    output += data.toString();
    for (const watch of watchers) watch();
  });
  child.stderr.on("data", (data: Buffer) => void (errors += data.toString()));
  const ended = new Promise<string>((resolve) =>
    child.on("close", (code, signal) =>
      resolve(`${code ?? signal} ${output.trim().split("\n").at(-1)}${errors === "" ? "" : `\n${errors}`}`),
    ),
  );
  const until = async (wanted: RegExp) =>
    await new Promise<void>((resolve) => watchers.push(() => wanted.test(output) && resolve()));
  return { child, ended, until };
}

function order(dataDir: string, mirror: string): Order {
  const settings = { connectTimeoutMs: 2000, stallTimeoutMs: 20_000, pollMs: 50 };
  return { dataDir, entry: tinyEntry({ mirrors: [mirror] }, CONTENT), settings };
}

describe("processes that share a cache", () => {
  test("eight that start together all succeed with one download of each file", async () => {
    const mirror = await startMirror(serving(ARCHIVES, { pauseMs: 60 }));
    const dataDir = await temporaryFolder();
    const runs = Array.from({ length: 8 }, () => start(order(dataDir, mirror.url)).ended);
    expect(await Promise.all(runs)).toEqual(Array.from({ length: 8 }, () => "0 read 20"));
    expect(mirror.requests.map(({ path }) => path)).toEqual([`/${IMAGES}`, `/${LABELS}`]);
    expect((await readdir(join(dataDir, "tiny"))).sort()).toEqual([IMAGES, LABELS]);
  });

  test("one that is stopped for a while keeps its place, and goes on", async () => {
    const mirror = await startMirror(serving(ARCHIVES, { pauseMs: 60 }));
    const dataDir = await temporaryFolder();
    const job = order(dataDir, mirror.url);
    const first = start(job);
    await first.until(new RegExp(`${IMAGES} \\d+\n`));
    first.child.kill("SIGSTOP");
    const second = start({ ...job, settings: { ...job.settings, stillMs: 60_000 } });
    const early = await Promise.race([second.ended, sleep(2000, "still waiting")]);
    first.child.kill("SIGCONT");
    expect([early, await first.ended, await second.ended]).toEqual([
      "still waiting",
      "0 read 20",
      "0 read 20",
    ]);
    expect(mirror.requests.map(({ path }) => path)).toEqual([`/${IMAGES}`, `/${LABELS}`]);
  });

  test("one that is stopped for long takes what another machine has downloaded meanwhile", async () => {
    let stall = true;
    const half = Math.floor(BYTES / 2);
    const cutAfter = (file: string) => (stall && file === IMAGES ? half : null);
    const mirror = await startMirror(serving(ARCHIVES, { cutAfter, stall: true }));
    const dataDir = await temporaryFolder();
    const first = start(order(dataDir, mirror.url));
    await first.until(new RegExp(`${IMAGES} ${half}\n`));
    first.child.kill("SIGSTOP");
    stall = false;
    const job = order(dataDir, mirror.url);
    const elsewhere = { ...job.settings, machine: "elsewhere", stillMs: 1500 };
    expect(await start({ ...job, settings: elsewhere }).ended).toBe("0 read 20");
    first.child.kill("SIGCONT");
    expect(await first.ended).toBe("0 read 20");
    expect((await readdir(join(dataDir, "tiny"))).sort()).toEqual([IMAGES, LABELS]);
  });

  test("one that is killed leaves a part from which the next continues", async () => {
    let stall = true;
    const half = Math.floor(BYTES / 2);
    const cutAfter = (file: string) => (stall && file === IMAGES ? half : null);
    const mirror = await startMirror(serving(ARCHIVES, { cutAfter, stall: true }));
    const dataDir = await temporaryFolder();
    const first = start(order(dataDir, mirror.url));
    await first.until(new RegExp(`${IMAGES} ${half}\n`));
    first.child.kill("SIGKILL");
    expect(await first.ended).toContain("SIGKILL");
    expect((await stat(join(dataDir, "tiny", ".lock"))).isDirectory()).toBe(true);
    stall = false;
    expect(await start(order(dataDir, mirror.url)).ended).toBe("0 read 20");
    const ranges = mirror.requests.map(({ path, range }) => `${path} ${range}`);
    expect(ranges).toEqual([`/${IMAGES} null`, `/${IMAGES} bytes=${half}-`, `/${LABELS} null`]);
    expect(mirror.sent).toBe(BYTES + ARCHIVES[LABELS].length);
  });
});

test("a download honours http_proxy and no_proxy", async () => {
  const proxy = await startMirror(serving(ARCHIVES));
  const direct = await startMirror(serving(ARCHIVES));
  const env = { http_proxy: proxy.url, no_proxy: "127.0.0.1" };
  expect(await start(order(await temporaryFolder(), "http://data.invalid/mnist/"), env).ended).toBe(
    "0 read 20",
  );
  expect(proxy.requests.map(({ path }) => path)).toEqual([
    `http://data.invalid/mnist/${IMAGES}`,
    `http://data.invalid/mnist/${LABELS}`,
  ]);
  expect(await start(order(await temporaryFolder(), direct.url), env).ended).toBe("0 read 20");
  expect(proxy.requests).toHaveLength(2);
  expect(direct.requests).toHaveLength(2);
});

test("a proxy that hangs up at once costs no more than a stall", async () => {
  const proxy = await startMirror(serving(ARCHIVES));
  const job = order(await temporaryFolder(), "https://data.invalid/mnist/");
  const settings = { ...job.settings, stallTimeoutMs: 300 };
  const { ended } = start({ ...job, settings }, { https_proxy: proxy.url });
  expect(await ended).toContain(`https://data.invalid/mnist/${IMAGES}: no answer for 0.3 s`);
});
