import { describe, expect, it } from "vitest";
import { abbreviate, fill, padEnd, plainText, width, wrap } from "../../src/report/terminal.ts";
import { summaryJson, summaryText } from "../../src/report/text.ts";
import { evaluation, preflight } from "./builders.ts";
import { CASES, evilEvaluation, FAILED_GATE, gate, serviceEvaluation, UNDEFINED_GATE } from "./cases.ts";
import { golden } from "./golden.ts";
import { parity } from "./service-builders.ts";

const full = evaluation({
  gates: [gate(), FAILED_GATE, UNDEFINED_GATE],
  warnings: ["1 of 1,201 images have no prediction.", "b", "c", "d", "e"],
  failures: { count: 1, images: [{ index: 4711, reason: "HTTP 500" }] },
  preflight: preflight(),
});

describe("summaryText(evaluation, { columns, color })", () => {
  it.each([100, 60, 40])(
    "lays out the verdict, metrics, matrix, weaknesses and gates in %d columns",
    (columns) => {
      const text = `${summaryText(full, { columns, color: false })}\n`;
      expect(text).toBe(golden(`summary-${columns}.txt`, text));
    },
  );

  it.each([100, 60])("tells of a service and its parity in %d columns", (columns) => {
    const text = `${summaryText(serviceEvaluation(), { columns, color: false })}\n`;
    expect(text).toBe(golden(`summary-service-${columns}.txt`, text));
  });

  it("colours a skew", () => {
    const skew = serviceEvaluation({ parity: parity({ verdict: "skew", statement: "They differ" }) });
    expect(summaryText(skew, { columns: 80, color: true })).toContain(
      "\n\u001B[33mParity: They differ\u001B[0m\n",
    );
  });

  it.each(CASES)("keeps to the width, leaves no trailing space and no code: $name", ({ evaluation }) => {
    for (const columns of [120, 80, 60, 40]) {
      const lines = summaryText(evaluation, { columns, color: false }).split("\n");
      const tooLong = lines.filter((line) => width(line) > columns && line.trim().includes(" "));
      expect(tooLong).toEqual([]);
      expect(lines.filter((line) => /\s$/.test(line))).toEqual([]);
      expect(lines.join("")).not.toMatch(/\p{Cc}|NaN|Infinity/u);
    }
  });

  it("differs only by colour codes where it is coloured", () => {
    const plain = summaryText(full, { columns: 80, color: false });
    const colored = summaryText(full, { columns: 80, color: true });
    // oxlint-disable-next-line no-control-regex -- the codes are what is removed
    expect(colored.replaceAll(/\u001B\[[\d;]*m/g, "")).toBe(plain);
    expect(colored).toContain("\u001B[31m✗ accuracy 99.17 %");
    expect(colored).toContain("\u001B[1;32m  1,034\u001B[0m");
  });

  it("says where the matrix is when it does not fit", () => {
    const classes = Array.from({ length: 62 }, (_, i) => `class ${i}`);
    expect(summaryText(evaluation({ classes }), { columns: 100, color: false })).toContain(
      "\nConfusion matrix: 62 × 62 is too wide for here, see confusion_matrix.csv\n",
    );
  });

  it("cuts long names to fit the matrix, and aligns wide characters", () => {
    const classes = ["T-shirt or top", "Trouser", "も (mo)"];
    const text = summaryText(evaluation({ classes }), { columns: 44, color: false });
    expect(text).toContain(`
true            predicted
                T-shirt…   Trouser   も (mo)
T-shirt or top     1,034         6         ·
Trouser                4        56         ·
も (mo)                ·         ·       100
`);
  });

  it("says nothing of weaknesses where there are none", () => {
    const perfect = evaluation({
      matrix: [
        [3, 0, 0],
        [0, 3, 0],
        [0, 0, 3],
      ],
    });
    const text = summaryText(perfect, { columns: 80, color: false });
    expect(text.split("\n")[0]).toBe("Accuracy 100.00 % (95 % interval 99.50–100.00 %), 9 of 9 correct");
    expect(text).not.toContain("Strongest");
    expect(text).not.toContain("Weakest");
  });
});

describe("summaryJson(evaluation, outDir)", () => {
  it("is one object with verdict, numbers, gates, warnings and the folder", () => {
    const summary = summaryJson(full, "reports");
    expect(JSON.parse(JSON.stringify(summary))).toEqual({
      schemaVersion: 1,
      verdict: "failed",
      accuracy: full.metrics["accuracy"],
      correct: 1190,
      images: 1201,
      scored: 1200,
      failures: 1,
      dataset: { name: "pets", split: "test" },
      scorer: { kind: "onnx", name: "pets.onnx" },
      metrics: Object.fromEntries(Object.entries(full.metrics).map(([name, { value }]) => [name, value])),
      parity: null,
      repeatability: null,
      latency: null,
      gates: full.gates,
      warnings: full.warnings,
      out: "reports",
    });
  });
});

describe("summaryJson(evaluation, outDir) of a service", () => {
  it("has what parity and latency come to", () => {
    const run = serviceEvaluation();
    expect(summaryJson(run, "reports")).toMatchObject({
      parity: {
        verdict: "rounding",
        statement: run.parity!.statement,
        agreement: run.parity!.agreement,
        maxDifference: null,
      },
      latency: { mean: 14.52, p50: 12.34, p90: 23.1, p99: 48.7, max: 1234.5 },
    });
  });
});

describe("terminal", () => {
  it("width(text) counts East Asian characters twice, and marks not at all", () => {
    expect(["abc", "も", "e\u0301", "👍", "–·✓"].map(width)).toEqual([3, 2, 1, 2, 3]);
  });
  it("abbreviate(text, columns) keeps to the width", () => {
    expect(abbreviate("Ankle boot", 7)).toBe("Ankle…");
    expect(abbreviate("もももも", 5)).toBe("もも…");
    expect(abbreviate("Bag", 3)).toBe("Bag");
  });
  it("plainText(text) cannot steer the terminal", () => {
    expect(plainText("\u001B[2Ja\r\nb\u0007\u202Ec\u009B31m")).toBe(
      String.raw`\x1b[2Ja\r\nb\x07\u202ec\x9b31m`,
    );
    expect(plainText(evilEvaluation().scorer.name)).not.toMatch(/\p{Cc}/u);
  });
  it("fill(parts, separator, columns) breaks between parts, wrap(text, columns) between words", () => {
    expect(fill(["aa", "bb cc", "dd"], ", ", 9, "  ")).toEqual(["aa,", "  bb cc,", "  dd"]);
    expect(wrap("one two three", 8, "  ")).toEqual(["one two", "  three"]);
    expect(padEnd("も", 3)).toBe("も ");
  });
});
