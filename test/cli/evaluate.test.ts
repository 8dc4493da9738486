import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, test } from "vitest";

import type { Evaluation } from "../../src/types.ts";
import { digests, emptyFolder, readJson, root, workspace, type Finished } from "./command.ts";

const { evaluate, path } = workspace();
const CHARTS = [
  "confidence",
  "confusion_errors",
  "confusion_matrix",
  "per_class",
  "precision_recall",
  "reliability",
  "roc",
  "sample_predictions",
  "top_confusions",
  "worst_errors",
];
const REPORTS = [
  "confusion_matrix.csv",
  "junit.xml",
  "manifest.json",
  "metrics.json",
  "predictions.csv",
  "report.html",
  "report.md",
];
const FILES = [...CHARTS.flatMap((name) => [`charts/${name}.png`, `charts/${name}.svg`]), ...REPORTS];
const EPOCH = { SOURCE_DATE_EPOCH: "1767225600" };

describe("evaluate without options", () => {
  const out = path("main", "reports");
  let finished: Finished;
  let evaluation: Evaluation;
  beforeAll(async () => {
    finished = await evaluate([], { cwd: emptyFolder(path("main")) });
    evaluation = readJson<Evaluation>(out, "metrics.json");
  });

  test("ends with 0 and prints the summary on stdout, and nothing on stderr", () => {
    expect(finished).toMatchObject({ code: 0, stderr: "" });
    const lines = finished.stdout.split("\n");
    expect(lines[0]).toMatch(
      /^Accuracy 92\.0\d % \(95 % interval 91\.\d\d–92\.\d\d %\), 9,20\d of 10,000 correct$/,
    );
    expect(lines[1]).toMatch(/^mnist-logreg\.onnx on mnist test, \d+\.\d+ s, [\d,]+ images\/s$/);
    expect(lines.slice(-2)).toEqual(["Report: reports/", ""]);
  });

  test("writes every file of a local run and nothing else", () => {
    expect(Object.keys(digests(out))).toEqual(FILES.toSorted());
    expect(Object.keys(digests(path("main")))).toEqual(FILES.map((file) => `reports/${file}`).toSorted());
  });

  test("counts every image once, and its accuracy is the matrix's", () => {
    const cells = evaluation.confusionMatrix.flat();
    const correct = evaluation.confusionMatrix.reduce((sum, row, k) => sum + row[k]!, 0);
    expect(cells.reduce((sum, count) => sum + count, 0)).toBe(10_000);
    expect(evaluation.dataset.images).toBe(10_000);
    expect(evaluation.metrics["accuracy"]!.value).toBe(correct / 10_000);
    expect(correct).toBeGreaterThanOrEqual(9203 - 1);
    expect(correct).toBeLessThanOrEqual(9205);
  });

  test("writes the same matrix as CSV, and predictions that add up to it", () => {
    const rows = readFileSync(join(out, "confusion_matrix.csv"), "utf8").trim().split(/\r?\n/).slice(1);
    expect(rows.map((row) => row.split(",").slice(1).map(Number))).toEqual(evaluation.confusionMatrix);
    const counted = evaluation.confusionMatrix.map((row) => row.map(() => 0));
    const lines = readFileSync(join(out, "predictions.csv"), "utf8").trim().split(/\r?\n/);
    expect(lines[0]).toBe("index,truth,predicted,correct,confidence,p_0,p_1,p_2,p_3,p_4,p_5,p_6,p_7,p_8,p_9");
    for (const line of lines.slice(1)) {
      const [, truth, predicted] = line.split(",").map(Number);
      counted[truth!]![predicted!]!++;
    }
    expect(counted).toEqual(evaluation.confusionMatrix);
  });

  test("keeps characters beyond ASCII through the bundle", () => {
    for (const file of ["report.html", "report.md", "charts/roc.svg", "charts/worst_errors.svg"]) {
      expect(readFileSync(join(out, file), "utf8")).not.toMatch(/[ÂÃâ]/);
    }
    const html = readFileSync(join(out, "report.html"), "utf8");
    for (const text of ["91.47–92.54", "true ╲ predicted", '<td class="none">·</td>'])
      expect.soft(html).toContain(text);
  });

  test("writes a metrics.json that its schema accepts", () => {
    const validate = new Ajv2020({ allErrors: true }).compile(
      readJson<object>(root, "src/report/metrics.schema.json"),
    );
    validate(evaluation);
    expect(validate.errors).toBe(null);
  });

  test("writes the true size and digest of every other file to manifest.json", () => {
    const { files } = readJson<{ files: { path: string; bytes: number; sha256: string }[] }>(
      out,
      "manifest.json",
    );
    expect(files.map((file) => file.path)).toEqual(
      FILES.filter((file) => file !== "manifest.json").toSorted(),
    );
    for (const file of files) {
      const content = readFileSync(join(out, file.path));
      expect(file.bytes).toBe(content.length);
      expect(file.sha256).toBe(createHash("sha256").update(content).digest("hex"));
    }
  });

  test("knows the data's digests, the model's, and where it ran", () => {
    const model = readFileSync(join(root, "data/models/mnist-logreg.onnx"));
    expect(evaluation.scorer).toMatchObject({
      kind: "onnx",
      name: "mnist-logreg.onnx",
      sha256: createHash("sha256").update(model).digest("hex"),
    });
    expect(evaluation.dataset.files).toEqual([
      {
        name: "t10k-images-idx3-ubyte",
        bytes: 7840016,
        sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
      },
      {
        name: "t10k-labels-idx1-ubyte",
        bytes: 10008,
        sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
      },
    ]);
    expect(evaluation.environment).toMatchObject({ node: process.version, git: null });
    expect(evaluation.durationSeconds).toBeGreaterThan(0);
  });
});

