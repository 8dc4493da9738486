// Runs the command from a checkout: bundles src/ again if it was edited, then hands over.
import { createRequire } from "node:module";

import { ensureBuilt } from "./build.mjs";

/** How often it is looked whether npm is still there, in milliseconds. */
const LOOK_MS = 500;

/**
 * A signal to `npm run` ends npm and the shell between, and would leave the command behind as an orphan: it takes its
 * parent's end for the signal that it did not get.
 */
function endWithNpm() {
  const parent = process.ppid;
  const looking = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(looking);
    process.kill(process.pid, "SIGTERM");
  }, LOOK_MS).unref();
}

if (process.env.npm_lifecycle_event !== undefined) endWithNpm();
try {
  await ensureBuilt();
} catch (error) {
  // Left to Node it would end with 1, which means that a gate failed.
  console.error(`mnist-evaluate: src/ could not be bundled into dist/: ${error.message}`);
  process.exit(70);
}
createRequire(import.meta.url)("../../dist/main.cjs");
