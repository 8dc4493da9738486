import { describe, expect, test } from "vitest";

import { CATALOG, type CatalogEntry } from "../../src/dataset/catalog.ts";

const ENTRIES: [string, CatalogEntry][] = Object.entries(CATALOG);

test("CATALOG holds the known data sets", () => {
  expect(Object.keys(CATALOG)).toEqual([
    "mnist",
    "fashion-mnist",
    "kmnist",
    "qmnist",
    "emnist-balanced",
    "emnist-byclass",
    "emnist-bymerge",
    "emnist-digits",
    "emnist-letters",
    "emnist-mnist",
  ]);
});

describe.each(ENTRIES)("CATALOG[%s]", (_, entry) => {
  test("has classes of different names, few enough for a byte", () => {
    expect(new Set(entry.classes).size).toBe(entry.classes.length);
    expect(entry.classes.length).toBeLessThanOrEqual(256);
    expect(entry.classes).not.toContain("");
  });

  test("has mirrors and digests that are well formed", () => {
    for (const mirror of entry.mirrors) expect(new URL(mirror).pathname).toMatch(/\/$/);
    const files = Object.values(entry.splits).flatMap(({ images, labels }) => [images, labels]);
    expect(new Set(files.map(({ name }) => name)).size).toBe(4);
    const digests = [entry.zip?.archive, ...files.map(({ archive }) => archive)].filter(
      (digest) => digest != null,
    );
    for (const { algorithm, hex } of digests)
      expect(hex).toMatch(algorithm === "md5" ? /^[0-9a-f]{32}$/ : /^[0-9a-f]{64}$/);
    const contents = files.map(({ content }) => content).filter((content) => content !== null);
    for (const content of contents) expect(content).toMatch(/^[0-9a-f]{64}$/);
    const all = [...digests.map(({ hex }) => hex), ...contents];
    expect(new Set(all).size).toBe(all.length);
  });

  test("can verify what it downloads", () => {
    const files = Object.values(entry.splits).flatMap(({ images, labels }) => [images, labels]);
    expect(
      files.every(({ content, archive }) => (content ?? archive ?? entry.zip?.archive ?? null) !== null),
    ).toBe(true);
  });
});

test.each(["mnist", "fashion-mnist"] as const)(
  "%s is known by its content, however it was compressed",
  (name) => {
    const { train, test } = CATALOG[name].splits;
    for (const { content, archive } of [train.images, train.labels, test.images, test.labels])
      expect([content !== null, archive]).toEqual([true, null]);
  },
);

test("EMNIST's classes are those of its mapping files", () => {
  expect(CATALOG["emnist-byclass"].classes).toHaveLength(62);
  expect(CATALOG["emnist-balanced"].classes.join("")).toBe("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt");
  expect(CATALOG["emnist-letters"].classes).toHaveLength(26);
  expect(CATALOG["emnist-letters"].firstLabel).toBe(1);
});
