import { describe, expect, it } from "vitest";
import { markdownReport } from "../../src/report/markdown.ts";
import { code, escapeMarkdown, table } from "../../src/report/markdown-syntax.ts";
import { candidate, evaluation, preflight } from "./builders.ts";
import {
  CHART,
  evilEvaluation,
  FAILED_GATE,
  gate,
  NO_CHARTS,
  serviceEvaluation,
  UNDEFINED_GATE,
} from "./cases.ts";
import { golden } from "./golden.ts";

describe("markdownReport(evaluation, context)", () => {
  it("says the verdict first, then warnings, gates, metrics, classes, confusions and where they come from", () => {
    const gates = [gate(), FAILED_GATE, UNDEFINED_GATE];
    const warnings = ["1 of 1,201 images have no prediction."];
    const failures = { count: 1, images: [{ index: 4711, reason: "HTTP 500" }] };
    const text = markdownReport(evaluation({ gates, warnings, failures, preflight: preflight() }), NO_CHARTS);
    expect(text).toBe(golden("report.md", text));
  });

  it("tells of a service, its latency, parity and failures", () => {
    const text = markdownReport(serviceEvaluation(), NO_CHARTS);
    expect(text).toBe(golden("report-service.md", text));
  });

  it.each([
    [{ gates: [gate()] }, "## ✅ 1 of 1 gate passed: accuracy 99.17 % (95 % interval 98.67–99.67 %)"],
    [
      { gates: [gate(), UNDEFINED_GATE] },
      "## ⚠️ 1 of 2 gates could not be told: accuracy 99.17 % (95 % interval 98.67–99.67 %)",
    ],
    [{ gates: [] }, "## Accuracy 99.17 % (95 % interval 98.67–99.67 %)"],
    [
      {
        matrix: [
          [0, 0, 0],
          [0, 0, 0],
          [0, 0, 0],
        ],
      },
      "## Accuracy undefined",
    ],
  ])("begins with the verdict of %j", (options, line) => {
    expect(markdownReport(evaluation(options), NO_CHARTS).split("\n")[0]).toBe(line);
  });

  it("folds charts away, each as a picture that links to its file, PNG before SVG", () => {
    const files = [
      { path: "charts/confusion_matrix.svg" },
      { path: "charts/confusion_matrix.png" },
      { path: "charts/worst_errors.svg" },
    ];
    const text = markdownReport(evaluation(), { charts: [CHART], files, fontFaceCss: "" });
    const picture = "![Dogs &amp; cats are confused](charts/confusion_matrix.png)";
    expect(text).toContain(`\n[${picture}](charts/confusion_matrix.png)\n`);
    expect(text).toContain("\n[![worst errors](charts/worst_errors.svg)](charts/worst_errors.svg)\n");
    expect(text).not.toContain("confusion_matrix.svg");
  });

  it("folds the ways to feed the pixels away unless they were tried on the scored images", () => {
    const [others, scored] = (["training images", "scored images"] as const).map((on) => {
      const candidates = [candidate({ on })];
      return markdownReport(evaluation({ preflight: preflight({ candidates }) }), NO_CHARTS);
    });
    const ways = "| **x/255 (unit)** (chosen) | 0.35 | 90.0 % | 0.0 % | 300 |";
    const folded = "<details>\n<summary>1 way to feed the pixels, best first</summary>";
    expect(others).toContain(`${ways} training images |`);
    expect(others).toContain(folded);
    expect(scored).toContain(`${ways} scored images |`);
    expect(scored).not.toContain(folded);
  });

  it("says that there is no confusion where every prediction is correct", () => {
    const perfect = evaluation({
      matrix: [
        [3, 0, 0],
        [0, 3, 0],
        [0, 0, 3],
      ],
    });
    const text = markdownReport(perfect, NO_CHARTS);
    expect(text).toContain("### Confusions\n\nNone: every prediction is correct.");
    expect(text).not.toContain("(weakest)");
  });

  it("has as many cells in every row of a table as in its head, whatever the names", () => {
    const lines = markdownReport(evilEvaluation(), NO_CHARTS).split("\n");
    let columns = 0;
    const wrong = lines.filter((line, i) => {
      if (!line.startsWith("|")) return false;
      const cells = line.replaceAll(/\\./g, "").split("|").length;
      if (!lines[i - 1]?.startsWith("|")) columns = cells;
      return cells !== columns;
    });
    expect(wrong).toEqual([]);
  });

  it("lets no tag but its own through", () => {
    const tags = markdownReport(evilEvaluation(), NO_CHARTS).match(/<[^>]*>/g) ?? [];
    expect([...new Set(tags)].sort()).toEqual([
      "<!-- -->",
      "</details>",
      "</summary>",
      "<details>",
      "<summary>",
    ]);
  });
});

describe("escapeMarkdown(text)", () => {
  it.each([
    ["a|b", String.raw`a\|b`],
    [String.raw`a\|b`, String.raw`a\\\|b`],
    ["`code`", "\\`code\\`"],
    ["*b* _i_ ~s~ $m$", String.raw`\*b\* \_i\_ \~s\~ \$m\$`],
    ["[x](y)", String.raw`\[x\](y)`],
    ["<b> & </b>", "&lt;b&gt; &amp; &lt;/b&gt;"],
    ["two\r\n\nlines ", String.raw`two\\r\\n\\nlines`],
    ["# head", String.raw`\# head`],
    ["- item", String.raw`\- item`],
    ["1. item", String.raw`1\. item`],
    ["@all", "@<!-- -->all"],
    ["a\u0000\u001Bb", String.raw`a\\x00\\x1bb`],
    ["Ankle boot 7", "Ankle boot 7"],
  ])("shows %j as it is", (text, escaped) => expect(escapeMarkdown(text)).toBe(escaped));
});

describe("code(text)", () => {
  it("is code where nothing in it can end the code or the cell, and plain text elsewhere", () => {
    expect(code("recall[5] >= 0.87")).toBe("`recall[5] >= 0.87`");
    expect(code("recall[a|b] > 0")).toBe(String.raw`recall\[a\|b\] &gt; 0`);
    expect(code("f1[<b>] < 1")).toBe(String.raw`f1\[&lt;b&gt;\] &lt; 1`);
    expect(code("recall[`] > 0")).toBe("recall\\[\\`\\] &gt; 0");
  });
});

describe("table(heads, rows)", () => {
  it("aligns a column whose head starts with > to the right", () => {
    expect(table(["a", ">b"], [["1", "2"]])).toBe("| a | b |\n| --- | --: |\n| 1 | 2 |");
  });
});

it.each([
  ["mnist", true],
  ["qmnist", true],
  ["emnist-letters", true],
  ["fashion-mnist", false],
  ["pets", false],
])("the report of %s says whether its images come from writers: %s", (name, said) => {
  const { dataset, ...rest } = evaluation();
  const report = markdownReport({ ...rest, dataset: { ...dataset, name } }, NO_CHARTS);
  const note =
    "The intervals take the images for independent of each other, but these come from writers with many " +
    "images each: for other writers the range is wider, on MNIST's test images 1.4 to 1.8 times as wide.";
  expect(report.includes(note)).toBe(said);
});
