import { writeFileSync } from "node:fs";

import type { Reporter, TestModule } from "vitest/node";

/** Writes `passed failed skipped` to the file that VITEST_COUNTS names, for scripts that need the figures. */
export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const file = process.env["VITEST_COUNTS"];
    if (file === undefined) return;
    const counts = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) counts[test.result().state]++;
      if (tests.length === 0 && module.state() === "failed") counts.failed++;
    }
    writeFileSync(file, `${counts.passed} ${counts.failed} ${counts.skipped + counts.pending}\n`);
  }
}
