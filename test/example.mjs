// Regenerates the example report and compares it with the committed one: texts and structure exactly, numbers to 1e-5,
// because another processor may differ in the last digits of a probability.
//
// usage: npm run example [-- --update]
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { PNG } from "pngjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const committed = join(root, "reports/example");
const TOLERANCE = 1e-5;
const PIXEL_SHARE = 0.001;
const ARGUMENTS = [
  "evaluate",
  "--charts=png",
  "--reports=json,markdown,junit",
  "--gate=accuracy >= 0.92",
  "--gate=recall[5] >= 0.85",
];

function generate(out) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "src/cli/start.mjs"), ...ARGUMENTS, "--data-dir", join(root, "data"), "--out", out],
    { encoding: "utf8", env: { ...process.env, SOURCE_DATE_EPOCH: "1767225600" } },
  );
  if (status !== 0) throw new Error(`the example run ended with ${status}\n${stdout}${stderr}`);
}

const NUMBER = /-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/g;

/** The first difference between two texts, or null. */
function textDifference(expected, actual) {
  if (expected.replace(NUMBER, "#") !== actual.replace(NUMBER, "#")) return "the text differs";
  const numbers = (text) => (text.match(NUMBER) ?? []).map(Number);
  const got = numbers(actual);
  const at = numbers(expected).findIndex(
    (value, i) => Math.abs(value - got[i]) > TOLERANCE * Math.max(1, Math.abs(value)),
  );
  return at === -1 ? null : `number ${at + 1} is ${got[at]}, not ${numbers(expected)[at]}`;
}

function pictureDifference(expected, actual) {
  const [a, b] = [PNG.sync.read(expected), PNG.sync.read(actual)];
  if (a.width !== b.width || a.height !== b.height) return "the size differs";
  let different = 0;
  for (let i = 0; i < a.data.length; i += 4)
    if (a.data.readUInt32LE(i) !== b.data.readUInt32LE(i)) different++;
  return different <= PIXEL_SHARE * a.width * a.height ? null : `${different} pixels differ`;
}

/** The manifest's digests follow from the other files, which are compared with tolerance: its list of names stays. */
const manifestNames = (text) => JSON.stringify(JSON.parse(text).files.map(({ path }) => path));

function difference(path, expected, actual) {
  if (path.endsWith(".png")) return pictureDifference(expected, actual);
  if (path === "manifest.json") return textDifference(manifestNames(expected), manifestNames(actual));
  return textDifference(expected.toString(), actual.toString());
}

function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1))
    .sort();
}

const fresh = mkdtempSync(join(tmpdir(), "mnist-evaluate-example-"));
try {
  generate(fresh);
  if (process.argv.includes("--update")) {
    rmSync(committed, { recursive: true, force: true });
    cpSync(fresh, committed, { recursive: true });
    console.log(`reports/example: ${filesOf(committed).length} files written`);
  } else {
    const [expected, actual] = [filesOf(committed), filesOf(fresh)];
    const problems =
      expected.join() === actual.join()
        ? expected.flatMap((path) => {
            const found = difference(
              path,
              readFileSync(join(committed, path)),
              readFileSync(join(fresh, path)),
            );
            return found === null ? [] : [`reports/example/${path}: ${found}`];
          })
        : [`reports/example holds ${expected.join(", ")}, but the run wrote ${actual.join(", ")}`];
    for (const problem of problems) console.error(problem);
    if (problems.length > 0) {
      console.error(
        "The example report is not what this code writes: look at it, then npm run example -- --update",
      );
      process.exitCode = 1;
    } else console.log(`reports/example: ${expected.length} files as committed`);
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