describe("evaluate with SOURCE_DATE_EPOCH", () => {
  test("writes the same bytes again, from another folder and to another one", async () => {
    const [first, second] = await Promise.all([
      evaluate(["--out", "once/a"], { env: EPOCH }),
      evaluate(["--out", path("once/b/c")], { env: EPOCH, cwd: emptyFolder(path("elsewhere")) }),
    ]);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(digests(path("once/b/c"))).toEqual(digests(path("once/a")));
    const evaluation = readJson<Evaluation>(path("once/a/metrics.json"));
    expect(evaluation).toMatchObject({
      createdAt: "2026-01-01T00:00:00.000Z",
      durationSeconds: null,
      environment: null,
      latency: null,
    });
  });

  test.each(["", "soon", "-1", "1e9"])("ignores the time '%s', which is none", async (time) => {
    const before = Date.now();
    const args = ["--charts", "none", "--reports", "json", "--limit", "10", "--out", "no-time"];
    expect(await evaluate(args, { env: { SOURCE_DATE_EPOCH: time } })).toMatchObject({ code: 0, stderr: "" });
    const { createdAt } = readJson<Evaluation>(path("no-time/metrics.json"));
    expect(Date.parse(createdAt)).toBeGreaterThanOrEqual(before);
  });
});

describe("the repository", () => {
  test.each([
    "data/mnist/t10k-images-idx3-ubyte",
    "data/mnist/.lock",
    "reports/metrics.json",
    "reports/charts/roc.png",
  ])("ignores %s, so that a run leaves git status clean", (file) => {
    expect(execFileSync("git", ["check-ignore", file], { cwd: root, encoding: "utf8" })).toBe(`${file}\n`);
  });

  test("keeps the bundled model", () => {
    expect(statSync(join(root, "data/models/mnist-logreg.onnx")).size).toBeGreaterThan(30_000);
    expect(() =>
      execFileSync("git", ["check-ignore", "data/models/mnist-logreg.onnx"], { cwd: root }),
    ).toThrow("Command failed: git check-ignore");
  });
});
