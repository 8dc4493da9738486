import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
    ["e.json", "", "the config file is not valid JSON: Unexpected end of JSON input"],
    [
      "e.yaml",
      "a: 1\na: 2",
      "the config file is not valid YAML: Map keys must be unique at line 2, column 1",
    ],
  ])("refuses %s, which holds %j", async (name, text, message) => {
    const path = file(name, text);
    await expect(readConfig(path)).rejects.toThrow(new UsageError(`${path}: ${message}`));
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
    names: ["help", "version", "config", "data-dir", "limit", "gate", "offline", "color"],
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
    [{ offline: "yes" }, 'offline must be true or false, not "yes"'],
    [{ noOffline: 1 }, "noOffline must be true or false, not 1"],
    [{ limit: true }, "limit must be text or a number, not true"],
    [{ gate: { a: 1 } }, 'gate must be text or a number, not {"a":1}'],
    [{ gate: ["a", null] }, "gate must be text or a number, not null"],
    [{ dataDir: "a", "data-dir": "b" }, "data-dir is given twice: keep one of the two"],
  ])("refuses %j", (config, message) => {
    expect(() => check(config as Record<string, unknown>)).toThrow(new UsageError(`run.json: ${message}`));
  });
});
