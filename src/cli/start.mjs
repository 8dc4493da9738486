// Runs the command from a checkout: bundles src/ again if it was edited, then hands over.
import { ensureBuilt } from "./build.mjs";

await ensureBuilt();
await import("../../dist/main.mjs");
