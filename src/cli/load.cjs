// Runs a bundle of dist/ with the code that V8 compiled for it last time: compiling takes longer than running. Copied into
// dist/ by build.mjs, once for each bundle: `main.cjs` runs `main.bundle.cjs`.
const { readFileSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const path = require("node:path");
const { Script } = require("node:vm");
const { isMainThread } = require("node:worker_threads");
const { crc32 } = require("node:zlib");

const file = path.join(__dirname, path.basename(__filename).replace(/cjs$/, "bundle.cjs"));
const compiledFile = `${file}.compiled`;
/** The checksum's last bytes, as hexadecimal digits behind a bundle's own, and as bytes behind compiled code. */
const CHECKSUM_DIGITS = 8;
const CHECKSUM_BYTES = 4;
const EXIT_BUG = 70;

/** An empty or truncated script may well run, and end with 0 without having done anything. */
function readBundle() {
  let content;
  try {
    content = readFileSync(file);
  } catch (error) {
    throw new Error(`${file} cannot be read (${error.code}): install the package again`, { cause: error });
  }
  const sum = crc32(content.subarray(0, -CHECKSUM_DIGITS));
  if (content.toString("latin1", content.length - CHECKSUM_DIGITS) !== hexOf(sum))
    throw new Error(`${file} is damaged: install the package again, or in a checkout remove dist/`);
  return { source: content.toString(), sum };
}

/** V8 does not look whether compiled code is whole, and damaged code does anything. */
function readCompiled(sum) {
  try {
    const content = readFileSync(compiledFile);
    const code = content.subarray(0, -CHECKSUM_BYTES);
    return content.readUInt32LE(code.length) === crc32(code, sum) ? code : undefined;
  } catch {
    return undefined;
  }
}

function writeCompiled(code, sum) {
  const partial = `${compiledFile}-${process.pid}`;
  try {
    const checksum = Buffer.alloc(CHECKSUM_BYTES);
    checksum.writeUInt32LE(crc32(code, sum));
    writeFileSync(partial, Buffer.concat([code, checksum]));
    renameSync(partial, compiledFile);
  } catch {
    // A folder that cannot be written to: the next run compiles again.
    rmSync(partial, { force: true });
  }
}

function hexOf(sum) {
  return sum.toString(16).padStart(CHECKSUM_DIGITS, "0");
}

function run() {
  const { source, sum } = readBundle();
  const cachedData = readCompiled(sum);
  const script = new Script(`(function(exports,require,module,__filename,__dirname){${source}\n})`, {
    filename: file,
    cachedData,
  });
  // V8 refuses what another version of it has compiled.
  if (cachedData === undefined || script.cachedDataRejected) {
    process.on("exit", (code) => {
      if (code <= 1) writeCompiled(script.createCachedData(), sum);
    });
  }
  const loaded = { exports: {} };
  script.runInThisContext()(loaded.exports, createRequire(file), loaded, file, __dirname);
}

function checkWorkingFolder() {
  try {
    process.cwd();
  } catch (error) {
    throw new Error(`the working folder is gone (${error.code}): start the command in one that is there`, {
      cause: error,
    });
  }
}

try {
  checkWorkingFolder();
  run();
} catch (error) {
  if (!isMainThread) throw error;
  // Left to Node it would end with 1, which means that a gate failed.
  console.error(`mnist-evaluate: ${error.message}`);
  process.exit(EXIT_BUG);
}
