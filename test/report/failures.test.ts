import { describe, expect, it } from "vitest";
import { failureGroups, failureHeads, unlisted } from "../../src/report/failures.ts";
import type { Failure } from "../../src/types.ts";

function failures(count: number, reason: (i: number) => string, request?: string): Failure[] {
  return Array.from({ length: count }, (_, i) => ({
    index: 10 * i,
    reason: reason(i),
    ...(request === undefined ? {} : { request }),
  }));
}

describe("failureGroups(images)", () => {
  it("has a row an image up to ten images", () => {
    const groups = failureGroups(failures(10, () => "HTTP 500", "a1"));
    expect(groups).toHaveLength(10);
    expect(groups[9]).toEqual({ reason: "HTTP 500", images: 1, indices: "90", request: "a1" });
  });

  it("has a row a reason from eleven images on, the most frequent first", () => {
    expect(failureGroups(failures(11, (i) => (i < 3 ? "no reply within 30 s" : "HTTP 500")))).toEqual([
      { reason: "HTTP 500", images: 8, indices: "30, 40, 50, 60, 70 …", request: null },
      { reason: "no reply within 30 s", images: 3, indices: "0, 10, 20", request: null },
    ]);
  });

  it("takes any reason, and keeps the order of those that are as frequent", () => {
    const reasons = failureGroups(failures(12, (i) => ["__proto__", "constructor", ""][i % 3]!));
    expect(reasons.map(({ reason, images }) => [reason, images])).toEqual([
      ["__proto__", 4],
      ["constructor", 4],
      ["", 4],
    ]);
  });
});

describe("failureHeads(groups)", () => {
  it("has columns for counts and requests only where there are any", () => {
    const one = failureGroups(failures(2, () => "x"));
    const many = failureGroups(failures(12, () => "x", "id"));
    expect([failureHeads(one), failureHeads(many)]).toEqual([
      { counts: false, requests: false },
      { counts: true, requests: true },
    ]);
  });
});

describe("unlisted(failures, shown)", () => {
  it("is what the shown groups leave out of all failures", () => {
    const images = failures(1000, (i) => String(i % 4));
    const groups = failureGroups(images);
    expect(unlisted({ count: 3000 }, groups)).toBe("and 2,000 more");
    expect(unlisted({ count: 1000 }, groups.slice(1))).toBe("and 250 more");
    expect(unlisted({ count: 1000 }, groups)).toBe("");
  });
});
