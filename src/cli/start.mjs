// Runs the command from a checkout: bundles src/ again if it was edited, then hands over.
import { createRequire } from "node:module";

import { ensureBuilt } from "./build.mjs";

try {
  await ensureBuilt();
} catch (error) {
  // Left to Node it would end with 1, which means that a gate failed.
  console.error(`mnist-evaluate: src/ could not be bundled into dist/: ${error.message}`);
  process.exit(70);
}
createRequire(import.meta.url)("../../dist/main.cjs");
