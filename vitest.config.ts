import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/build.ts"],
    // Some tests load the runtime without the code that switches its telemetry off.
    env: { ORT_DISABLE_TELEMETRY: "1" },
    reporters: ["default", "./test/counts.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
