// Runs a bundle of dist/ with the code that V8 compiled for it last time: compiling takes longer than running. Copied into
// dist/ by build.mjs, once for each bundle: `main.cjs` runs `main.bundle.cjs`.
const { readFileSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const path = require("node:path");
const { Script } = require("node:vm");

const file = path.join(__dirname, path.basename(__filename).replace(/cjs$/, "bundle.cjs"));
const compiledFile = `${file}.compiled`;

function readCompiled() {
  try {
    return readFileSync(compiledFile);
  } catch {
    return undefined;
  }
}

const source = readFileSync(file, "utf8");
const cachedData = readCompiled();
const script = new Script(`(function(exports,require,module,__filename,__dirname){${source}\n})`, {
  filename: file,
  cachedData,
});

// V8 refuses what another version of it has compiled.
if (cachedData === undefined || script.cachedDataRejected) {
  process.on("exit", (code) => {
    if (code > 1) return;
    const partial = `${compiledFile}-${process.pid}`;
    try {
      writeFileSync(partial, script.createCachedData());
      renameSync(partial, compiledFile);
    } catch {
      // A folder that cannot be written to: the next run compiles again.
      rmSync(partial, { force: true });
    }
  });
}

const loaded = { exports: {} };
script.runInThisContext()(loaded.exports, createRequire(file), loaded, file, __dirname);
