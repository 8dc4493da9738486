import { copyFileSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { answering, scene } from "../endpoint/scene.ts";
import { start } from "../server/process.ts";
import { root, until } from "./command.ts";

const { bare, evaluate, path } = scene();
const MODEL = join(root, "data/models/mnist-logreg.onnx");
/** A file's name that colours what follows it, turns it round, and is an error to GitHub's and Azure's runners. */
const NAME = "::error::\u001B[31m\u009B31m\u202Efdp ##vso[task.complete]\u2028::add-mask::\n::x.onnx";
const SHOWN = String.raw`::error::\x1b[31m\x9b31m\u202efdp \x23#vso[task.complete]\u2028::add-mask::\n::x.onnx`;

/** Lines that a terminal or a CI job would obey. */
function obeyed(text: string): string[] {
  return text.split("\n").filter((line) => /^\s*::|##\w*\[|[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(line));
}

function model(): string {
  copyFileSync(MODEL, path(NAME));
  return path(NAME);
}

describe("a model's name that holds control characters and commands", () => {
  test.each([[[]], [["--color"]]])("is shown in the summary and in every report: %j", async (args) => {
    const { code, stdout, stderr } = await evaluate(
      ["--model", model(), "--limit", "100", "--charts", "none", "--out", path("out"), ...args],
      { env: { COLUMNS: "40" } },
    );
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(SHOWN.replace("::", String.raw`\x3a:`));
    // oxlint-disable-next-line no-control-regex -- the codes of the summary's own colours
    expect(obeyed(stdout.replaceAll(/\u001B\[[\d;]+m/g, ""))).toEqual([]);
    for (const file of ["metrics.json", "report.html", "report.md", "junit.xml"])
      expect([file, obeyed(readFileSync(path("out", file), "utf8"))]).toEqual([file, []]);
    expect(readFileSync(path("out/report.html"), "utf8")).toContain(`<bdi>${SHOWN}</bdi>`);
  });

  test("is the same name in --json", async () => {
    const { stdout } = await evaluate([
      "--model",
      model(),
      "--limit",
      "100",
      "--charts",
      "none",
      "--out",
      path("out"),
      "--json",
    ]);
    expect(obeyed(stdout)).toEqual([]);
    expect(JSON.parse(stdout)).toMatchObject({ scorer: { name: NAME } });
  });

  test("is shown in an error", async () => {
    const { code, stdout, stderr } = await evaluate(["--model", `no${NAME}`]);
    expect({ code, stdout, stderr }).toEqual({
      code: 4,
      stdout: "",
      stderr: `mnist-evaluate: no${SHOWN}: cannot read the model: there is no such file: check --model\n`,
    });
  });
});

test("what a service says is shown, with its line breaks and escapes", async () => {
  const url = await answering((_, response) => {
    response.writeHead(400, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ message: "no\u001B[2J\n::error::\u202E ##[command]x" }));
  });
  const { code, stdout, stderr } = await bare(["--endpoint", `${url}/score`, "--wait", "1", "--limit", "50"]);
  expect([code, stdout]).toEqual([4, ""]);
  expect(stderr).toMatch(/^mnist-evaluate: [^\n]+\n$/);
  expect(obeyed(stderr)).toEqual([]);
});

describe("class names with control characters are refused:", () => {
  const rest = Array.from({ length: 9 }, (_, i) => String(i)).join(",");

  test.each([
    ["a\u0007b", String.raw`a\x07b`],
    ["a\u001B[1mb", String.raw`a\x1b[1mb`],
    ["a\u0085b", String.raw`a\x85b`],
    ["a\u202Eb", String.raw`a\u202eb`],
    ["a\nb", String.raw`a\nb`],
  ])("%j", async (name, shown) => {
    const { code, stdout, stderr } = await evaluate(["--classes", `${name},${rest}`]);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: "",
      stderr: `mnist-evaluate: --classes: the name '${shown}' holds a control character: write names in characters that show\n`,
    });
  });
});

test("serve logs a path that holds commands as JSON in which none is left", async () => {
  const served = await start();
  const { port } = new URL(served.url);
  const attack = "/x##vso[task.complete]";
  connect(Number(port), "127.0.0.1")
    .resume()
    .end(`GET ${attack} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, "latin1");
  await until(() => served.stderr().includes("task.complete"));
  expect(obeyed(served.stderr().trimEnd())).toEqual([]);
  const lines = served.stderr().trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { path?: string }).path)).toContain(attack);
});
