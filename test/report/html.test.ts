import { describe, expect, it } from "vitest";
import { htmlReport } from "../../src/report/html.ts";
import { escapeMarkup, markup } from "../../src/report/markup.ts";
import { candidate, evaluation, preflight } from "./builders.ts";
import {
  CASES,
  CHART,
  evilEvaluation,
  FAILED_GATE,
  gate,
  NO_CHARTS,
  serviceEvaluation,
  UNDEFINED_GATE,
} from "./cases.ts";
import { golden } from "./golden.ts";

const EMPTY = new Set(["meta", "br", "!doctype", "path"]);

/** Tags that are closed out of order or never, of a document whose text has no `<`. */
function unbalanced(html: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [tag, slash, name = ""] of html.matchAll(/<(\/?)([!\w]+)[^>]*>/g)) {
    if (EMPTY.has(name.toLowerCase())) continue;
    if (slash === "") open.push(name);
    else if (open.pop() !== name) wrong.push(tag);
  }
  return [...wrong, ...open];
}

describe("htmlReport(evaluation, context)", () => {
  it("is one page: verdict, warnings, gates, metrics, charts, classes, confusions and where they come from", () => {
    const gates = [gate(), FAILED_GATE, UNDEFINED_GATE];
    const failures = { count: 1, images: [{ index: 4711, reason: "HTTP 500" }] };
    const text = htmlReport(
      evaluation({ gates, warnings: ["Mind the gap."], failures, preflight: preflight() }),
      NO_CHARTS,
    );
    expect(text).toBe(golden("report.html", text));
  });

  it("has a section of the service and one of parity where there is an endpoint", () => {
    const text = htmlReport(serviceEvaluation(), NO_CHARTS);
    expect(text).toBe(golden("report-service.html", text));
  });

  it.each(CASES)("is well-formed, runs nothing and loads nothing: $name", ({ evaluation }) => {
    const html = htmlReport(evaluation, { charts: [CHART], files: [], fontFaceCss: "" });
    expect(unbalanced(html)).toEqual([]);
    const tags = (html.match(/<[^>]+>/g) ?? []).map((tag) => tag.replaceAll(/"[^"]*"/g, ""));
    expect(
      tags.filter((tag) => /^<(?:script|img|link|iframe|object|embed|a|form|base)\b/i.test(tag)),
    ).toEqual([]);
    expect(tags.filter((tag) => /\s(?:on\w+|src|href|action)\s*=/i.test(tag))).toEqual([]);
    expect(html).not.toMatch(/NaN|Infinity|\[object|>null<|>undefined<\/d/);
  });

  it("escapes every text from outside", () => {
    const html = htmlReport(evilEvaluation(), NO_CHARTS);
    expect(html).not.toContain("<script");
    expect(html).not.toContain("<img");
    expect(html).not.toContain('onerror="');
    expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(html).toContain("&quot;&gt;&lt;img src=x onerror=&quot;alert(2)&quot;&gt;");
    expect(html).not.toContain("\u001B");
    expect(html).not.toContain("\u0000");
  });

  it("forbids the browser to load or run anything", () => {
    expect(htmlReport(evaluation(), NO_CHARTS)).toContain(
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:">`,
    );
  });

  it("has each chart as a picture with its title and description as text", () => {
    const html = htmlReport(evaluation(), {
      charts: [CHART],
      files: [],
      fontFaceCss: "@font-face{font-family:X}",
    });
    expect(html).toContain(
      '<figcaption id="chart-confusion_matrix"><strong><bdi>Dogs &amp; cats are confused</bdi></strong><bdi>6 cats as dogs, &lt;4&gt; dogs as cats</bdi></figcaption>',
    );
    expect(html).toContain(
      '<div class="picture" role="img" aria-labelledby="chart-confusion_matrix"><svg xmlns="http://www.w3.org/2000/svg" width="8" height="4" viewBox="0 0 8 4"><path d="M0,0h8"/></svg></div>',
    );
    expect(html).not.toContain("<?xml");
    expect(html.split("@font-face{font-family:X}")).toHaveLength(2);
  });

  it("has no section without content", () => {
    const html = htmlReport(evaluation(), NO_CHARTS);
    for (const title of ["Gates", "Charts", "Images without a prediction"])
      expect(html).not.toContain(`<h2>${title}`);
    expect(html).not.toContain('aria-label="Warnings"');
  });

  it("shows the ways to feed the pixels where they were tried on the scored images, and folds them away otherwise", () => {
    const opened = (["training images", "scored images"] as const).map((on) =>
      htmlReport(
        evaluation({ preflight: preflight({ candidates: [candidate(), candidate({ on })] }) }),
        NO_CHARTS,
      ).includes("<details open>"),
    );
    expect(opened).toEqual([false, true]);
    const untried = evaluation({ preflight: preflight({ candidates: [] }) });
    expect(htmlReport(untried, NO_CHARTS)).not.toContain("to feed the pixels, best first");
  });

  it("marks the chosen way alone, wherever it stands", () => {
    const candidates = [candidate({ scale: "raw" }), candidate({ transpose: true }), candidate()];
    const html = htmlReport(evaluation({ preflight: preflight({ candidates }) }), NO_CHARTS);
    expect(html.match(/<td class="text way">[^<]*<span class="mark chosen">chosen<\/span>/g)).toEqual([
      '<td class="text way">x/255 (unit) <span class="mark chosen">chosen</span>',
    ]);
  });

  it("keeps figures and their percent signs on one line, and leaves the text of pictures alone", () => {
    const chart = { ...CHART, description: "6 % of cats", svg: "<svg><text>3.9 %</text></svg>" };
    const html = htmlReport(evaluation({ warnings: ["5 % are gone"] }), {
      charts: [chart],
      files: [],
      fontFaceCss: "",
    });
    expect(html.match(/[\d.]+ %/g)).toEqual(["3.9 %"]);
    expect(html).toContain("6\u00A0% of cats");
    expect(html).toContain("5\u00A0% are gone");
  });

  it("marks the weakest class once", () => {
    expect(
      htmlReport(evaluation(), NO_CHARTS).match(
        /<bdi>dog<\/bdi> <span class="mark weakest">weakest<\/span>/g,
      ),
    ).toHaveLength(1);
  });

  it("shows undefined numbers as a dash and says so", () => {
    const html = htmlReport(evaluation({ probabilities: false }), NO_CHARTS);
    expect(html).toContain('<dt>Log loss</dt><dd><span class="value">–</span></dd>');
    expect(html).toContain("– undefined in this run.");
  });
});

describe("markup`…`", () => {
  it("escapes text, keeps markup, joins lists and drops null", () => {
    const bold = markup`<b>${"a & b"}</b>`;
    expect(markup`<td title="${'"'}">${bold}${[markup`<i>`, "<i>"]}${null}${7}</td>`.text).toBe(
      '<td title="&quot;"><b>a &amp; b</b><i>&lt;i&gt;7</td>',
    );
    expect(markup`<td>${"<script>"}</td>`.text).toBe("<td>&lt;script&gt;</td>");
  });

  it("escapeMarkup(text) shows what XML 1.0 forbids, and half of a surrogate pair", () => {
    expect(escapeMarkup("a\u0000\u0008\u000B\u001F\uFFFEb\t\n\uD800c'é😀")).toBe(
      String.raw`a\x00\x08\x0b\x1f\ufffeb\t\n\ud800c&#39;é😀`,
    );
  });
});
