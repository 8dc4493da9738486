import { expect, test } from "vitest";

import { keyCheck } from "../../src/server/auth.ts";

const KEY = "k3y-0123456789abcdefghijklmnopqrstuvwxyz";
const ROUNDS = Number(process.env["TIMING_ROUNDS"] ?? 15_000);
/** Of the mean time of a check: a comparison that stops at the first wrong letter differs by less still, over a network. */
const ALLOWED = 0.05;

test("keyCheck(keys) knows its keys alone", () => {
  const allowed = keyCheck([KEY, "other"]);
  expect([`Bearer ${KEY}`, "Bearer other", `bearer  ${KEY} `].map((header) => allowed(header))).toEqual([
    true,
    true,
    true,
  ]);
  const wrong = [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    KEY,
    `Basic ${KEY}`,
    `Bearer ${KEY}x`,
    `Bearer ${KEY} other`,
    `Bearer ${KEY},other`,
  ];
  expect(wrong.map((header) => allowed(header)).filter(Boolean)).toEqual([]);
  expect(keyCheck([])(undefined)).toBe(true);
});

// Time is nothing that a test may depend on: run by `TIMING_ROUNDS=15000 npx vitest run test/server/auth.test.ts`.
test.runIf("TIMING_ROUNDS" in process.env)(
  "a wrong key takes as long whatever its prefix, in turn and by the median",
  () => {
    const allowed = keyCheck([KEY]);
    const wrong = [0, 20, KEY.length - 1].map(
      (right) => `Bearer ${KEY.slice(0, right)}${"#".repeat(KEY.length - right)}`,
    );
    const times = wrong.map(() => new Float64Array(ROUNDS));
    for (let round = -1000; round < ROUNDS; round++) {
      wrong.forEach((header, i) => {
        const startedAt = process.hrtime.bigint();
        for (let again = 0; again < 10; again++) allowed(header);
        if (round >= 0) times[i]![round] = Number(process.hrtime.bigint() - startedAt) / 10;
      });
    }
    const medians = times.map((all) => all.toSorted()[ROUNDS >> 1]!);
    console.log(
      `nanoseconds with 0, 20 and ${KEY.length - 1} right letters: ${medians.map((ns) => ns.toFixed(0)).join(", ")}`,
    );
    expect((Math.max(...medians) - Math.min(...medians)) / Math.min(...medians)).toBeLessThan(ALLOWED);
  },
);
