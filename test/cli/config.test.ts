import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { checkConfig, readConfig } from "../../src/cli/config.ts";
import { UsageError } from "../../src/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe("readConfig(path)", () => {
  test.each([
    ["a.json", '{"limit": 5, "gate": ["a > 1", "b > 2"]}'],
    ["b.json", '\uFEFF{"limit": 5, "gate": ["a > 1", "b > 2"]}'],
    ["a.yaml", "# a comment\nlimit: 5\ngate:\n  - a > 1\n  - b > 2\n"],
    ["a.yml", "{limit: 5, gate: [a > 1, b > 2]}"],
    ["without-extension", '{"limit": 5, "gate": ["a > 1", "b > 2"]}'],
  ])("reads %s", async (name, text) => {
    expect(await readConfig(file(name, text))).toEqual({ limit: 5, gate: ["a > 1", "b > 2"] });
  });

  test.each([
    ["c.json", "[]", 'the config file must hold one object, such as {"dataset": "mnist"}'],
    ["d.json", "null", 'the config file must hold one object, such as {"dataset": "mnist"}'],
    ["c.yaml", "", 'the config file must hold one object, such as {"dataset": "mnist"}'],
    ["d.yaml", "just text", 'the config file must hold one object, such as {"dataset": "mnist"}'],
    ["e.json", "", 'the config file must hold one object, such as {"dataset": "mnist"}'],
    [
      "f.json",
      '{"limit": 5',
      "the config file is not valid JSON: Flow map must end with a } at line 1, column 12",
    ],
    [
      "g.json",
      '{"gate": "accuracy >= 0.99",\n "limit": 5,\n "gate": "accuracy >= 0.1"}',
      "the config file gives gate twice, again at line 3, column 2: keep one of the two",
    ],
    ["e.yaml", "a: 1\na: 2", "the config file gives a twice, again at line 2, column 1: keep one of the two"],
    ["f.yaml", "gate: &a [*a]", "the config file has an alias (*name): write the value itself in its place"],
    [
      "h.json",
      `{"limit": ${"[".repeat(40_000)}${"]".repeat(40_000)}}`,
      "the config file is nested more than 50 deep: it holds options and their values",
    ],
    [
      "i.json",
      `{"limit": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
      "the config file is larger than 100 kB, far more than options need: check --config",
    ],
    [
      "g.yaml",
      "- ".repeat(10_000),
      "the config file is nested more than 50 deep: it holds options and their values",
    ],
    ["h.yaml", "a: 1\n---\nb: 2", "the config file is not valid YAML: see line 2, column 1"],
  ])("refuses what %s holds", async (name, text, message) => {
    const path = file(name, text);
    await expect(readConfig(path)).rejects.toThrow(new UsageError(`${path}: ${message}`));
  });

  test.each([
    'header: "X-Key: SECRET',
    "header: X-Key: SECRET",
    "header: *SECRET",
    "header: |SECRET\n x",
    'header: "\\SECRET"',
    "header: !<SECRET x",
    "header: !SECRET! x",
    "%SECRET x\na: 1",
    "header: [SECRET\nlimit: 1",
    '{"header": "X: SECRET" "limit": 1}',
    "SECRET",
    "a: 1\n SECRET: 1\n]SECRET",
  ])("repeats nothing of %j", async (text) => {
    for (const name of ["secret.json", "secret.yaml"]) {
      const error: unknown = await readConfig(file(name, text)).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(UsageError);
      expect((error as UsageError).message).toMatch(/^[^\n]*secret\.\w+: the config file [^\n]+$/);
      expect((error as UsageError).message).not.toContain("SECRET");
    }
  });

  test("reads a pipe, as a shell's <(…) is", async () => {
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);

    const [config] = await Promise.all([readConfig(path), writeFile(path, "limit: 5\n")]);
    expect(config).toEqual({ limit: 5 });
  });

  test("refuses what is no file", async () => {
    await expect(readConfig(folder)).rejects.toThrow(
      new UsageError(`${folder}: cannot read the config file: it is a folder: name the file in --config`),
    );
    const path = join(folder, "nowhere.yaml");
    await expect(readConfig(path)).rejects.toThrow(
      new UsageError(`${path}: cannot read the config file: there is no such file: check --config`),
    );
  });
});

describe("checkConfig(path, config, known)", () => {
  const known = {
    names: ["help", "version", "config", "data-dir", "limit", "gate", "header", "offline", "color"],
    booleans: ["help", "version", "offline", "color"],
  };
  const check = (config: Record<string, unknown>) => checkConfig("run.json", config, known);

  test("gives values as the command line would, and leaves out nulls", () => {
    expect(check({ limit: 5, gate: ["a > 1", 2], offline: true, "data-dir": null, color: null })).toEqual({
      limit: "5",
      gate: ["a > 1", "2"],
      offline: true,
    });
  });

  test("understands camel case and negation", () => {
    expect(check({ dataDir: "d", noColor: true, "no-offline": false })).toEqual({
      "data-dir": "d",
      color: false,
      offline: true,
    });
  });

  test.each([
    [{ bogus: 1 }, "there is no option bogus: see --help"],
    [{ limt: 1 }, "there is no option limt: did you mean limit?"],
    [{ help: true }, "there is no option help: see --help"],
    [{ config: "x" }, "there is no option config: see --help"],
    [{ extends: "x.json" }, "there is no option extends: see --help"],
    [JSON.parse('{"__proto__": 1}') as object, "there is no option __proto__: see --help"],
    [{ "no-limit": true }, "there is no option no-limit: see --help"],
    [{ offline: "yes" }, "offline must be true or false, not text"],
    [{ noOffline: 1 }, "noOffline must be true or false, not 1"],
    [{ limit: true }, "limit must be text or a number, not true"],
    [{ gate: { a: 1 } }, "gate must be text or a number, not an object"],
    [{ header: { "X-Key": "SECRET" } }, "header must be text or a number, not an object"],
    [{ header: [["X-Key", "SECRET"]] }, "header must be text or a number, not a list"],
    [{ gate: ["a", null] }, "gate must be text or a number, not null"],
    [{ dataDir: "a", "data-dir": "b" }, "data-dir is given twice: keep one of the two"],
  ])("refuses %j", (config, message) => {
    expect(() => check(config as Record<string, unknown>)).toThrow(new UsageError(`run.json: ${message}`));
  });
});
